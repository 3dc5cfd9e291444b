//! The same job in three languages: what a fresh instance costs, and what using one again saves.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gristmill_cache::MemoryCache;
use gristmill_job::{NewJob, Outcome, Payload, SystemClock, time};
use gristmill_runtime::{Config, Limits, Manifest, NoFollowUps, Plugin, Reuse, Runtime};

use crate::{a_first_attempt, print, spread};

/// The components, under the folder that plugins are built into.
const COMPONENTS: [(&str, &str); 3] = [
    ("Rust", "plugins/wordcount.wasm"),
    ("JavaScript", "interpreted-plugins/wordcount-js.wasm"),
    ("Python", "interpreted-plugins/wordcount-python.wasm"),
];
/// Attempts of one measurement.
const ATTEMPTS: u32 = 50;
/// Words of a job's input.
const WORDS: usize = 20;

pub(crate) fn compare(rounds: u64) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio.expect("an async runtime").block_on(async {
        print(&format!("words counted in {WORDS} words; median (min–max) of {rounds}"));
        print("language     instance          µs each   of fresh");
        for (language, file) in COMPONENTS {
            measure(language, file, rounds).await;
        }
    });
}

async fn measure(language: &str, file: &str, rounds: u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(file);
    let component = Bytes::from(std::fs::read(path).expect("run `make plugins` first"));
    let runtime = runtime();
    let reuse = Reuse { jobs_max: Reuse::JOBS_MAX, idle: Reuse::IDLE_MAX };
    let fresh = load(&runtime, &component, None).await;
    let reused = load(&runtime, &component, Some(reuse)).await;
    let (mut of_fresh, mut of_reused) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        of_fresh.push(each(&runtime, &fresh).await);
        of_reused.push(each(&runtime, &reused).await);
    }
    let usual = spread(&mut of_fresh.clone()).1;
    for (instance, mut micros) in [("fresh", of_fresh), ("used again", of_reused)] {
        let (min, median, max) = spread(&mut micros);
        let ratio = median / usual;
        print(&format!(
            "{language:<12} {instance:<11} {median:>10.1} ({min:.1}–{max:.1}) {ratio:>8.2}"
        ));
    }
}

fn runtime() -> Runtime {
    let cache_config = gristmill_cache::Config::default();
    let clock = Arc::new(SystemClock);
    let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
    let limits = Limits { wall: Limits::MAX.wall, ..Limits::default() };
    let config = Config { slots: 8, limits, ..Config::default() };
    Runtime::new(config, cache, cache_config, Arc::new(NoFollowUps), clock).expect("an engine")
}

async fn load(runtime: &Runtime, component: &Bytes, reuse: Option<Reuse>) -> Plugin {
    let name = "wordcount".parse().expect("a name");
    let manifest = Manifest { reuse, ..Manifest::default() };
    runtime.load_with(name, component.clone(), manifest).await.expect("it loads")
}

/// Microseconds of one attempt.
async fn each(runtime: &Runtime, plugin: &Plugin) -> f64 {
    let input = Payload::text("grist ".repeat(WORDS));
    let job = Arc::new(NewJob::new(plugin.name().clone(), input));
    let started = time::monotonic();
    for _ in 0..ATTEMPTS {
        let report = runtime.run(plugin, a_first_attempt(Arc::clone(&job))).await;
        let outcome = report.expect("the host is well").outcome;
        assert!(matches!(outcome, Outcome::Completed { .. }), "{outcome:?}");
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(ATTEMPTS)
}
