//! What is the memory cache's alone; the rules of every cache are in `tests/conformance`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gristmill_job::{Clock, Timestamp};

use super::MemoryCache;
use crate::common::locked;
use crate::{Cache, Config, Key, Lookup, SetOptions, Space};

/// A clock that goes wherever it is set.
#[derive(Default)]
struct Swing(AtomicU64);

impl Clock for Swing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Swing {
    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::Relaxed);
    }
}

fn a_cache(memory_bytes_max: u64) -> (MemoryCache, Arc<Swing>) {
    let clock = Arc::<Swing>::default();
    let config = Config { memory_bytes_max, ..Config::default() };
    (MemoryCache::new(config, Arc::clone(&clock) as _), clock)
}

fn space() -> Space {
    Space::Bucket("default".parse().unwrap())
}

fn key(text: &str) -> Key {
    Key::new(text, &Config::default()).unwrap()
}

async fn set(cache: &MemoryCache, text: &str, value: Vec<u8>, ttl: Option<Duration>) {
    let options = SetOptions { ttl, ..SetOptions::default() };
    cache.set(&space(), &key(text), value.into(), options).await.unwrap();
}

async fn get(cache: &MemoryCache, text: &str) -> Option<Bytes> {
    cache.get(&space(), &key(text)).await.unwrap()
}

#[tokio::test]
async fn bytes_are_bounded_and_the_least_recently_used_go() {
    const MAX: u64 = 1 << 20;
    let (cache, _) = a_cache(MAX);
    set(&cache, "used", vec![0; 1_000], None).await;
    for i in 0..2_000 {
        set(&cache, &format!("k{i}"), vec![0; 10_000], None).await;
        get(&cache, "used").await.unwrap();
    }
    let stats = cache.stats().await.unwrap();
    assert!(stats.bytes <= MAX, "{}", stats.bytes);
    assert!(stats.bytes > MAX / 2, "{}", stats.bytes);
    assert!(get(&cache, "used").await.is_some());
    assert!(get(&cache, "k1999").await.is_some(), "what was just written is there");
    assert!(get(&cache, "k0").await.is_none());
}

#[tokio::test]
async fn values_of_no_bytes_are_bounded_too() {
    let (cache, _) = a_cache(1 << 20);
    for i in 0..10_000 {
        set(&cache, &format!("k{i}"), Vec::new(), None).await;
    }
    let entries = cache.stats().await.unwrap().entries;
    assert!((1_000..=2_048).contains(&entries), "{entries}");
}

#[tokio::test]
async fn a_scan_passes_over_what_was_evicted() {
    let (cache, _) = a_cache(1 << 20);
    for i in 0..1_000 {
        set(&cache, &format!("k{i}"), vec![0; 10_000], None).await;
    }
    let entries = cache.stats().await.unwrap().entries;
    let (mut found, mut cursor) = (0, None);
    loop {
        let page = cache.scan(&space(), "", cursor, 100).await.unwrap();
        found += page.keys.len() as u64;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, entries);
    assert_eq!(cache.clear(&space(), "").await.unwrap(), entries);
}

#[tokio::test]
async fn writes_sweep_what_is_expired() {
    let (cache, clock) = a_cache(1 << 20);
    for i in 0..100 {
        set(&cache, &format!("old{i}"), Vec::new(), Some(Duration::from_secs(1))).await;
    }
    clock.set(1_000);
    for i in 0..100 {
        set(&cache, &format!("new{i}"), Vec::new(), None).await;
    }
    assert_eq!(cache.stats().await.unwrap().entries, 100);
}

#[tokio::test]
async fn time_does_not_go_back_with_the_clock() {
    let (cache, clock) = a_cache(1 << 20);
    set(&cache, "k", vec![1], Some(Duration::from_secs(1))).await;
    clock.set(1_000);
    assert!(get(&cache, "k").await.is_none());
    clock.set(0);
    assert!(get(&cache, "k").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_waiter_takes_a_reservation_over_whose_lease_ends() {
    let (cache, clock) = a_cache(1 << 20);
    let (space, k) = (space(), key("k"));
    let lease = Duration::from_secs(20);
    cache.get_or_reserve(&space, &k, lease, Duration::ZERO).await.unwrap();
    let wait = cache.get_or_reserve(&space, &k, lease, Duration::from_secs(60));
    let pass = async { clock.set(20_000) };
    let (taken, ()) = tokio::join!(wait, pass);
    assert!(matches!(taken.unwrap(), Lookup::Reserved(_)));
}

#[tokio::test]
async fn abandoned_reservations_are_forgotten() {
    let (cache, clock) = a_cache(1 << 20);
    let lease = Duration::from_secs(1);
    for i in 0..100 {
        clock.set(i * 2_000);
        let lookup =
            cache.get_or_reserve(&space(), &key(&format!("k{i}")), lease, Duration::ZERO).await;
        assert!(matches!(lookup.unwrap(), Lookup::Reserved(_)));
    }
    assert_eq!(locked(&cache.flights).len(), 1);
}
