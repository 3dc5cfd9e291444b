//! `gristmill:job/cache`: a cache that outlives the attempt.
//!
//! The empty bucket is the plugin's own space; others need a grant. Keys and budgets are checked
//! here, above the back-ends.

use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{self as cache, Key, Lookup, Reservation, SetOptions, Space, Version};
use wasmtime::component::Resource;

use crate::bindings::cache::{Condition, Entry, Host, HostReservation, Lookup as WitLookup, Page};
use crate::bindings::types::Error;
use crate::log_book::cut;
use crate::state::State;

/// Keys of one page of a scan.
const SCAN_KEYS_MAX: u32 = 256;

type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// Ends a host call with the guest's error.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        }
    };
}

impl Host for State {
    async fn get(&mut self, bucket: String, key: String) -> Answer<Option<Vec<u8>>> {
        let (space, key) = attempt!(self.admit(&bucket, &key, 0)?);
        let found = attempt!(self.shared.cache.get(&space, &key).await.map_err(said));
        Ok(Ok(found.map(|value| self.found(value))))
    }

    async fn get_entry(&mut self, bucket: String, key: String) -> Answer<Option<Entry>> {
        let (space, key) = attempt!(self.admit(&bucket, &key, 0)?);
        let found = attempt!(self.shared.cache.get_entry(&space, &key).await.map_err(said));
        Ok(Ok(found.map(|entry| Entry {
            value: self.found(entry.value),
            version: entry.version.0,
            ttl: entry.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
        })))
    }

    async fn exists(&mut self, bucket: String, key: String) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, &key, 0)?);
        Ok(self.shared.cache.exists(&space, &key).await.map_err(said))
    }

    async fn set(
        &mut self,
        bucket: String,
        key: String,
        value: Vec<u8>,
        ttl: Option<u64>,
        condition: Condition,
    ) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, &key, value.len())?);
        let condition = match condition {
            Condition::Always => cache::Condition::Always,
            Condition::IfAbsent => cache::Condition::IfAbsent,
            Condition::IfPresent => cache::Condition::IfPresent,
        };
        let options = SetOptions { ttl: ttl.map(Duration::from_millis), condition };
        Ok(self.shared.cache.set(&space, &key, Bytes::from(value), options).await.map_err(said))
    }

    async fn compare_and_set(
        &mut self,
        bucket: String,
        key: String,
        version: Option<u64>,
        value: Vec<u8>,
        ttl: Option<u64>,
    ) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, &key, value.len())?);
        let (version, ttl) = (version.map(Version), ttl.map(Duration::from_millis));
        let cache = &self.shared.cache;
        let stored = cache.compare_and_set(&space, &key, version, Bytes::from(value), ttl).await;
        Ok(stored.map_err(said))
    }

    async fn delete(&mut self, bucket: String, key: String) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, &key, 0)?);
        Ok(self.shared.cache.delete(&space, &key).await.map_err(said))
    }

    async fn touch(&mut self, bucket: String, key: String, ttl: Option<u64>) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, &key, 0)?);
        let ttl = ttl.map(Duration::from_millis);
        Ok(self.shared.cache.touch(&space, &key, ttl).await.map_err(said))
    }

    async fn increment(
        &mut self,
        bucket: String,
        key: String,
        delta: i64,
        ttl_on_create: Option<u64>,
    ) -> Answer<i64> {
        let (space, key) = attempt!(self.admit(&bucket, &key, 0)?);
        let ttl = ttl_on_create.map(Duration::from_millis);
        Ok(self.shared.cache.increment(&space, &key, delta, ttl).await.map_err(said))
    }

    async fn get_many(
        &mut self,
        bucket: String,
        keys: Vec<String>,
    ) -> Answer<Vec<Option<Vec<u8>>>> {
        let (space, keys) = attempt!(self.admit_many(&bucket, &keys, 0)?);
        let found = attempt!(self.shared.cache.get_many(&space, &keys).await.map_err(said));
        let found = found.into_iter().map(|value| value.map(|value| self.found(value)));
        Ok(Ok(found.collect()))
    }

    async fn set_many(
        &mut self,
        bucket: String,
        entries: Vec<(String, Vec<u8>)>,
        ttl: Option<u64>,
    ) -> Answer<()> {
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let bytes = values.iter().map(Vec::len).sum();
        let (space, keys) = attempt!(self.admit_many(&bucket, &keys, bytes)?);
        let entries = keys.into_iter().zip(values.into_iter().map(Bytes::from)).collect();
        let ttl = ttl.map(Duration::from_millis);
        Ok(self.shared.cache.set_many(&space, entries, ttl).await.map_err(said))
    }

    async fn delete_many(&mut self, bucket: String, keys: Vec<String>) -> Answer<u64> {
        let (space, keys) = attempt!(self.admit_many(&bucket, &keys, 0)?);
        Ok(self.shared.cache.delete_many(&space, &keys).await.map_err(said))
    }

    async fn clear(&mut self, bucket: String, prefix: String) -> Answer<u64> {
        let space = attempt!(self.admit_prefix(&bucket, &prefix)?);
        Ok(self.shared.cache.clear(&space, &prefix).await.map_err(said))
    }

    async fn scan(
        &mut self,
        bucket: String,
        prefix: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Answer<Page> {
        let space = attempt!(self.admit_prefix(&bucket, &prefix)?);
        let limit = limit.clamp(1, SCAN_KEYS_MAX) as usize;
        let cursor = cursor.map(cache::Cursor);
        let page = self.shared.cache.scan(&space, &prefix, cursor, limit).await;
        let page = attempt!(page.map_err(said));
        self.budget.count_found(page.keys.iter().map(String::len).sum());
        Ok(Ok(Page { keys: page.keys, cursor: page.cursor.map(|cursor| cursor.0) }))
    }

    async fn get_or_reserve(
        &mut self,
        bucket: String,
        key: String,
        wait: u64,
    ) -> Answer<WitLookup> {
        let (space, key) = attempt!(self.admit(&bucket, &key, 0)?);
        // The reservation must not outlive the attempt that could fill it.
        let left = self.remaining();
        let wait = Duration::from_millis(wait).min(left);
        let lookup = self.shared.cache.get_or_reserve(&space, &key, left, wait).await;
        Ok(Ok(match attempt!(lookup.map_err(said)) {
            Lookup::Hit(value) => WitLookup::Hit(self.found(value)),
            Lookup::Busy => WitLookup::Busy,
            Lookup::Reserved(reservation) => {
                self.reservations.push(reservation.clone());
                WitLookup::Reserved(self.table.push(reservation)?)
            }
        }))
    }
}

