//! What goes in comes out.

use bytes::Bytes;
use gristmill_cache::{Config, Error, Key, SetOptions, Space, Version};

use super::fixture::{CacheFixture, a_space, key, seconds};

pub(super) async fn a_value_that_was_set_is_found(c: CacheFixture) {
    c.set("k", "value").await;
    assert_eq!(c.get("k").await, Some(Bytes::from("value")));
    assert!(c.cache.exists(&c.space, &key("k")).await.unwrap());
}

pub(super) async fn a_missing_key_has_no_value(c: CacheFixture) {
    assert_eq!(c.get("k").await, None);
    assert_eq!(c.cache.get_entry(&c.space, &key("k")).await.unwrap(), None);
    assert!(!c.cache.exists(&c.space, &key("k")).await.unwrap());
    assert!(!c.cache.delete(&c.space, &key("k")).await.unwrap());
    assert!(!c.cache.touch(&c.space, &key("k"), None).await.unwrap());
}

pub(super) async fn a_value_is_replaced(c: CacheFixture) {
    c.set("k", "one").await;
    c.set("k", "").await;
    assert_eq!(c.get("k").await, Some(Bytes::new()));
    c.set("k", "three").await;
    assert_eq!(c.get("k").await, Some(Bytes::from("three")));
}

pub(super) async fn a_deleted_entry_is_gone(c: CacheFixture) {
    c.set("k", "value").await;
    c.set("kk", "other").await;
    assert!(c.cache.delete(&c.space, &key("k")).await.unwrap());
    assert!(!c.cache.delete(&c.space, &key("k")).await.unwrap());
    assert_eq!(c.get("k").await, None);
    assert_eq!(c.get("kk").await, Some(Bytes::from("other")));
}

pub(super) async fn any_bytes_are_kept(c: CacheFixture) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for value in [vec![], every_byte, b"\r\n$-1\r\n".to_vec(), vec![0; 1 << 20]] {
        c.set("k", value.clone()).await;
        assert_eq!(c.get("k").await, Some(Bytes::from(value)));
    }
}

pub(super) async fn any_text_is_a_key(c: CacheFixture) {
    let long = "x".repeat(512);
    let texts =
        ["a b", "a*", "a?", "[ab]", "a\\*", "a:b", "{a}", "\r\n", "\u{0}", "ключ", "🔑", &long];
    for text in texts {
        c.set(text, text.to_owned()).await;
    }
    for text in texts {
        assert_eq!(c.get(text).await, Some(Bytes::from(text.to_owned())), "{text:?}");
    }
    assert_eq!(c.cache.stats().await.unwrap().entries, texts.len() as u64);
}

pub(super) async fn a_key_is_neither_empty_nor_long(c: CacheFixture) {
    let config = Config { key_bytes_max: 4, ..Config::default() };
    for (text, bytes) in [("", 0), ("12345", 5), ("ключ", 8)] {
        let error = Key::new(text, &config).unwrap_err();
        assert!(matches!(error, Error::InvalidKey { bytes: b, max: 4 } if b == bytes), "{error}");
    }
    let longest = Key::new("1234", &config).unwrap();
    c.cache.set(&c.space, &longest, Bytes::new(), SetOptions::default()).await.unwrap();
}

pub(super) async fn a_value_above_its_bound_is_refused(c: CacheFixture) {
    let c = c.with(|config| config.value_bytes_max = 3).await;
    c.set("k", "old").await;
    let (space, name, large) = (&c.space, &key("k"), || Bytes::from("1234"));
    let errors = [
        c.cache.set(space, name, large(), SetOptions::default()).await.unwrap_err(),
        c.cache
            .compare_and_set(space, name, Some(Version::of(b"old")), large(), None)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::TooLarge { bytes: 4, max: 3 }), "{error}");
    }
    assert_eq!(c.get("k").await, Some(Bytes::from("old")));
}

pub(super) async fn spaces_do_not_see_each_other(c: CacheFixture) {
    let spaces = [
        a_space("a"),
        a_space("ab"),
        Space::Bucket("a".parse().unwrap()),
        Space::Bucket("plugin-a".parse().unwrap()),
    ];
    let (k, longer) = (key("k"), key("b:k"));
    for (i, space) in spaces.iter().enumerate() {
        let value = Bytes::from(i.to_string());
        c.cache.set(space, &k, value.clone(), SetOptions::default()).await.unwrap();
        c.cache.set(space, &longer, value, SetOptions::default()).await.unwrap();
    }
    for (i, space) in spaces.iter().enumerate() {
        let value = c.cache.get(space, &k).await.unwrap();
        assert_eq!(value, Some(Bytes::from(i.to_string())), "{space}");
    }
    assert_eq!(c.cache.clear(&spaces[0], "").await.unwrap(), 2);
    assert!(!c.cache.delete(&spaces[0], &k).await.unwrap());
    for space in &spaces[1..] {
        assert!(c.cache.exists(space, &k).await.unwrap(), "{space}");
        assert_eq!(c.cache.scan(space, "", None, 9).await.unwrap().keys.len(), 2, "{space}");
    }
}

pub(super) async fn an_entry_shows_its_version_and_time_to_live(c: CacheFixture) {
    c.set("k", "value").await;
    let entry = c.cache.get_entry(&c.space, &key("k")).await.unwrap().unwrap();
    assert_eq!((entry.value, entry.ttl), (Bytes::from("value"), None));
    // The first 52 bits of the SHA-1 of `value`, the same on every back-end and machine.
    assert_eq!(entry.version, Version(0x000f_32b6_7c7e_2634));
    c.set_for("k", "value", seconds(9)).await;
    c.advance(seconds(2)).await;
    let entry = c.cache.get_entry(&c.space, &key("k")).await.unwrap().unwrap();
    assert_eq!((entry.version, entry.ttl), (Version::of(b"value"), Some(seconds(7))));
}
