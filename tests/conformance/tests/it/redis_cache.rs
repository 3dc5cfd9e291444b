//! Caches on Redis servers of the test's own, on which a moment of a rule is a long time.
//!
//! The server's time can't be moved, and passes while a rule is checked. So every time to live is made
//! long enough that what a rule takes is nothing beside its shortest moment; and time is moved by
//! shortening what all keys have left.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_cache::redis::Options;
use gristmill_cache::{
    Cache, Config, Cursor, Entry, Error, Key, Lookup, Page, RedisCache, Reservation, SetOptions,
    Space, Stats, Version,
};
use gristmill_conformance::Time;
use gristmill_conformance::cache::CacheBackend;
use gristmill_job::{JobId, Timestamp};
use gristmill_test_redis::{Program, RedisServer, Setup};
use redis::aio::MultiplexedConnection;

/// A rule's millisecond is ten of the server's seconds.
const STRETCH: u32 = 10_000;

/// Lets the keys under a prefix have less time left.
const PASS: &str = "
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[2]) end
end";

/// Caches on a server that is there for one test; each has keys of its own.
pub(crate) struct Redis {
    name: &'static str,
    server: Option<RedisServer>,
}

impl Redis {
    /// A server of this program, if it is there.
    pub(crate) fn of(name: &'static str) -> Self {
        let program = Program::find(name);
        let server = program.map(|program| RedisServer::with(Setup::new().program(&program)));
        Self { name, server }
    }
}

#[async_trait]
impl CacheBackend for Redis {
    async fn open(&self, config: Config) -> (Arc<dyn Cache>, Arc<dyn Time>) {
        let url = self.server.as_ref().unwrap().url();
        let prefix = format!("test-{}", JobId::random());
        let client = redis::Client::open(url.as_str()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let options = Options { prefix: prefix.clone(), ..Options::default() };
        let cache = RedisCache::connect_with(url.parse().unwrap(), config, &options).await.unwrap();
        (Arc::new(Slow(cache)), Arc::new(Passing { connection, prefix }))
    }

    fn lacks(&self) -> Option<String> {
        let what = format!("there is no {}: run `make setup`", self.name);
        self.server.is_none().then_some(what)
    }

    fn lives(&self) -> u32 {
        40
    }
}

/// Time that passes for all keys of a cache at once.
struct Passing {
    connection: MultiplexedConnection,
    prefix: String,
}

#[async_trait]
impl Time for Passing {
    async fn now(&self) -> Timestamp {
        unimplemented!("no rule of caches asks for the time")
    }

    async fn advance(&self, by: Duration) {
        let millis = u64::try_from((by * STRETCH).as_millis()).unwrap();
        let mut pass = redis::cmd("EVAL");
        pass.arg(PASS).arg(0).arg(&self.prefix).arg(millis);
        pass.query_async::<redis::Value>(&mut self.connection.clone()).await.unwrap();
    }
}

/// A cache whose time is stretched.
struct Slow(RedisCache);

fn stretched(ttl: Option<Duration>) -> Option<Duration> {
    ttl.map(|ttl| ttl * STRETCH)
}

#[async_trait]
impl Cache for Slow {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Bytes>, Error> {
        self.0.get(space, key).await
    }

    async fn get_entry(&self, space: &Space, key: &Key) -> Result<Option<Entry>, Error> {
        let entry = self.0.get_entry(space, key).await?;
        // What has passed while the rule is checked is less than a moment of its own.
        let whole = |ttl: Duration| {
            Duration::from_millis(
                u64::try_from((ttl / STRETCH).as_micros()).unwrap().div_ceil(1_000),
            )
        };
        Ok(entry.map(|entry| Entry { ttl: entry.ttl.map(whole), ..entry }))
    }

    async fn exists(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        self.0.exists(space, key).await
    }

    async fn set(
        &self,
        space: &Space,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<bool, Error> {
        let options = SetOptions { ttl: stretched(options.ttl), ..options };
        self.0.set(space, key, value, options).await
    }

    async fn compare_and_set(
        &self,
        space: &Space,
        key: &Key,
        expected: Option<Version>,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.0.compare_and_set(space, key, expected, value, stretched(ttl)).await
    }

    async fn delete(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        self.0.delete(space, key).await
    }

    async fn touch(&self, space: &Space, key: &Key, ttl: Option<Duration>) -> Result<bool, Error> {
        self.0.touch(space, key, stretched(ttl)).await
    }

    async fn increment(
        &self,
        space: &Space,
        key: &Key,
        delta: i64,
        ttl: Option<Duration>,
    ) -> Result<i64, Error> {
        self.0.increment(space, key, delta, stretched(ttl)).await
    }

    async fn get_many(&self, space: &Space, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        self.0.get_many(space, keys).await
    }

    async fn set_many(
        &self,
        space: &Space,
        entries: Vec<(Key, Bytes)>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        self.0.set_many(space, entries, stretched(ttl)).await
    }

    async fn delete_many(&self, space: &Space, keys: &[Key]) -> Result<u64, Error> {
        self.0.delete_many(space, keys).await
    }

    async fn clear(&self, space: &Space, prefix: &str) -> Result<u64, Error> {
        self.0.clear(space, prefix).await
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &str,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.0.scan(space, prefix, cursor, limit).await
    }

    async fn get_or_reserve(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        wait: Duration,
    ) -> Result<Lookup, Error> {
        self.0.get_or_reserve(space, key, lease * STRETCH, wait).await
    }

    async fn fill(
        &self,
        reservation: Reservation,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.0.fill(reservation, value, stretched(ttl)).await
    }

    async fn release(&self, reservation: Reservation) -> Result<(), Error> {
        self.0.release(reservation).await
    }

    async fn stats(&self) -> Result<Stats, Error> {
        self.0.stats().await
    }
}
