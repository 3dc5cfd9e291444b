//! Many keys in one call.

use bytes::Bytes;
use gristmill_cache::{Error, Key};

use super::fixture::{CacheFixture, key, keys, seconds};

fn entries(pairs: &[(&str, &'static str)]) -> Vec<(Key, Bytes)> {
    pairs.iter().map(|(text, value)| (key(text), Bytes::from(*value))).collect()
}

pub(super) async fn values_come_in_the_order_of_their_keys(c: CacheFixture) {
    c.set("a", "1").await;
    c.set("c", "3").await;
    let values = c.cache.get_many(&c.space, &keys(&["c", "b", "a", "c"])).await.unwrap();
    let expected = [Some("3"), None, Some("1"), Some("3")].map(|value| value.map(Bytes::from));
    assert_eq!(values, expected);
}

pub(super) async fn many_entries_are_set_at_once(c: CacheFixture) {
    c.set("a", "old").await;
    let batch = entries(&[("a", "1"), ("b", "2"), ("a", "3")]);
    c.cache.set_many(&c.space, batch, Some(seconds(5))).await.unwrap();
    assert_eq!(c.get("a").await, Some(Bytes::from("3")), "the last one counts");
    assert_eq!(c.get("b").await, Some(Bytes::from("2")));
    assert_eq!(c.ttl("b").await, Some(seconds(5)));
    c.advance(seconds(5)).await;
    assert_eq!(c.get("a").await, None);
    c.cache.set_many(&c.space, entries(&[("a", "1")]), None).await.unwrap();
    assert_eq!(c.ttl("a").await, None);
}

pub(super) async fn one_value_too_large_keeps_all_others_out(c: CacheFixture) {
    let c = c.with(|config| config.value_bytes_max = 3).await;
    let batch = entries(&[("a", "1"), ("b", "1234"), ("c", "3")]);
    let error = c.cache.set_many(&c.space, batch, None).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { bytes: 4, max: 3 }), "{error}");
    let values = c.cache.get_many(&c.space, &keys(&["a", "b", "c"])).await.unwrap();
    assert_eq!(values, [None, None, None]);
}

pub(super) async fn many_deletes_count_what_was_there(c: CacheFixture) {
    for k in ["a", "b", "c"] {
        c.set(k, "value").await;
    }
    let deleted = c.cache.delete_many(&c.space, &keys(&["a", "x", "c", "a"])).await.unwrap();
    assert_eq!(deleted, 2);
    assert_eq!(c.get("a").await, None);
    assert_eq!(c.get("b").await, Some(Bytes::from("value")));
}

pub(super) async fn batches_above_their_bound_are_refused_whole(c: CacheFixture) {
    let c = c.with(|config| config.batch_items_max = 2).await;
    c.set("a", "old").await;
    let (three, space) = (keys(&["a", "b", "c"]), &c.space);
    let batch = entries(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let errors = [
        c.cache.get_many(space, &three).await.unwrap_err(),
        c.cache.set_many(space, batch, None).await.unwrap_err(),
        c.cache.delete_many(space, &three).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::TooMany { items: 3, max: 2 }), "{error}");
    }
    assert_eq!(c.get("a").await, Some(Bytes::from("old")));
    assert_eq!(c.get("b").await, None);
    assert_eq!(c.cache.get_many(space, &three[..2]).await.unwrap().len(), 2);
}

pub(super) async fn empty_batches_are_no_fault(c: CacheFixture) {
    assert_eq!(c.cache.get_many(&c.space, &[]).await.unwrap(), Vec::<Option<Bytes>>::new());
    c.cache.set_many(&c.space, Vec::new(), None).await.unwrap();
    assert_eq!(c.cache.delete_many(&c.space, &[]).await.unwrap(), 0);
}
