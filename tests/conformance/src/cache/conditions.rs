//! Writes that depend on what is there.

use std::sync::Arc;

use bytes::Bytes;
use gristmill_cache::{Condition, SetOptions, Version};
use tokio::task::JoinSet;

use super::fixture::{CacheFixture, key, seconds};

impl CacheFixture {
    async fn set_if(&self, text: &str, value: &'static str, condition: Condition) -> bool {
        let options = SetOptions { ttl: None, condition };
        self.cache.set(&self.space, &key(text), Bytes::from(value), options).await.unwrap()
    }

    async fn swap(&self, text: &str, expected: Option<Version>, value: &'static str) -> bool {
        let value = Bytes::from(value);
        self.cache.compare_and_set(&self.space, &key(text), expected, value, None).await.unwrap()
    }

    async fn version(&self, text: &str) -> Option<Version> {
        let entry = self.cache.get_entry(&self.space, &key(text)).await.unwrap();
        entry.map(|entry| entry.version)
    }
}

pub(super) async fn an_absent_entry_is_set_where_it_must_be_absent(c: CacheFixture) {
    assert!(c.set_if("k", "one", Condition::IfAbsent).await);
    assert!(!c.set_if("k", "two", Condition::IfAbsent).await);
    assert_eq!(c.get("k").await, Some(Bytes::from("one")));
    c.cache.delete(&c.space, &key("k")).await.unwrap();
    assert!(c.set_if("k", "three", Condition::IfAbsent).await);
}

pub(super) async fn a_present_entry_is_set_where_it_must_be_present(c: CacheFixture) {
    assert!(!c.set_if("k", "one", Condition::IfPresent).await);
    assert_eq!(c.get("k").await, None);
    c.set("k", "two").await;
    assert!(c.set_if("k", "three", Condition::IfPresent).await);
    assert_eq!(c.get("k").await, Some(Bytes::from("three")));
}

pub(super) async fn one_of_many_finds_the_entry_absent(c: CacheFixture) {
    let c = Arc::new(c);
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let c = Arc::clone(&c);
        tasks.spawn(async move { c.set_if("k", "mine", Condition::IfAbsent).await });
    }
    let set = tasks.join_all().await;
    assert_eq!(set.iter().filter(|set| **set).count(), 1);
}

pub(super) async fn an_entry_is_swapped_by_its_version_only(c: CacheFixture) {
    c.set("k", "one").await;
    let version = c.version("k").await;
    assert!(!c.swap("k", None, "two").await);
    assert!(!c.swap("k", Some(Version::of(b"another")), "two").await);
    assert_eq!(c.get("k").await, Some(Bytes::from("one")));
    assert!(c.swap("k", version, "two").await);
    assert!(!c.swap("k", version, "three").await);
    assert_eq!(c.get("k").await, Some(Bytes::from("two")));
}

pub(super) async fn a_missing_entry_is_swapped_by_no_version_only(c: CacheFixture) {
    assert!(!c.swap("k", Some(Version::of(b"")), "one").await);
    assert_eq!(c.get("k").await, None);
    assert!(c.swap("k", None, "one").await);
    assert_eq!(c.get("k").await, Some(Bytes::from("one")));
}

pub(super) async fn an_entry_changed_and_changed_back_has_its_old_version(c: CacheFixture) {
    c.set("k", "one").await;
    let version = c.version("k").await;
    c.set("k", "two").await;
    assert_ne!(c.version("k").await, version);
    c.set("k", "one").await;
    assert!(c.swap("k", version, "three").await);
}

pub(super) async fn a_swapped_entry_has_its_own_time_to_live(c: CacheFixture) {
    c.set_for("k", "one", seconds(60)).await;
    let expected = c.version("k").await;
    let (value, ttl) = (Bytes::from("two"), Some(seconds(5)));
    assert!(c.cache.compare_and_set(&c.space, &key("k"), expected, value, ttl).await.unwrap());
    assert_eq!(c.ttl("k").await, Some(seconds(5)));
    assert!(c.swap("k", c.version("k").await, "three").await);
    assert_eq!(c.ttl("k").await, None);
}

pub(super) async fn concurrent_swaps_lose_nothing(c: CacheFixture) {
    const TASKS: usize = 4;
    const SWAPS: usize = 50;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (cache, space) = (Arc::clone(&c.cache), c.space.clone());
        tasks.spawn(async move {
            let k = key("k");
            for swap in 0..SWAPS {
                loop {
                    let old = cache.get_entry(&space, &k).await.unwrap();
                    let (version, mut text) = match old {
                        Some(entry) => (Some(entry.version), entry.value.to_vec()),
                        None => (None, Vec::new()),
                    };
                    text.extend(format!("{task}:{swap} ").into_bytes());
                    let swapped =
                        cache.compare_and_set(&space, &k, version, text.into(), None).await;
                    if swapped.unwrap() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    tasks.join_all().await;
    let text = c.get("k").await.unwrap();
    assert_eq!(String::from_utf8(text.to_vec()).unwrap().split_whitespace().count(), TASKS * SWAPS);
}
