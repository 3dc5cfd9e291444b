//! What the back-ends cost, each beside the raw thing that it is built on: the map, the server's own
//! MGET, the file's own SELECT. All in turn in one run, since only ratios of one run mean anything on
//! a noisy machine.
//!
//! `BENCH_ROUNDS` and `BENCH_MILLIS` (of one measurement) make it longer or shorter.

mod raw;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{Cache, Config, Key, Lookup, MemoryCache, RedisCache, Space, SqliteCache};
use gristmill_job::{SystemClock, time};
use gristmill_test_redis::RedisServer;
use tokio::task::JoinSet;

use self::raw::{RawFile, RawMap, RawServer};

/// Keys of a batch.
const KEYS: usize = 100;
/// Entries that are there: many more than are asked for, so that not everything is at hand.
const ENTRIES: usize = 10_000;
/// Bytes of a value.
const VALUE_BYTES: usize = 100;
/// Callers that want one missing value at one time.
const CALLERS: usize = 32;

/// How long and how often is measured.
#[derive(Clone, Copy)]
struct Pace {
    rounds: usize,
    length: Duration,
}

fn main() {
    // `cargo test --benches` only asks whether this compiles.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let pace = Pace {
        rounds: number("BENCH_ROUNDS", 7) as usize,
        length: Duration::from_millis(number("BENCH_MILLIS", 300)),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("an async runtime").block_on(run(pace));
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn print(line: &str) {
    println!("{line}");
}

async fn run(pace: Pace) {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().expect("a folder");
    let clock = || Arc::new(SystemClock);
    let config = Config::default;
    let address = server.url().parse().expect("an address");
    let memory = MemoryCache::new(config(), clock());
    let redis = RedisCache::connect(address, config()).await.expect("a server");
    let file = SqliteCache::open(folder.path().join("ours"), config(), clock()).await;
    let (memory, redis): (Arc<dyn Cache>, Arc<dyn Cache>) = (Arc::new(memory), Arc::new(redis));
    let file: Arc<dyn Cache> = Arc::new(file.expect("a file"));
    for cache in [&memory, &redis, &file] {
        fill(&**cache).await;
    }
    let map = RawMap::new();
    let raw_server = RawServer::new(&server.url()).await;
    let mut raw_file = RawFile::new(&folder.path().join("raw"));

    print(&format!("{KEYS} values of {VALUE_BYTES} bytes of {ENTRIES} entries in one call"));
    head();
    let keys = asked();
    let raw_keys: Vec<String> = keys.iter().map(|key| key.as_str().to_owned()).collect();
    compare(
        "memory: get_many",
        "the map's gets",
        pace,
        async || map.get_many(&raw_keys),
        async || {
            get_many(&*memory, &keys).await;
        },
    )
    .await;
    let raw = async || raw_server.get_many(&raw_keys).await;
    compare("Redis: get_many", "MGET", pace, raw, async || get_many(&*redis, &keys).await).await;
    let file_ref = std::cell::RefCell::new(&mut raw_file);
    let raw = async || file_ref.borrow_mut().get_many(&raw_keys);
    compare("SQLite: get_many", "SELECT by key", pace, raw, async || get_many(&*file, &keys).await)
        .await;

    print(&format!("{CALLERS} callers of one missing value, which one of them computes"));
    head();
    let caches = [("memory", &memory), ("Redis", &redis), ("SQLite", &file)];
    for (name, cache) in caches {
        let name = format!("{name}: get_or_reserve");
        let raw = async || map.compute_once(CALLERS).await;
        compare(&name, "a cell in a map", pace, raw, async || remember(cache).await).await;
    }
}

fn head() {
    print("                        µs a call (min–max)   raw µs   of raw");
}

/// Measures the raw thing and ours in turn.
async fn compare(
    name: &str,
    raw_name: &str,
    pace: Pace,
    raw: impl AsyncFn(),
    ours: impl AsyncFn(),
) {
    let (mut raws, mut ourss, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..pace.rounds {
        let (raw, ours) = (timed(pace.length, &raw).await, timed(pace.length, &ours).await);
        raws.push(raw);
        ourss.push(ours);
        ratios.push(ours / raw);
    }
    let (_, raw, _) = spread(&mut raws);
    let (min, ours, max) = spread(&mut ourss);
    let (_, ratio, _) = spread(&mut ratios);
    print(&format!(
        "{name:<24} {ours:>7.1} ({min:.1}–{max:.1}) {raw:>8.1} {ratio:>8.2}  {raw_name}"
    ));
}

/// Microseconds of one call.
async fn timed(length: Duration, call: &impl AsyncFn()) -> f64 {
    let started = time::monotonic();
    let mut calls = 0_u32;
    while started.elapsed() < length {
        call().await;
        calls += 1;
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

/// Smallest, median and largest.
fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}

fn space() -> Space {
    "bucket:bench".parse().expect("a space")
}

fn key(text: &str) -> Key {
    Key::new(text, &Config::default()).expect("a key")
}

fn entry_key(number: usize) -> String {
    format!("entry:{number}")
}

fn value() -> Bytes {
    vec![b'x'; VALUE_BYTES].into()
}

/// Keys far from each other.
fn asked() -> Vec<Key> {
    (0..KEYS).map(|i| key(&entry_key(i * (ENTRIES / KEYS)))).collect()
}

async fn fill(cache: &dyn Cache) {
    let numbers: Vec<usize> = (0..ENTRIES).collect();
    for batch in numbers.chunks(Config::default().batch_items_max) {
        let entries = batch.iter().map(|number| (key(&entry_key(*number)), value())).collect();
        cache.set_many(&space(), entries, None).await.expect("it is stored");
    }
}

async fn get_many(cache: &dyn Cache, keys: &[Key]) {
    let values = cache.get_many(&space(), keys).await.expect("an answer");
    assert!(values.iter().all(Option::is_some), "all of them are there");
}

/// Many callers of one missing value: one computes it, the others wait for it.
async fn remember(cache: &Arc<dyn Cache>) {
    let wanted = key("wanted");
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (cache, wanted) = (Arc::clone(cache), wanted.clone());
        callers.spawn(async move {
            let (lease, wait) = (Duration::from_secs(10), Duration::from_secs(10));
            match cache.get_or_reserve(&space(), &wanted, lease, wait).await.expect("an answer") {
                Lookup::Reserved(reservation) => {
                    tokio::task::yield_now().await;
                    let stored = cache.fill(reservation, value(), None).await;
                    assert!(stored.expect("an answer"), "nobody took it away");
                }
                Lookup::Hit(_) => {}
                Lookup::Busy => panic!("nobody computes for so long"),
            }
        });
    }
    callers.join_all().await;
    assert!(cache.delete(&space(), &wanted).await.expect("an answer"), "one of them stored it");
}
