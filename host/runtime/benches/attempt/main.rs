//! What an attempt costs: the bare engine, the sandbox, and the way through the memory queue, in
//! turn in the same run, since only ratios of one run mean anything on a noisy machine. And what a
//! hit in the cache costs a guest, JSON beside a typed call, and the same job in three languages.
//!
//! `cargo bench -p gristmill-runtime` measures for about a minute. `BENCH_ROUNDS` and
//! `BENCH_MILLIS` (of one measurement) make it longer or shorter; `BENCH_WAY` measures only the ways whose
//! names have one of these texts in them, with commas between, for a profiler to look at.
//!
//! `-- --allocator pooled` measures with the settings of a machine that may swap, `--allocator locked` with
//! memory that is locked as it is touched, and `--allocator scan` as where nothing can be swapped.

mod bare;
mod cache_hit;
mod languages;
mod through_the_queue;
mod typed;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gristmill_cache::MemoryCache;
use gristmill_job::{
    FunctionName, NewJob, Outcome, Payload, PluginName, SystemClock, Timestamp, time,
};
use gristmill_runtime::{
    Allocator, Attempt, Config, Manifest, NoFollowUps, Plugin, Reuse, Runtime, SilentNotes, Stop,
};

use self::bare::Bare;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What each job is given: the size that the peers of this field are measured with.
const INPUT_BYTES: usize = 100;

/// How attempts are run.
#[derive(Clone, Copy)]
enum Way {
    Bare,
    BareUnbounded,
    Sandbox,
    Reused,
    Queue,
    LeanBare,
    LeanSandbox,
}

impl Way {
    /// Each way, its name, and the place among them of the one that it is compared to.
    const ALL: [(Self, &str, usize); 7] = [
        (Self::Bare, "bare engine", 0),
        (Self::BareUnbounded, "bare engine, no deadlines", 0),
        (Self::Sandbox, "sandbox", 0),
        (Self::Reused, "instances used again", 0),
        (Self::Queue, "through the memory queue", 0),
        (Self::LeanBare, "lean, bare engine", 5),
        (Self::LeanSandbox, "lean, sandbox", 5),
    ];
}

/// A component of a few instructions, without WASI.
const LEAN: &[u8] = include_bytes!("../../../gristmill/src/cli/bench/echo.wat");

struct Bench {
    runtime: Runtime,
    plugin: Plugin,
    /// The same, with instances that are used again.
    reusing: Plugin,
    lean: Plugin,
    bare: Bare,
    /// The same on an engine that can't interrupt what it runs.
    unbounded: Bare,
    lean_bare: Bare,
}

fn main() {
    // `cargo test --benches` only asks whether this compiles and starts.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let rounds = if is_test { 1 } else { number("BENCH_ROUNDS", 7) };
    let length = Duration::from_millis(if is_test { 1 } else { number("BENCH_MILLIS", 1_000) });
    let bench = Bench::new(allocator());
    print(&format!("engine: {:?}", bench.runtime.info()));
    print(&format!(
        "an attempt of echo, {INPUT_BYTES} bytes in and out; median (min–max) of {rounds}"
    ));
    print("threads  way                          attempts/s                  µs each   of bare");
    for threads in [1, 2] {
        bench.compare(threads, rounds, length);
    }
    typed::compare(rounds, allocator());
    if std::env::var("BENCH_WAY").is_err() {
        cache_hit::compare(rounds);
        languages::compare(rounds);
    }
}

/// How instances get their memory, where it isn't to be decided by what the machine allows.
fn allocator() -> Option<Allocator> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--allocator");
    let asked = arguments.nth(1)?;
    Some(match asked.as_str() {
        "scan" => Allocator::PooledWithScan,
        "locked" => Allocator::PooledAndLocked,
        "pooled" => Allocator::Pooled,
        "on-demand" => Allocator::OnDemand,
        other => panic!("--allocator {other}: scan, locked, pooled or on-demand"),
    })
}

