//! What a cache says of itself.

use std::time::Duration;

use super::fixture::{CacheFixture, key, keys, seconds};

pub(super) async fn hits_and_misses_are_counted(c: CacheFixture) {
    c.set("k", "value").await;
    c.set_for("old", "value", seconds(1)).await;
    c.advance(seconds(1)).await;
    c.get("k").await;
    c.get("none").await;
    c.get("old").await;
    c.cache.get_entry(&c.space, &key("k")).await.unwrap();
    c.cache.get_many(&c.space, &keys(&["k", "none", "k"])).await.unwrap();
    c.look("k", Duration::ZERO).await;
    let reservation = c.reserve("none").await;
    c.look("none", Duration::ZERO).await;
    c.cache.release(reservation).await.unwrap();
    c.cache.exists(&c.space, &key("k")).await.unwrap();
    c.cache.exists(&c.space, &key("none")).await.unwrap();
    let stats = c.cache.stats().await.unwrap();
    assert_eq!((stats.hits, stats.misses), (5, 5));
}

pub(super) async fn entries_and_bytes_are_counted(c: CacheFixture) {
    let stats = c.cache.stats().await.unwrap();
    assert_eq!((stats.entries, stats.bytes), (0, 0));
    c.set("four", "12345678").await;
    c.set("k", "value").await;
    c.set("k", "v").await;
    let stats = c.cache.stats().await.unwrap();
    assert_eq!((stats.entries, stats.bytes), (2, 14));
    c.cache.delete(&c.space, &key("four")).await.unwrap();
    let stats = c.cache.stats().await.unwrap();
    assert_eq!((stats.entries, stats.bytes), (1, 2));
    c.cache.clear(&c.space, "").await.unwrap();
    assert_eq!(c.cache.stats().await.unwrap().entries, 0);
}

pub(super) async fn the_back_end_has_a_name(c: CacheFixture) {
    assert!(!c.cache.stats().await.unwrap().backend.is_empty());
}
