//! `gristmill:job/cache`: a cache that outlives the attempt.
//!
//! Whether a call may be made is decided by `admission.rs`, before it reaches a back-end.

use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{self as cache, Lookup, Reservation, SetOptions, Version};
use tracing::instrument;
use wasmtime::component::Resource;

use crate::bindings::cache::{Condition, Entry, Host, HostReservation, Lookup as WitLookup, Page};
use crate::bindings::types::Error;
use crate::capabilities::admission::{Answer, attempt};
use crate::grants::Access::{ReadOnly, ReadWrite};
use crate::state::State;

/// Keys of one page of a scan.
pub(super) const SCAN_KEYS_MAX: u32 = 256;

/// How long giving back what a guest left reserved may take, all together: of reservations it may
/// have a thousand, and those that are left end with their leases.
const RELEASE_TIME_MAX: Duration = Duration::from_secs(1);

impl Host for State {
    #[instrument(level = "trace", name = "cache.get", skip_all)]
    async fn get(&mut self, bucket: String, key: String) -> Answer<Option<Vec<u8>>> {
        let (space, key) = attempt!(self.admit(&bucket, ReadOnly, &key, 0)?);
        let found = attempt!(self.shared.cache.get(&space, &key).await.map_err(said));
        Ok(Ok(found.map(|value| self.found(value))))
    }

    #[instrument(level = "trace", name = "cache.get-entry", skip_all)]
    async fn get_entry(&mut self, bucket: String, key: String) -> Answer<Option<Entry>> {
        let (space, key) = attempt!(self.admit(&bucket, ReadOnly, &key, 0)?);
        let found = attempt!(self.shared.cache.get_entry(&space, &key).await.map_err(said));
        Ok(Ok(found.map(|entry| Entry {
            value: self.found(entry.value),
            version: entry.version.0,
            ttl: entry.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
        })))
    }

