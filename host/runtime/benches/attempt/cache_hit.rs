//! What a hit in the cache costs a guest, beside the cache without a guest and the map itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gristmill_cache::{Cache as _, Key, MemoryCache, SetOptions, Space};
use gristmill_job::{NewJob, Payload, SystemClock, time};
use gristmill_runtime::{Config, Limits, NoFollowUps, Runtime};

use crate::{a_first_attempt, print, spread};

/// Lookups of one measurement.
const HITS: u32 = 100_000;
/// Bytes of the value that is found.
const VALUE_BYTES: usize = 100;

pub(crate) fn compare(rounds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime.expect("an async runtime").block_on(measure(rounds));
    print(&format!(
        "a hit of {VALUE_BYTES} bytes in the memory cache; median (min–max) of {rounds}"
    ));
    print("way                              ns each   of the map");
    let map = spread(&mut measured[0].1.clone()).1;
    for (name, mut nanos) in measured {
        let (min, median, max) = spread(&mut nanos);
        print(&format!("{name:<26} {median:>7.0} ({min:.0}–{max:.0}) {:>8.1}", median / map));
    }
}

/// Nanoseconds of one lookup, in each way.
async fn measure(rounds: u64) -> [(&'static str, Vec<f64>); 3] {
    let cache_config = gristmill_cache::Config::default();
    let clock = Arc::new(SystemClock);
    let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
    let limits = Limits {
        cache_ops_max: u64::MAX,
        cache_bytes_max: u64::MAX,
        host_calls_max: u64::MAX,
        ..Limits::default()
    };
    let config = Config { slots: 1, limits, ..Config::default() };
    let shared = Arc::clone(&cache) as _;
    let runtime = Runtime::new(config, shared, cache_config.clone(), Arc::new(NoFollowUps), clock)
        .expect("an engine");
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-guests/cache-hits.wasm");
    let plugin = runtime.load_file(&path).await.expect("run `make plugins` first");
    let space = Space::Plugin(plugin.name().clone());
    let key = Key::new("wanted", &cache_config).expect("a key");
    let value = bytes::Bytes::from(vec![b'x'; VALUE_BYTES]);
    cache.set(&space, &key, value.clone(), SetOptions::default()).await.expect("it is stored");
    let map = moka::sync::Cache::new(u64::MAX);
    map.insert("wanted".to_owned(), value);

    let guest = async |hits: u32| {
        let name = plugin.name().clone();
        let job = NewJob::new(name, Payload::json(&serde_json::json!(hits)));
        let started = time::monotonic();
        let report = runtime.run(&plugin, a_first_attempt(Arc::new(job))).await;
        let took = started.elapsed();
        let used = report.expect("the host is well").usage.cache_ops.used;
        assert_eq!(used, u64::from(hits), "all of them are made");
        took
    };
    let mut measured =
        [("the map", Vec::new()), ("the cache", Vec::new()), ("a guest", Vec::new())];
    for _ in 0..rounds {
        let started = time::monotonic();
        (0..HITS).for_each(|_| assert!(map.get("wanted").is_some()));
        measured[0].1.push(each(started.elapsed()));
        let started = time::monotonic();
        for _ in 0..HITS {
            assert!(cache.get(&space, &key).await.expect("an answer").is_some());
        }
        measured[1].1.push(each(started.elapsed()));
        // What the attempt costs by itself is measured elsewhere.
        let without = guest(0).await;
        measured[2].1.push(each(guest(HITS).await.saturating_sub(without)));
    }
    measured
}

fn each(took: Duration) -> f64 {
    took.as_secs_f64() * 1e9 / f64::from(HITS)
}