/// Whether a way is measured: all are, or those that were named.
fn is_wanted(name: &str) -> bool {
    std::env::var("BENCH_WAY").map_or(true, |only| only.split(',').any(|part| name.contains(part)))
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn print(line: &str) {
    println!("{line}");
}

impl Bench {
    fn new(allocator: Option<Allocator>) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins/echo.wasm");
        let component = std::fs::read(path).expect("run `make plugins` first");
        let cache_config = gristmill_cache::Config::default();
        let config = Config { allocator, ..Config::default() };
        let clock = Arc::new(SystemClock);
        let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
        let runtime = Runtime::new(config, cache, cache_config, Arc::new(NoFollowUps), clock)
            .expect("an engine");
        let name: PluginName = "echo".parse().expect("a name");
        let reuse = Some(Reuse { jobs_max: Reuse::JOBS_MAX, idle: Reuse::IDLE_MAX });
        let load = async |component: &[u8], reuse| {
            let manifest = Manifest { reuse, ..Manifest::default() };
            let bytes = Bytes::copy_from_slice(component);
            runtime.load_with(name.clone(), bytes, manifest).await.expect("it loads")
        };
        let loaded = async {
            (load(&component, None).await, load(&component, reuse).await, load(LEAN, None).await)
        };
        let (plugin, reusing, lean) =
            tokio::runtime::Runtime::new().expect("an async runtime").block_on(loaded);
        let bare = Bare::new(runtime.engine(), &component);
        let unbounded = Bare::new(&bare::uninterruptible(runtime.info().allocator), &component);
        let lean_bare = Bare::new(runtime.engine(), LEAN);
        Self { runtime, plugin, reusing, lean, bare, unbounded, lean_bare }
    }

    /// Measures all ways in turn, several times over.
    fn compare(&self, threads: usize, rounds: u64, length: Duration) {
        let mut rates: [Vec<f64>; Way::ALL.len()] = Default::default();
        for _ in 0..rounds {
            for (i, (way, name, _)) in Way::ALL.into_iter().enumerate() {
                rates[i].push(if is_wanted(name) {
                    self.measure(way, threads, length)
                } else {
                    f64::NAN
                });
            }
        }
        for (i, (_, name, bare)) in Way::ALL.into_iter().enumerate() {
            let (min, rate, max) = spread(&mut rates[i].clone());
            let each_round = rates[i].iter().zip(&rates[bare]);
            let (_, ratio, _) =
                spread(&mut each_round.map(|(rate, bare)| rate / bare).collect::<Vec<f64>>());
            let each = threads as f64 * 1e6 / rate;
            print(&format!(
                "{threads:>7}  {name:<26} {rate:>10.0} ({min:.0}–{max:.0}) {each:>12.2} {:>8.0}%",
                ratio * 100.0
            ));
        }
    }

    /// Attempts a second.
    fn measure(&self, way: Way, threads: usize, length: Duration) -> f64 {
        match way {
            Way::Bare => measure_bare(&self.bare, threads, length),
            Way::BareUnbounded => measure_bare(&self.unbounded, threads, length),
            Way::LeanBare => measure_bare(&self.lean_bare, threads, length),
            Way::Sandbox => self.measure_sandbox(&self.plugin, threads, length),
            Way::Reused => self.measure_sandbox(&self.reusing, threads, length),
            Way::LeanSandbox => self.measure_sandbox(&self.lean, threads, length),
            Way::Queue => through_the_queue::measure(self, threads, length),
        }
    }

    fn measure_sandbox(&self, plugin: &Plugin, threads: usize, length: Duration) -> f64 {
        on_threads(threads, length, || {
            let function = FunctionName::new("echo").ok();
            let job = Arc::new(NewJob { function, ..a_job() });
            async move || self.attempt(plugin, Arc::clone(&job)).await
        })
    }

    async fn attempt(&self, plugin: &Plugin, job: Arc<NewJob>) {
        let attempt = a_first_attempt(job);
        let report = self.runtime.run(plugin, attempt).await.expect("the host is well");
        assert!(matches!(report.outcome, Outcome::Completed { .. }), "{:?}", report.outcome);
    }
}

fn measure_bare(bare: &Bare, threads: usize, length: Duration) -> f64 {
    on_threads(threads, length, || async move || bare.attempt(&[b'x'; INPUT_BYTES]).await)
}

fn a_first_attempt(job: Arc<NewJob>) -> Attempt {
    Attempt {
        job,
        number: 1,
        enqueued_at: Timestamp::from_millis(0),
        checkpoint: None,
        stop: Stop::new(),
        notes: Arc::new(SilentNotes),
    }
}

fn a_job() -> NewJob {
    NewJob::new("echo".parse().expect("a name"), Payload::text("x".repeat(INPUT_BYTES)))
}

/// Runs attempts on threads of their own, one after another on each, and answers how many there
/// were a second.
fn on_threads<F, A>(threads: usize, length: Duration, make: F) -> f64
where
    F: Fn() -> A + Sync,
    A: AsyncFn(),
{
    let count = AtomicU64::new(0);
    let started = time::monotonic();
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("an async runtime").block_on(async {
            let attempt = make();
            while started.elapsed() < length {
                // Asking the time is not what is measured.
                for _ in 0..16 {
                    attempt().await;
                }
                count.fetch_add(16, Ordering::Relaxed);
            }
        });
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    per_second(count.load(Ordering::Relaxed), started)
}

fn per_second(count: u64, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64()
}

/// Smallest, median and largest.
fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}
