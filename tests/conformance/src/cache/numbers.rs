//! Counting.

use std::sync::Arc;

use bytes::Bytes;
use gristmill_cache::Error;
use tokio::task::JoinSet;

use super::fixture::{CacheFixture, key, seconds};

impl CacheFixture {
    async fn increment(&self, text: &str, delta: i64) -> Result<i64, Error> {
        self.cache.increment(&self.space, &key(text), delta, None).await
    }
}

pub(super) async fn a_number_starts_from_zero(c: CacheFixture) {
    assert_eq!(c.increment("k", 5).await.unwrap(), 5);
    assert_eq!(c.increment("k", -7).await.unwrap(), -2);
    assert_eq!(c.increment("k", 0).await.unwrap(), -2);
    assert_eq!(c.increment("zero", 0).await.unwrap(), 0);
    assert_eq!(c.get("zero").await, Some(Bytes::from("0")));
}

pub(super) async fn a_number_is_plain_text(c: CacheFixture) {
    c.set("k", "41").await;
    assert_eq!(c.increment("k", 1).await.unwrap(), 42);
    assert_eq!(c.get("k").await, Some(Bytes::from("42")));
    c.set("k", "-9").await;
    assert_eq!(c.increment("k", -1).await.unwrap(), -10);
}

pub(super) async fn what_is_no_number_stays_as_it_is(c: CacheFixture) {
    for text in ["", "x", "1.5", "+1", "01", "-0", " 1", "1 ", "1e3", "99999999999999999999"] {
        c.set("k", text).await;
        let error = c.increment("k", 1).await.unwrap_err();
        assert!(matches!(error, Error::NotANumber), "{text:?}: {error}");
        assert_eq!(c.get("k").await, Some(Bytes::from(text)));
    }
    c.set("k", vec![0xff, 0xfe]).await;
    assert!(matches!(c.increment("k", 1).await, Err(Error::NotANumber)));
}

pub(super) async fn a_sum_that_does_not_fit_changes_nothing(c: CacheFixture) {
    for (start, delta) in [(i64::MAX, 1), (i64::MIN, -1)] {
        c.set("k", start.to_string()).await;
        assert!(matches!(c.increment("k", delta).await, Err(Error::NotANumber)));
        assert_eq!(c.increment("k", 0).await.unwrap(), start);
    }
    c.set("k", i64::MIN.to_string()).await;
    assert_eq!(c.increment("k", i64::MAX).await.unwrap(), -1);
}

pub(super) async fn a_time_to_live_is_set_at_creation_only(c: CacheFixture) {
    let add = |ttl| {
        let (cache, space) = (&c.cache, &c.space);
        async move { cache.increment(space, &key("k"), 1, Some(seconds(ttl))).await.unwrap() }
    };
    assert_eq!(add(10).await, 1);
    c.advance(seconds(4)).await;
    assert_eq!(add(10).await, 2);
    assert_eq!(c.ttl("k").await, Some(seconds(6)));
    c.advance(seconds(6)).await;
    assert_eq!(add(10).await, 1, "a window of counting begins anew");
    c.set("k", "1").await;
    assert_eq!(add(10).await, 2);
    assert_eq!(c.ttl("k").await, None);
}

pub(super) async fn concurrent_increments_lose_nothing(c: CacheFixture) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (cache, space) = (Arc::clone(&c.cache), c.space.clone());
        tasks.spawn(async move {
            for _ in 0..250 {
                cache.increment(&space, &key("k"), 3, None).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(c.get("k").await, Some(Bytes::from("6000")));
}