    #[instrument(level = "trace", name = "cache.exists", skip_all)]
    async fn exists(&mut self, bucket: String, key: String) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, ReadOnly, &key, 0)?);
        Ok(self.shared.cache.exists(&space, &key).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.set", skip_all)]
    async fn set(
        &mut self,
        bucket: String,
        key: String,
        value: Vec<u8>,
        ttl: Option<u64>,
        condition: Condition,
    ) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, ReadWrite, &key, value.len())?);
        let condition = match condition {
            Condition::Always => cache::Condition::Always,
            Condition::IfAbsent => cache::Condition::IfAbsent,
            Condition::IfPresent => cache::Condition::IfPresent,
        };
        let options = SetOptions { ttl: ttl.map(Duration::from_millis), condition };
        Ok(self.shared.cache.set(&space, &key, Bytes::from(value), options).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.compare-and-set", skip_all)]
    async fn compare_and_set(
        &mut self,
        bucket: String,
        key: String,
        version: Option<u64>,
        value: Vec<u8>,
        ttl: Option<u64>,
    ) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, ReadWrite, &key, value.len())?);
        let (version, ttl) = (version.map(Version), ttl.map(Duration::from_millis));
        let cache = &self.shared.cache;
        let stored = cache.compare_and_set(&space, &key, version, Bytes::from(value), ttl).await;
        Ok(stored.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.delete", skip_all)]
    async fn delete(&mut self, bucket: String, key: String) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, ReadWrite, &key, 0)?);
        Ok(self.shared.cache.delete(&space, &key).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.touch", skip_all)]
    async fn touch(&mut self, bucket: String, key: String, ttl: Option<u64>) -> Answer<bool> {
        let (space, key) = attempt!(self.admit(&bucket, ReadWrite, &key, 0)?);
        let ttl = ttl.map(Duration::from_millis);
        Ok(self.shared.cache.touch(&space, &key, ttl).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.increment", skip_all)]
    async fn increment(
        &mut self,
        bucket: String,
        key: String,
        delta: i64,
        ttl_on_create: Option<u64>,
    ) -> Answer<i64> {
        let (space, key) = attempt!(self.admit(&bucket, ReadWrite, &key, 0)?);
        let ttl = ttl_on_create.map(Duration::from_millis);
        Ok(self.shared.cache.increment(&space, &key, delta, ttl).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.get-many", skip_all)]
    async fn get_many(
        &mut self,
        bucket: String,
        keys: Vec<String>,
    ) -> Answer<Vec<Option<Vec<u8>>>> {
        let (space, keys) = attempt!(self.admit_many(&bucket, ReadOnly, &keys, 0)?);
        let found = attempt!(self.shared.cache.get_many(&space, &keys).await.map_err(said));
        // A batch of large values is more memory than one attempt may make the host copy.
        let bytes = found.iter().flatten().map(Bytes::len).sum::<usize>() as u64;
        attempt!(self.budget.take_cache(&self.limits, 0, bytes));
        Ok(Ok(found.into_iter().map(|value| value.map(Vec::from)).collect()))
    }

    #[instrument(level = "trace", name = "cache.set-many", skip_all)]
    async fn set_many(
        &mut self,
        bucket: String,
        entries: Vec<(String, Vec<u8>)>,
        ttl: Option<u64>,
    ) -> Answer<()> {
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let bytes = values.iter().map(Vec::len).sum();
        let (space, keys) = attempt!(self.admit_many(&bucket, ReadWrite, &keys, bytes)?);
        let entries = keys.into_iter().zip(values.into_iter().map(Bytes::from)).collect();
        let ttl = ttl.map(Duration::from_millis);
        Ok(self.shared.cache.set_many(&space, entries, ttl).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.delete-many", skip_all)]
    async fn delete_many(&mut self, bucket: String, keys: Vec<String>) -> Answer<u64> {
        let (space, keys) = attempt!(self.admit_many(&bucket, ReadWrite, &keys, 0)?);
        Ok(self.shared.cache.delete_many(&space, &keys).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.clear", skip_all)]
    async fn clear(&mut self, bucket: String, prefix: String) -> Answer<u64> {
        let space = attempt!(self.admit_prefix(&bucket, ReadWrite, &prefix)?);
        Ok(self.shared.cache.clear(&space, &prefix).await.map_err(said))
    }

    #[instrument(level = "trace", name = "cache.scan", skip_all)]
    async fn scan(
        &mut self,
        bucket: String,
        prefix: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Answer<Page> {
        let space = attempt!(self.admit_prefix(&bucket, ReadOnly, &prefix)?);
        let limit = limit.clamp(1, SCAN_KEYS_MAX) as usize;
        let cursor = cursor.map(cache::Cursor);
        let page = self.shared.cache.scan(&space, &prefix, cursor, limit).await;
        let page = attempt!(page.map_err(said));
        self.budget.count_found(page.keys.iter().map(String::len).sum());
        Ok(Ok(Page { keys: page.keys, cursor: page.cursor.map(|cursor| cursor.0) }))
    }

    #[instrument(level = "trace", name = "cache.get-or-reserve", skip_all)]
    async fn get_or_reserve(
        &mut self,
        bucket: String,
        key: String,
        wait: u64,
    ) -> Answer<WitLookup> {
        let (space, key) = attempt!(self.admit(&bucket, ReadOnly, &key, 0)?);
        // Who may not store a value may not keep others from computing it either.
        if let Err(refused) = self.space(&bucket, ReadWrite) {
            let found = attempt!(self.shared.cache.get(&space, &key).await.map_err(said));
            return Ok(found.map(|value| WitLookup::Hit(self.found(value))).ok_or(refused));
        }
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
    #[instrument(level = "trace", name = "cache.fill", skip_all)]
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
        if self.reservations.is_empty() {
            return;
        }
        let reservations = std::mem::take(&mut self.reservations);
        let released = async {
            for reservation in reservations {
                // As above.
                let _ = self.shared.cache.release(reservation).await;
            }
        };
        // An attempt must end, also where the back-end hangs.
        let _ = tokio::time::timeout(RELEASE_TIME_MAX, released).await;
    }

    fn found(&mut self, value: Bytes) -> Vec<u8> {
        self.budget.count_found(value.len());
        value.into()
    }
}

/// The cache's error in the guest's words.
pub(super) fn said(error: cache::Error) -> Error {
    match error {
        cache::Error::TooLarge { max, .. } => Error::TooLarge(max as u64),
        cache::Error::InvalidKey { .. }
        | cache::Error::TooMany { .. }
        | cache::Error::NotANumber => Error::Invalid(error.to_string()),
        cache::Error::Unavailable(why) => Error::Unavailable(format!("the cache: {why:#}")),
    }
}
