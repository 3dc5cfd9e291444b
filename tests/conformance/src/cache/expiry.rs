//! Entries whose time is over.

use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{Condition, Lookup, SetOptions, Version};

use super::fixture::{CacheFixture, MILLISECOND, key, keys, seconds};

pub(super) async fn an_entry_stays_until_its_very_end(c: CacheFixture) {
    c.set_for("k", "value", seconds(5)).await;
    c.advance(seconds(5) - MILLISECOND).await;
    assert_eq!(c.get("k").await, Some(Bytes::from("value")));
    assert_eq!(c.ttl("k").await, Some(MILLISECOND));
    c.advance(MILLISECOND).await;
    assert_eq!(c.get("k").await, None);
}

pub(super) async fn an_expired_entry_is_hidden_from_everything(c: CacheFixture) {
    // More than one write tidies up.
    for i in 0..40 {
        c.set_for(&format!("old:{i}"), "value", seconds(5)).await;
    }
    c.set("old:stays", "value").await;
    c.advance(seconds(5)).await;
    let (space, old) = (&c.space, &key("old:1"));
    assert_eq!(c.cache.get_entry(space, old).await.unwrap(), None);
    assert!(!c.cache.exists(space, old).await.unwrap());
    let values = c.cache.get_many(space, &keys(&["old:2", "old:stays"])).await.unwrap();
    assert_eq!(values, [None, Some(Bytes::from("value"))]);
    assert!(!c.cache.delete(space, old).await.unwrap());
    assert!(!c.cache.touch(space, &key("old:3"), None).await.unwrap());
    assert_eq!(c.get("old:3").await, None, "a touch doesn't bring it back");
    assert_eq!(c.cache.delete_many(space, &keys(&["old:4"])).await.unwrap(), 0);
    let page = c.cache.scan(space, "old:", None, 100).await.unwrap();
    assert_eq!(page.keys, ["old:stays"]);
    assert_eq!(c.cache.clear(space, "old:").await.unwrap(), 1);
}

pub(super) async fn an_expired_entry_counts_as_absent(c: CacheFixture) {
    for k in ["absent", "present", "swap", "number", "flight"] {
        c.set_for(k, "7", seconds(1)).await;
    }
    c.advance(seconds(1)).await;
    let new = || Bytes::from("new");
    let set = |text, condition| {
        let options = SetOptions { ttl: None, condition };
        let (cache, space) = (&c.cache, &c.space);
        async move { cache.set(space, &key(text), new(), options).await.unwrap() }
    };
    assert!(set("absent", Condition::IfAbsent).await);
    assert!(!set("present", Condition::IfPresent).await);
    let (space, swap) = (&c.space, &key("swap"));
    let old = Some(Version::of(b"7"));
    assert!(!c.cache.compare_and_set(space, swap, old, new(), None).await.unwrap());
    assert!(c.cache.compare_and_set(space, swap, None, new(), None).await.unwrap());
    assert_eq!(c.cache.increment(space, &key("number"), 1, None).await.unwrap(), 1);
    assert!(matches!(c.look("flight", Duration::ZERO).await, Lookup::Reserved(_)));
}

pub(super) async fn a_time_to_live_of_nothing_stores_nothing(c: CacheFixture) {
    c.set("k", "old").await;
    c.set_for("k", "new", Duration::ZERO).await;
    assert_eq!(c.get("k").await, None);
}

pub(super) async fn a_replaced_entry_forgets_its_time_to_live(c: CacheFixture) {
    c.set_for("k", "old", seconds(1)).await;
    c.set("k", "new").await;
    assert_eq!(c.ttl("k").await, None);
    c.advance(seconds(100_000)).await;
    c.set("other", "write").await;
    assert_eq!(c.get("k").await, Some(Bytes::from("new")));
    c.set_for("k", "newer", seconds(1)).await;
    c.advance(seconds(1)).await;
    assert_eq!(c.get("k").await, None);
}

pub(super) async fn a_touched_entry_has_a_new_time_to_live(c: CacheFixture) {
    c.set_for("k", "value", seconds(5)).await;
    assert!(c.cache.touch(&c.space, &key("k"), Some(seconds(60))).await.unwrap());
    c.advance(seconds(50)).await;
    assert_eq!(c.ttl("k").await, Some(seconds(10)));
    assert!(c.cache.touch(&c.space, &key("k"), None).await.unwrap());
    c.advance(seconds(100_000)).await;
    assert_eq!(c.ttl("k").await, None);
    assert!(c.cache.touch(&c.space, &key("k"), Some(Duration::ZERO)).await.unwrap());
    assert_eq!(c.get("k").await, None);
}

pub(super) async fn a_touch_keeps_the_value(c: CacheFixture) {
    c.set("k", vec![0, 1, 255]).await;
    assert!(c.cache.touch(&c.space, &key("k"), Some(seconds(1))).await.unwrap());
    assert_eq!(c.get("k").await, Some(Bytes::from(vec![0, 1, 255])));
}
