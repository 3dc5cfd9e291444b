//! The cache on a Redis server that goes away and comes back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::redis::{ConnectError, Options};
use gristmill_cache::{Cache as _, Config, Error, Key, Lookup, RedisCache, SetOptions, Space};
use gristmill_test_redis::RedisServer;

/// Longer than any call may take with these options, and than a test's machine may pause.
const BOUND: Duration = Duration::from_secs(10);

async fn connect(url: &str) -> Result<RedisCache, ConnectError> {
    let options = Options {
        connect_patience: Duration::from_millis(300),
        answer_patience: Duration::from_millis(300),
        ..Options::default()
    };
    RedisCache::connect_with(url.parse().unwrap(), Config::default(), &options).await
}

fn space() -> Space {
    "plugin:echo".parse().unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text, &Config::default()).unwrap()
}

/// A call whose end is near.
async fn bounded<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, call).await.expect("the call hangs")
}

/// Every kind of call says that the cache is unavailable.
async fn expect_unavailable(cache: &RedisCache) {
    let (space, k) = (space(), key("k"));
    let value = || Bytes::from("v");
    let errors = [
        bounded(cache.get(&space, &k)).await.map(drop),
        bounded(cache.get_many(&space, &[key("k")])).await.map(drop),
        bounded(cache.set(&space, &k, value(), SetOptions::default())).await.map(drop),
        bounded(cache.increment(&space, &k, 1, None)).await.map(drop),
        bounded(cache.compare_and_set(&space, &k, None, value(), None)).await.map(drop),
        bounded(cache.clear(&space, "")).await.map(drop),
        bounded(cache.get_or_reserve(&space, &k, BOUND, BOUND)).await.map(drop),
        bounded(cache.stats()).await.map(drop),
    ];
    for error in errors {
        assert!(matches!(error, Err(Error::Unavailable(_))), "{error:?}");
    }
}

/// The connection is made anew by itself, which takes a moment.
async fn expect_available(cache: &RedisCache) {
    let (space, k) = (space(), key("k"));
    let set = async {
        while cache.set(&space, &k, "v".into(), SetOptions::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    bounded(set).await;
    assert_eq!(cache.get(&space, &k).await.unwrap(), Some(Bytes::from("v")));
}

#[tokio::test]
async fn a_server_that_hangs_makes_calls_end_in_time() {
    let server = RedisServer::start();
    let cache = connect(&server.url()).await.unwrap();
    expect_available(&cache).await;
    server.pause();
    expect_unavailable(&cache).await;
    server.resume();
    expect_available(&cache).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_found_again() {
    let mut server = RedisServer::start();
    let cache = connect(&server.url()).await.unwrap();
    server.kill();
    expect_unavailable(&cache).await;
    server.restart();
    expect_available(&cache).await;
}

#[tokio::test]
async fn two_processes_compute_a_value_once_and_hear_of_it() {
    let server = RedisServer::start();
    let (one, other) =
        (connect(&server.url()).await.unwrap(), connect(&server.url()).await.unwrap());
    let (space, k) = (space(), key("k"));
    let Lookup::Reserved(reservation) =
        one.get_or_reserve(&space, &k, BOUND, Duration::ZERO).await.unwrap()
    else {
        panic!("it was not reserved")
    };
    let fill = async {
        tokio::task::yield_now().await;
        one.fill(reservation, "value".into(), None).await.unwrap()
    };
    let look = other.get_or_reserve(&space, &k, BOUND, BOUND);
    let (found, filled) = bounded(async { tokio::join!(look, fill) }).await;
    assert!(filled);
    assert!(matches!(found.unwrap(), Lookup::Hit(value) if value == "value"));
}

#[tokio::test]
async fn a_foreign_schema_is_kept_away_from() {
    let server = RedisServer::start();
    server.command(&["SET", "gristmill:c:schema", "9"]).unwrap();
    let error = connect(&server.url()).await.unwrap_err();
    assert!(error.to_string().contains("of schema 9, and this version knows 1"), "{error}");
}