impl HostReservation for State {
    async fn fill(
        &mut self,
        this: Resource<Reservation>,
        value: Vec<u8>,
        ttl: Option<u64>,
    ) -> Answer<bool> {
        self.count_host_call()?;
        let reservation = self.table.delete(this)?;
        let bytes = (reservation.key.as_str().len() + value.len()) as u64;
        // Left in the list, a refused reservation is released at the attempt's end.
        attempt!(self.budget.take_cache(&self.limits, 1, bytes));
        self.reservations.retain(|held| held.token != reservation.token);
        let (value, ttl) = (Bytes::from(value), ttl.map(Duration::from_millis));
        Ok(self.shared.cache.fill(reservation, value, ttl).await.map_err(said))
    }

    async fn drop(&mut self, this: Resource<Reservation>) -> wasmtime::Result<()> {
        let reservation = self.table.delete(this)?;
        self.reservations.retain(|held| held.token != reservation.token);
        // It ends with its lease where the back-end can't be reached now.
        let _ = self.shared.cache.release(reservation).await;
        Ok(())
    }
}

impl State {
    /// Gives up what the guest neither filled nor dropped, so that the next caller needn't wait for
    /// the lease's end.
    pub(crate) async fn release_reservations(&mut self) {
        for reservation in std::mem::take(&mut self.reservations) {
            // As above.
            let _ = self.shared.cache.release(reservation).await;
        }
    }

    fn space(&self, bucket: &str) -> Result<Space, Error> {
        if bucket.is_empty() {
            return Ok(Space::Plugin(self.plugin.name().clone()));
        }
        let bucket = cut(bucket, 128);
        Err(Error::AccessDenied(format!("the bucket {bucket:?} is not granted to this plugin")))
    }

    /// Counts a call on one key, and checks grant, key and budget.
    fn admit(&mut self, bucket: &str, key: &str, bytes: usize) -> Answer<(Space, Key)> {
        self.count_host_call()?;
        let space = attempt!(self.space(bucket));
        let key = attempt!(Key::new(key, &self.shared.cache_config).map_err(said));
        let bytes = (key.as_str().len() + bytes) as u64;
        attempt!(self.budget.take_cache(&self.limits, 1, bytes));
        Ok(Ok((space, key)))
    }

    fn admit_many(
        &mut self,
        bucket: &str,
        keys: &[String],
        bytes: usize,
    ) -> Answer<(Space, Vec<Key>)> {
        self.count_host_call()?;
        let space = attempt!(self.space(bucket));
        let config = &self.shared.cache_config;
        if keys.len() > config.batch_items_max {
            let too_many = cache::Error::TooMany { items: keys.len(), max: config.batch_items_max };
            return Ok(Err(said(too_many)));
        }
        let parsed: Result<Vec<Key>, _> = keys.iter().map(|key| Key::new(key, config)).collect();
        let parsed = attempt!(parsed.map_err(said));
        let bytes = (keys.iter().map(String::len).sum::<usize>() + bytes) as u64;
        attempt!(self.budget.take_cache(&self.limits, parsed.len() as u64, bytes));
        Ok(Ok((space, parsed)))
    }

    fn admit_prefix(&mut self, bucket: &str, prefix: &str) -> Answer<Space> {
        self.count_host_call()?;
        let space = attempt!(self.space(bucket));
        attempt!(self.budget.take_cache(&self.limits, 1, prefix.len() as u64));
        Ok(Ok(space))
    }

    fn found(&mut self, value: Bytes) -> Vec<u8> {
        self.budget.count_found(value.len());
        value.into()
    }
}

/// The cache's error in the guest's words.
fn said(error: cache::Error) -> Error {
    match error {
        cache::Error::TooLarge { max, .. } => Error::TooLarge(max as u64),
        cache::Error::InvalidKey { .. }
        | cache::Error::TooMany { .. }
        | cache::Error::NotANumber => Error::Invalid(error.to_string()),
        cache::Error::Unavailable(why) => Error::Unavailable(format!("the cache: {why:#}")),
    }
}
