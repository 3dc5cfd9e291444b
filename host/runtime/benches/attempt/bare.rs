//! The bare engine: the same component, the same call, the same engine settings, and nothing else.

use gristmill_runtime::Allocator;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

#[allow(missing_docs, clippy::all, clippy::unwrap_used, reason = "generated code")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package gristmill:bench;
            world bare {
                export gristmill:job/handler@0.1.0;
            }
        ",
        world: "gristmill:bench/bare",
        exports: { default: async },
    });
}

use generated::{BarePre, gristmill::job::types::Payload};

/// What the sandbox keeps of an instance's memory and tables for the next, as in the runtime's own pool.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// An engine like the sandbox's, but for the checks by which a guest is interrupted.
pub(crate) fn uninterruptible(allocator: Allocator) -> Engine {
    let mut config = wasmtime::Config::new();
    config.concurrency_support(false);
    if allocator != Allocator::OnDemand {
        let mut pool = PoolingAllocationConfig::new();
        if allocator == Allocator::PooledWithScan {
            pool.pagemap_scan(Enabled::Yes)
                .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
                .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES);
        }
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    Engine::new(&config).expect("an engine")
}

#[derive(Default)]
struct State {
    table: ResourceTable,
    wasi: Option<WasiCtx>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| WasiCtx::builder().build());
        WasiCtxView { ctx, table: &mut self.table }
    }
}

/// A component, ready to be instantiated.
pub(crate) struct Bare {
    engine: Engine,
    pre: BarePre<State>,
}

impl Bare {
    pub(crate) fn new(engine: &Engine, component: &[u8]) -> Self {
        let component = Component::new(engine, component).expect("a component");
        let mut linker: Linker<State> = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI links");
        // Echo calls nothing of the contract.
        linker.define_unknown_imports_as_traps(&component).expect("the rest links");
        let pre = linker.instantiate_pre(&component).and_then(BarePre::new).expect("it fits");
        Self { engine: engine.clone(), pre }
    }

    pub(crate) async fn attempt(&self, data: &[u8]) {
        let mut store = Store::new(&self.engine, State::default());
        store.set_epoch_deadline(u64::MAX / 2);
        let guest = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let input = Payload { content_type: "text/plain".to_owned(), data: data.to_vec() };
        let called = guest.gristmill_job_handler().call_handle(&mut store, "echo", &input).await;
        let result = called.expect("no trap").expect("no failure").expect("a result");
        assert_eq!(result.data.len(), data.len());
    }
}
