//! The engine: its features, its allocator, and the tick that keeps guests in time.

use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use gristmill_job::time;
use rustix::mm::{MlockAllFlags, mlockall};
use wasmtime::{
    Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use crate::attempt::Runtime;
use crate::config::{self, Config};
use crate::error::Error;
use crate::reuse::Waiting;
use crate::sampler::SAMPLE_INTERVAL;

/// How instances get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    /// From slots that were reserved at start, with dirty pages found by a scan: the fast way.
    PooledWithScan,
    /// The same where memory may be swapped out: all that this process ever touches is locked, so that it
    /// isn't. For who asks for it and may lock so much.
    PooledAndLocked,
    /// From slots that were reserved at start, with dirty pages given back to the kernel.
    Pooled,
    /// Mapped for each instance.
    OnDemand,
}

/// How the engine was set up, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// How instances get their memory.
    pub allocator: Allocator,
    /// Why it isn't a faster way, and what that costs.
    pub note: Option<String>,
    /// Attempts that may run at one time.
    pub slots: u32,
}

/// What of the pool is taken: all of it nothing when no attempt runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Components.
    pub component_instances: u64,
    /// The core instances that they are made of.
    pub core_instances: u64,
    /// Linear memories.
    pub memories: usize,
    /// Tables.
    pub tables: usize,
    /// Stacks of guests' fibers.
    pub stacks: usize,
}

impl Runtime {
    /// What of the pool is taken now; none where instances don't come from a pool.
    #[must_use]
    pub fn occupancy(&self) -> Option<Occupancy> {
        let metrics = self.engine().pooling_allocator_metrics()?;
        Some(Occupancy {
            component_instances: metrics.component_instances(),
            core_instances: metrics.core_instances(),
            memories: metrics.memories(),
            tables: metrics.tables(),
            stacks: metrics.stacks(),
        })
    }
}

/// Sets the engine up, with the allocator that was asked for, or the fastest that is safe here.
pub(crate) fn build(config: &Config) -> Result<(Engine, EngineInfo), Error> {
    let is_locked = config.allocator == Some(Allocator::PooledAndLocked);
    match (config.allocator, if is_locked { is_scan_there() } else { is_scan_safe() }) {
        (Some(Allocator::OnDemand), _) => on_demand(config, None),
        (Some(Allocator::Pooled), _) => pooled(config, Allocator::Pooled, None),
        (Some(Allocator::PooledWithScan | Allocator::PooledAndLocked), Err(why)) => {
            let error = anyhow::anyhow!("dirty pages can't be found by a scan: {why}");
            Err(Error::Engine(error))
        }
        (Some(Allocator::PooledAndLocked), Ok(())) => {
            lock_memory()?;
            pooled(config, Allocator::PooledAndLocked, None)
        }
        (Some(Allocator::PooledWithScan) | None, Ok(())) => {
            pooled(config, Allocator::PooledWithScan, None)
                .or_else(|error| fall_back(config, error))
        }
        (None, Err(why)) => {
            let note = format!(
                "{why}: dirty pages go back to the kernel after every attempt, which about doubles \
                 what starting one costs"
            );
            pooled(config, Allocator::Pooled, Some(note)).or_else(|error| fall_back(config, error))
        }
    }
}

fn pooled(
    config: &Config,
    allocator: Allocator,
    note: Option<String>,
) -> Result<(Engine, EngineInfo), Error> {
    let mut engine_config = features_of(config);
    let pool = pool(config, allocator != Allocator::Pooled);
    engine_config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&engine_config).map_err(|e| Error::Engine(e.into()))?;
    Ok((engine, EngineInfo { allocator, note, slots: config.slots }))
}

/// A pool that nobody insists on is done without where its address space can't be had.
fn fall_back(config: &Config, error: Error) -> Result<(Engine, EngineInfo), Error> {
    if config.allocator.is_some() {
        return Err(error);
    }
    let note = format!(
        "no address space could be reserved for {} slots ({:#}): starting an attempt costs several \
         times more",
        config.slots,
        anyhow::Error::from(error)
    );
    on_demand(config, Some(note))
}

fn on_demand(config: &Config, note: Option<String>) -> Result<(Engine, EngineInfo), Error> {
    let engine = Engine::new(&features_of(config)).map_err(|e| Error::Engine(e.into()))?;
    Ok((engine, EngineInfo { allocator: Allocator::OnDemand, note, slots: config.slots }))
}

/// Only what components of Rust, JavaScript and Python need: most advisories of recent years were
/// in what is switched off here.
pub(crate) fn features() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(config::STACK_BYTES_MAX)
        .async_stack_size(config::FIBER_STACK_BYTES)
        .wasm_backtrace_max_frames(NonZeroUsize::new(config::BACKTRACE_FRAMES_MAX))
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// The same, with whole stacks for a sampler: that changes nothing of the code that is made.
fn features_of(config: &Config) -> wasmtime::Config {
    let mut features = features();
    if config.sampler.is_some() {
        features.wasm_backtrace_max_frames(NonZeroUsize::new(config::SAMPLED_FRAMES_MAX));
    }
    features
}

