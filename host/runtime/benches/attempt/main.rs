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
use gristmill_job::{NewJob, Payload, PluginName, SystemClock, Timestamp, time};
use gristmill_runtime::{
    Allocator, Attempt, Config, Manifest, NoFollowUps, Plugin, Reuse, Runtime, SilentNotes, Stop,
};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What each job is given: the size that the peers of this field are measured with.
const INPUT_BYTES: usize = 100;

/// How attempts are run.
#[derive(Clone, Copy)]
enum Way {
    Bare,
    Sandbox,
    Reused,
    Queue,
}

impl Way {
    const ALL: [(Self, &str); 4] = [
        (Self::Bare, "bare engine"),
        (Self::Sandbox, "sandbox"),
        (Self::Reused, "instances used again"),
        (Self::Queue, "through the memory queue"),
    ];
}

struct Bench {
    runtime: Runtime,
    plugin: Plugin,
    /// The same, with instances that are used again.
    reusing: Plugin,
    component: Vec<u8>,
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
        let load = async |reuse| {
            let manifest = Manifest { reuse, ..Manifest::default() };
            let bytes = Bytes::from(component.clone());
            runtime.load_with(name.clone(), bytes, manifest).await.expect("it loads")
        };
        let loaded = async { (load(None).await, load(reuse).await) };
        let (plugin, reusing) =
            tokio::runtime::Runtime::new().expect("an async runtime").block_on(loaded);
        Self { plugin, reusing, runtime, component }
    }

    /// Measures all ways in turn, several times over.
    fn compare(&self, threads: usize, rounds: u64, length: Duration) {
        let mut rates: [Vec<f64>; 4] = Default::default();
        for _ in 0..rounds {
            for (i, (way, name)) in Way::ALL.into_iter().enumerate() {
                rates[i].push(if is_wanted(name) {
                    self.measure(way, threads, length)
                } else {
                    f64::NAN
                });
            }
        }
        let ratios: Vec<Vec<f64>> = rates
            .iter()
            .map(|rates_of_way| {
                rates_of_way.iter().zip(&rates[0]).map(|(rate, bare)| rate / bare).collect()
            })
            .collect();
        for (i, (_, name)) in Way::ALL.into_iter().enumerate() {
            let (min, rate, max) = spread(&mut rates[i].clone());
            let (_, ratio, _) = spread(&mut ratios[i].clone());
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
            Way::Bare => {
                let bare = bare::Bare::new(self.runtime.engine(), &self.component);
                on_threads(threads, length, || {
                    let bare = &bare;
                    async move || bare.attempt(&[b'x'; INPUT_BYTES]).await
                })
            }
            Way::Sandbox => on_threads(threads, length, || {
                let job = Arc::new(a_job());
                async move || self.attempt(&self.plugin, Arc::clone(&job)).await
            }),
            Way::Reused => on_threads(threads, length, || {
                let job = Arc::new(a_job());
                async move || self.attempt(&self.reusing, Arc::clone(&job)).await
            }),
            Way::Queue => through_the_queue::measure(self, threads, length),
        }
    }

    async fn attempt(&self, plugin: &Plugin, job: Arc<NewJob>) {
        let attempt = a_first_attempt(job);
        self.runtime.run(plugin, attempt).await.expect("the host is well");
    }
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
