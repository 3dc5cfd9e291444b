//! Keys by prefix.

use std::collections::BTreeSet;

use gristmill_cache::{Cursor, SetOptions};

use super::fixture::{CacheFixture, a_space, key, seconds};

impl CacheFixture {
    async fn set_all(&self, texts: &[&str]) {
        for text in texts {
            self.set(text, "value").await;
        }
    }

    async fn clear(&self, prefix: &str) -> u64 {
        self.cache.clear(&self.space, prefix).await.unwrap()
    }

    /// All keys with a prefix, from all pages of this size.
    async fn scan(&self, prefix: &str, limit: usize) -> BTreeSet<String> {
        self.scan_from(prefix, None, limit).await
    }

    async fn scan_from(
        &self,
        prefix: &str,
        mut cursor: Option<Cursor>,
        limit: usize,
    ) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for _ in 0..10_000 {
            let page = self.cache.scan(&self.space, prefix, cursor, limit).await.unwrap();
            found.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                return found;
            }
        }
        panic!("the scan has no end");
    }
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) async fn a_clear_takes_its_prefix_and_nothing_else(c: CacheFixture) {
    c.set_all(&["user:1", "user:2", "user", "users:1", "vuser:1", "User:1", "user:"]).await;
    assert_eq!(c.clear("user:").await, 3);
    assert_eq!(c.scan("", 9).await, set(&["user", "users:1", "vuser:1", "User:1"]));
    assert_eq!(c.clear("user:").await, 0);
    assert_eq!(c.clear("nobody").await, 0);
}

pub(super) async fn a_prefix_is_no_pattern(c: CacheFixture) {
    c.set_all(&["a*c", "abc", "a?d", "axd", "[ab]", "a", "b", "\\*", "*", "x"]).await;
    assert_eq!(c.scan("a*", 9).await, set(&["a*c"]));
    assert_eq!(c.scan("a?", 9).await, set(&["a?d"]));
    assert_eq!(c.scan("[ab", 9).await, set(&["[ab]"]));
    assert_eq!(c.clear("*").await, 1);
    assert_eq!(c.clear("\\").await, 1);
    assert_eq!(c.clear("a?").await, 1);
    assert_eq!(c.clear("[ab]").await, 1);
    assert_eq!(c.scan("", 9).await, set(&["a*c", "abc", "axd", "a", "b", "x"]));
}

pub(super) async fn an_empty_prefix_clears_one_space(c: CacheFixture) {
    c.set_all(&["a", "b"]).await;
    let other = a_space("other");
    c.cache.set(&other, &key("a"), "value".into(), SetOptions::default()).await.unwrap();
    assert_eq!(c.clear("").await, 2);
    assert_eq!(c.scan("", 9).await, set(&[]));
    assert!(c.cache.exists(&other, &key("a")).await.unwrap());
}

pub(super) async fn a_clear_of_many_keys_counts_them_all(c: CacheFixture) {
    for i in 0..1_500 {
        c.set(&format!("many:{i}"), "value").await;
    }
    c.set("one", "value").await;
    assert_eq!(c.clear("many:").await, 1_500);
    assert_eq!(c.scan("", 9).await, set(&["one"]));
}

pub(super) async fn a_scan_finds_every_key(c: CacheFixture) {
    let texts: Vec<String> = (0..100).map(|i| format!("key:{i}")).collect();
    for text in &texts {
        c.set(text, "value").await;
    }
    c.set("other", "value").await;
    let expected: BTreeSet<String> = texts.into_iter().collect();
    for limit in [1, 7, 100, 250] {
        assert_eq!(c.scan("key:", limit).await, expected, "by {limit}");
    }
    assert_eq!(c.scan("key:1", 3).await.len(), 11);
    assert_eq!(c.scan("none", 3).await, set(&[]));
}

pub(super) async fn a_page_of_keys_is_bounded(c: CacheFixture) {
    let c = c.with(|config| config.batch_items_max = 4).await;
    c.set_all(&["1", "2", "3", "4", "5", "6"]).await;
    for limit in [3, usize::MAX] {
        let page = c.cache.scan(&c.space, "", None, limit).await.unwrap();
        assert!(page.keys.len() <= limit.min(4), "{}", page.keys.len());
        assert!(page.cursor.is_some());
    }
    assert_eq!(c.scan("", usize::MAX).await.len(), 6);
}

pub(super) async fn a_scan_finds_what_stays_while_others_come_and_go(c: CacheFixture) {
    let stays: Vec<String> = (0..50).map(|i| format!("stays:{i}")).collect();
    for (i, text) in stays.iter().enumerate() {
        c.set(text, "value").await;
        c.set_for(&format!("s{i}"), "goes", seconds(5)).await;
    }
    let page = c.cache.scan(&c.space, "", None, 10).await.unwrap();
    for i in 0..50 {
        c.set(&format!("came:{i}"), "value").await;
        c.set(&format!("z:{i}"), "value").await;
    }
    c.advance(seconds(5)).await;
    let mut found: BTreeSet<String> = page.keys.into_iter().collect();
    found.extend(c.scan_from("", page.cursor, 10).await);
    let missed: Vec<&String> = stays.iter().filter(|text| !found.contains(*text)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
