//! A cache that does without the one that was asked for until it is there.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Cache, Cursor, Entry, Error, Key, Lookup, Page, Reservation, SetOptions, Space, Stats, Version,
};

/// A cache that is a standby until [`FallbackCache::switch_to`], and the primary from then on. Nothing
/// is moved: what a cache forgets is computed again. A reservation of the standby is lost by then.
pub struct FallbackCache(RwLock<Arc<dyn Cache>>);

impl FallbackCache {
    /// A cache that is `standby` until it is told of a primary.
    #[must_use]
    pub fn new(standby: Arc<dyn Cache>) -> Self {
        Self(RwLock::new(standby))
    }

    /// Makes `primary` the cache from now on.
    pub fn switch_to(&self, primary: Arc<dyn Cache>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = primary;
    }

    fn active(&self) -> Arc<dyn Cache> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for FallbackCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackCache").finish_non_exhaustive()
    }
}

#[async_trait]
impl Cache for FallbackCache {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Bytes>, Error> {
        self.active().get(space, key).await
    }

    async fn get_entry(&self, space: &Space, key: &Key) -> Result<Option<Entry>, Error> {
        self.active().get_entry(space, key).await
    }

    async fn exists(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        self.active().exists(space, key).await
    }

    async fn set(
        &self,
        space: &Space,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<bool, Error> {
        self.active().set(space, key, value, options).await
    }

    async fn compare_and_set(
        &self,
        space: &Space,
        key: &Key,
        expected: Option<Version>,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.active().compare_and_set(space, key, expected, value, ttl).await
    }

    async fn delete(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        self.active().delete(space, key).await
    }

    async fn touch(&self, space: &Space, key: &Key, ttl: Option<Duration>) -> Result<bool, Error> {
        self.active().touch(space, key, ttl).await
    }

    async fn increment(
        &self,
        space: &Space,
        key: &Key,
        delta: i64,
        ttl: Option<Duration>,
    ) -> Result<i64, Error> {
        self.active().increment(space, key, delta, ttl).await
    }

    async fn get_many(&self, space: &Space, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        self.active().get_many(space, keys).await
    }

    async fn set_many(
        &self,
        space: &Space,
        entries: Vec<(Key, Bytes)>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        self.active().set_many(space, entries, ttl).await
    }

    async fn delete_many(&self, space: &Space, keys: &[Key]) -> Result<u64, Error> {
        self.active().delete_many(space, keys).await
    }

    async fn clear(&self, space: &Space, prefix: &str) -> Result<u64, Error> {
        self.active().clear(space, prefix).await
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &str,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.active().scan(space, prefix, cursor, limit).await
    }

    async fn get_or_reserve(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        wait: Duration,
    ) -> Result<Lookup, Error> {
        self.active().get_or_reserve(space, key, lease, wait).await
    }

    async fn fill(
        &self,
        reservation: Reservation,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.active().fill(reservation, value, ttl).await
    }

    async fn release(&self, reservation: Reservation) -> Result<(), Error> {
        self.active().release(reservation).await
    }

    async fn stats(&self) -> Result<Stats, Error> {
        self.active().stats().await
    }
}
