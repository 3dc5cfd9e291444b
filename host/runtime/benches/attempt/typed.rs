//! What JSON costs: an attempt of a function with types of its own, through the whole sandbox, beside the
//! bare engine's typed call of the same function.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::MemoryCache;
use gristmill_job::{NewJob, Outcome, Payload, SystemClock, time};
use gristmill_runtime::{Config, NoFollowUps, Plugin, Runtime};
use serde_json::json;
use wasmtime::component::{
    Component, ComponentNamedList, ComponentType, InstancePre, Lift, Linker, Lower,
};
use wasmtime::{Engine, Store};

use crate::{a_first_attempt, print, spread};

/// Attempts of one measurement.
const ATTEMPTS: u32 = 2_000;
/// Attempts with much data of one measurement.
const LARGE_ATTEMPTS: u32 = 50;
/// Bytes of a large argument: as base64 they are below the bound on results, 1 MiB.
const LARGE_BYTES: usize = 768 << 10;

#[derive(ComponentType, Lift, Lower, Clone, PartialEq, Debug)]
#[component(record)]
struct Ten {
    a: String,
    b: String,
    c: String,
    d: String,
    e: String,
    f: String,
    g: String,
    h: u32,
    i: u32,
    j: f64,
}

struct Bench {
    runtime: Runtime,
    plugin: Plugin,
    engine: Engine,
    pre: InstancePre<()>,
}

pub(crate) fn compare(rounds: u64) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (records, bytes) = tokio.expect("an async runtime").block_on(async {
        let bench = Bench::new().await;
        (bench.records(rounds).await, bench.bytes(rounds).await)
    });
    print(&format!("functions with types of their own; median (min–max) of {rounds}"));
    print("way                                        µs each   of typed");
    for measured in [records, bytes] {
        let typed = spread(&mut measured[0].1.clone()).1;
        for (name, mut micros) in measured {
            let (min, median, max) = spread(&mut micros);
            let ratio = median / typed;
            print(&format!("{name:<40} {median:>7.1} ({min:.1}–{max:.1}) {ratio:>8.2}"));
        }
    }
}

type Measured = Vec<(&'static str, Vec<f64>)>;

impl Bench {
    async fn new() -> Self {
        let cache_config = gristmill_cache::Config::default();
        let clock = Arc::new(SystemClock);
        let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
        let config = Config { slots: 2, ..Config::default() };
        let runtime = Runtime::new(config, cache, cache_config, Arc::new(NoFollowUps), clock)
            .expect("an engine");
        let text = include_str!("typed.wat");
        let name = "typed".parse().expect("a name");
        let plugin = runtime.load(name, Bytes::from_static(text.as_bytes())).await;
        let engine = runtime.engine().clone();
        let component = Component::new(&engine, text).expect("a component");
        let pre = Linker::new(&engine).instantiate_pre(&component).expect("it needs nothing");
        Self { plugin: plugin.expect("it loads"), runtime, engine, pre }
    }

    async fn records(&self, rounds: u64) -> Measured {
        let text = || "some words".to_owned();
        let ten = Ten {
            a: text(),
            b: text(),
            c: text(),
            d: text(),
            e: text(),
            f: text(),
            g: text(),
            h: 1,
            i: u32::MAX,
            j: 0.5,
        };
        let json = json!({"value": {
            "a": ten.a, "b": ten.b, "c": ten.c, "d": ten.d, "e": ten.e, "f": ten.f, "g": ten.g,
            "h": ten.h, "i": ten.i, "j": ten.j,
        }});
        let mut measured: Measured = vec![
            ("a record of ten, typed, bare engine", Vec::new()),
            ("a record of ten, JSON, whole attempt", Vec::new()),
        ];
        for _ in 0..rounds {
            let typed = each(ATTEMPTS, async || {
                let (back,): (Ten,) = self.typed("record", (ten.clone(),)).await;
                assert_eq!(back.i, ten.i);
            });
            measured[0].1.push(typed.await);
            let dynamic = each(ATTEMPTS, async || {
                self.attempt("record", Payload::json(&json)).await;
            });
            measured[1].1.push(dynamic.await);
        }
        measured
    }

    async fn bytes(&self, rounds: u64) -> Measured {
        let data = vec![b'x'; LARGE_BYTES];
        let mut measured: Measured = vec![
            ("a list<u8> of 768 KiB, typed, bare engine", Vec::new()),
            ("a list<u8> of 768 KiB, whole attempt", Vec::new()),
        ];
        for _ in 0..rounds {
            let typed = each(LARGE_ATTEMPTS, async || {
                let (back,): (Vec<u8>,) = self.typed("bytes", (data.clone(),)).await;
                assert_eq!(back.len(), LARGE_BYTES);
            });
            measured[0].1.push(typed.await);
            let dynamic = each(LARGE_ATTEMPTS, async || {
                self.attempt("bytes", Payload::bytes(data.clone())).await;
            });
            measured[1].1.push(dynamic.await);
        }
        measured
    }

    async fn typed<P, R>(&self, function: &str, arguments: P) -> R
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let function = instance.get_typed_func::<P, R>(&mut store, function).expect("its types");
        function.call_async(&mut store, arguments).await.expect("no trap")
    }

    async fn attempt(&self, function: &str, input: Payload) {
        let function = Some(function.parse().expect("a name"));
        let job = NewJob { function, ..NewJob::new(self.plugin.name().clone(), input) };
        let report = self.runtime.run(&self.plugin, a_first_attempt(Arc::new(job))).await;
        let outcome = report.expect("the host is well").outcome;
        assert!(matches!(outcome, Outcome::Completed { result: Some(_) }), "{outcome:?}");
    }
}

/// Microseconds of one.
async fn each(times: u32, work: impl AsyncFn()) -> f64 {
    let started = time::monotonic();
    for _ in 0..times {
        work().await;
    }
    took(started.elapsed(), times)
}

fn took(took: Duration, times: u32) -> f64 {
    took.as_secs_f64() * 1e6 / f64::from(times)
}