fn pool(config: &Config, scan: bool) -> PoolingAllocationConfig {
    let (slots, limits) = (config.slots, &config.limits_max);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    let each = |most: usize| slots.saturating_mul(count(most));
    // Every slot has what one guest may take at most: where there was only what guests mostly take,
    // one that takes all it may would leave others without. It is address space, not memory.
    pool.total_component_instances(slots)
        .total_core_instances(each(limits.instances_max))
        .total_memories(each(limits.memories_max))
        .total_tables(each(limits.tables_max))
        .total_stacks(slots)
        .max_memory_size(config.limits_max.memory_bytes_max)
        .table_elements(limits.table_elements_max)
        .max_memories_per_component(count(limits.memories_max))
        .max_memories_per_module(count(limits.memories_max))
        .max_tables_per_component(count(limits.tables_max))
        .max_tables_per_module(count(limits.tables_max))
        .max_core_instances_per_component(count(limits.instances_max));
    if scan {
        // Keeping pages without the scan would copy all of them back after every attempt.
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(config::KEEP_RESIDENT_BYTES)
            .table_keep_resident(config::TABLE_KEEP_RESIDENT_BYTES);
    }
    pool
}

/// Whether the kernel can scan, and this process's memory can't be swapped out. The scan asks for
/// pages that are present: a dirty page that was swapped out isn't found, isn't reset, and would show
/// the slot's next tenant what the last one wrote.
fn is_scan_safe() -> Result<(), String> {
    is_scan_there()?;
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok();
    can_not_be_swapped(meminfo.as_deref(), swap_limit_of_this_group().as_deref())
}

fn is_scan_there() -> Result<(), String> {
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        Ok(())
    } else {
        Err("the kernel has no pagemap scan (Linux 6.7 or later has)".to_owned())
    }
}

/// Keeps every page that this process touches from being swapped out, now and later. What it has only reserved
/// takes no memory by that, but counts for what a process may lock. Locked pages can't be given back one by
/// one: a slot whose guest dirtied more than stays mapped is mapped anew for the next.
fn lock_memory() -> Result<(), Error> {
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    mlockall(flags).map_err(|error| {
        Error::Engine(anyhow::anyhow!(
            "memory can't be locked ({error}): this takes the capability CAP_IPC_LOCK, or no limit on locked \
             memory (LimitMEMLOCK=infinity, ulimit -l unlimited)"
        ))
    })
}

/// From what the kernel says of the machine's swap and of this group's limit on it.
fn can_not_be_swapped(meminfo: Option<&str>, limit: Option<&str>) -> Result<(), String> {
    let Some(meminfo) = meminfo else {
        return Err("memory may be swapped out (/proc/meminfo can't be read)".to_owned());
    };
    let total = meminfo.lines().find_map(|line| line.strip_prefix("SwapTotal:"));
    if total.is_some_and(|rest| rest.trim().starts_with("0 ")) {
        return Ok(());
    }
    match limit.map(str::trim) {
        Some("0") => Ok(()),
        Some(limit) => Err(format!("memory may be swapped out (memory.swap.max is {limit})")),
        None => {
            Err("memory may be swapped out (the machine has swap, and no limit forbids it)"
                .to_owned())
        }
    }
}

/// `memory.swap.max` of the process's control group, where the unified hierarchy is mounted.
fn swap_limit_of_this_group() -> Option<String> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    std::fs::read_to_string(format!("/sys/fs/cgroup{path}/memory.swap.max")).ok()
}

/// The thread that advances the epoch, and gives up instances that nobody used again; it ends with this value.
pub(crate) struct Ticker {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(
        engine: &Engine,
        config: &Config,
        waiting: Arc<Waiting>,
    ) -> Result<Self, Error> {
        let tick = config.sampler.as_ref().map_or(config::TICK, |_| SAMPLE_INTERVAL);
        let (stop, stopped) = mpsc::channel::<()>();
        let engine = engine.weak();
        let thread = std::thread::Builder::new()
            .name("gristmill-tick".to_owned())
            .spawn(move || {
                while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(tick) {
                    let Some(engine) = engine.upgrade() else { break };
                    engine.increment_epoch();
                    waiting.sweep(time::monotonic());
                }
            })
            .map_err(|e| Error::Engine(e.into()))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only ends by being told to; had it panicked, there is nothing left to do.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWAP: &str = "MemTotal:  100 kB\nSwapTotal:  2097148 kB\n";

    #[test]
    fn a_scan_is_safe_only_where_nothing_can_be_swapped_out() {
        assert_eq!(can_not_be_swapped(Some("SwapTotal:       0 kB\n"), None), Ok(()));
        assert_eq!(can_not_be_swapped(Some(SWAP), Some("0\n")), Ok(()));
        for (meminfo, limit) in [
            (Some(SWAP), None),
            (Some(SWAP), Some("max\n")),
            (Some(SWAP), Some("4096\n")),
            (Some(""), None),
            (None, Some("0\n")),
        ] {
            assert!(can_not_be_swapped(meminfo, limit).is_err(), "{meminfo:?} {limit:?}");
        }
    }
}
