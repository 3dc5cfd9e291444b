//! The cache in this process's memory: nothing of it survives a restart.
//!
//! [`Store`] keeps the entries, [`Flights`] the reservations. An
//! entry's end is a time on our own clock, looked at on every read: that it was swept is never what
//! hides it.

mod flights;
mod index;
mod store;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_job::{Clock, Timestamp};

use self::flights::{Asked, Flights};
use self::store::{Change, Store, Stored};
use crate::common::{Place, SteadyClock, Tally, locked, sum};
use crate::{
    Cache, Condition, Config, Cursor, Entry, Error, Key, Lookup, Page, Reservation, SetOptions,
    Space, Stats, Version,
};

/// Keys that a prefix clear takes at a time.
const CLEAR_ITEMS: usize = 256;

/// The cache in this process's memory.
pub struct MemoryCache {
    config: Config,
    clock: SteadyClock,
    store: Store,
    flights: Mutex<Flights>,
    tally: Tally,
}

impl MemoryCache {
    /// An empty cache within these bounds, in which it is as late as `clock` says.
    #[must_use]
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        Self {
            store: Store::new(config.memory_bytes_max),
            config,
            clock: SteadyClock::new(clock),
            flights: Mutex::default(),
            tally: Tally::default(),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A lookup that counts.
    fn look(&self, space: &Space, key: &Key) -> Option<Stored> {
        let stored = self.store.get(&Place::new(space, key), self.now());
        self.tally.count(stored.is_some());
        stored
    }

    fn put(&self, space: &Space, key: &Key, value: Bytes, ttl: Option<Duration>) {
        let now = self.now();
        let new = stored(value, ttl, now);
        self.store.update(Place::new(space, key), now, |_| (Change::Put(new), ()));
    }

    fn remove(&self, space: &Space, key: &Key) -> bool {
        self.store.update(Place::new(space, key), self.now(), |old| (Change::Remove, old.is_some()))
    }

    /// The value, a reservation, or what to wait for. The value is looked for while nobody can fill
    /// or take a reservation, so that no fill goes unseen.
    fn look_or_ask(&self, place: &Place, lease: Duration) -> Result<Bytes, Asked> {
        let mut flights = locked(&self.flights);
        let now = self.now();
        match self.store.get(place, now) {
            Some(stored) => Ok(stored.value),
            None => Err(flights.ask(place.clone(), now, now.after(lease))),
        }
    }

    async fn wait_or_ask(&self, place: &Place, lease: Duration) -> Result<Bytes, u128> {
        loop {
            match self.look_or_ask(place, lease) {
                Ok(value) => return Ok(value),
                Err(Asked::Reserved(token)) => return Err(token),
                Err(Asked::Busy(ring, left)) => {
                    // A lease that ends is noticed by the next who asks, so that is asked again.
                    let _ = tokio::time::timeout(left, ring).await;
                }
            }
        }
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").field("config", &self.config).finish_non_exhaustive()
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Bytes>, Error> {
        Ok(self.look(space, key).map(|stored| stored.value))
    }

    async fn get_entry(&self, space: &Space, key: &Key) -> Result<Option<Entry>, Error> {
        Ok(self.look(space, key).map(|stored| Entry {
            version: Version::of(&stored.value),
            ttl: stored.expires_at.map(|expires_at| expires_at.since(self.now())),
            value: stored.value,
        }))
    }

    async fn exists(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        Ok(self.store.get(&Place::new(space, key), self.now()).is_some())
    }

    async fn set(
        &self,
        space: &Space,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<bool, Error> {
        self.config.check_value(&value)?;
        let now = self.now();
        let new = stored(value, options.ttl, now);
        Ok(self.store.update(Place::new(space, key), now, |old| {
            let holds = match options.condition {
                Condition::Always => true,
                Condition::IfAbsent => old.is_none(),
                Condition::IfPresent => old.is_some(),
            };
            if holds { (Change::Put(new), true) } else { (Change::Keep, false) }
        }))
    }

    async fn compare_and_set(
        &self,
        space: &Space,
        key: &Key,
        expected: Option<Version>,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.config.check_value(&value)?;
        let now = self.now();
        let new = stored(value, ttl, now);
        Ok(self.store.update(Place::new(space, key), now, |old| {
            if old.map(|old| Version::of(&old.value)) == expected {
                (Change::Put(new), true)
            } else {
                (Change::Keep, false)
            }
        }))
    }

    async fn delete(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        Ok(self.remove(space, key))
    }

    async fn touch(&self, space: &Space, key: &Key, ttl: Option<Duration>) -> Result<bool, Error> {
        let now = self.now();
        Ok(self.store.update(Place::new(space, key), now, |old| match old {
            Some(old) => (Change::Put(stored(old.value.clone(), ttl, now)), true),
            None => (Change::Keep, false),
        }))
    }

    async fn increment(
        &self,
        space: &Space,
        key: &Key,
        delta: i64,
        ttl: Option<Duration>,
    ) -> Result<i64, Error> {
        let now = self.now();
        self.store.update(Place::new(space, key), now, |old| {
            let Some(sum) = sum(old.map(|old| &*old.value), delta) else {
                return (Change::Keep, Err(Error::NotANumber));
            };
            let expires_at = old.map_or(ttl.map(|ttl| now.after(ttl)), |old| old.expires_at);
            (Change::Put(Stored { value: sum.to_string().into(), expires_at }), Ok(sum))
        })
    }

    async fn get_many(&self, space: &Space, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        self.config.check_batch(keys.len())?;
        Ok(keys.iter().map(|key| self.look(space, key).map(|stored| stored.value)).collect())
    }

    async fn set_many(
        &self,
        space: &Space,
        entries: Vec<(Key, Bytes)>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        self.config.check_batch(entries.len())?;
        entries.iter().try_for_each(|(_, value)| self.config.check_value(value))?;
        for (key, value) in entries {
            self.put(space, &key, value, ttl);
        }
        Ok(())
    }

    async fn delete_many(&self, space: &Space, keys: &[Key]) -> Result<u64, Error> {
        self.config.check_batch(keys.len())?;
        Ok(keys.iter().map(|key| u64::from(self.remove(space, key))).sum())
    }

    async fn clear(&self, space: &Space, prefix: &str) -> Result<u64, Error> {
        let mut cleared = 0;
        let mut after: Option<Key> = None;
        loop {
            let keys = self.store.keys(space, prefix, after.as_ref().map(Key::as_str), CLEAR_ITEMS);
            let Some(last) = keys.last() else { return Ok(cleared) };
            after = Some(last.clone());
            cleared += keys.iter().map(|key| u64::from(self.remove(space, key))).sum::<u64>();
            // A clear of a million keys must not keep its thread from everybody else.
            tokio::task::yield_now().await;
        }
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &str,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Error> {
        let limit = limit.clamp(1, self.config.batch_items_max);
        let after = cursor.as_ref().map(|Cursor(after)| after.as_str());
        let found = self.store.keys(space, prefix, after, limit + 1);
        let more = found.len() > limit;
        let cursor = found.get(limit - 1).filter(|_| more);
        let cursor = cursor.map(|last| Cursor(last.as_str().to_owned()));
        let now = self.now();
        let live = |key: &&Key| self.store.get(&Place::new(space, key), now).is_some();
        let keys = found.iter().take(limit).filter(live);
        Ok(Page { keys: keys.map(|key| key.as_str().to_owned()).collect(), cursor })
    }

    async fn get_or_reserve(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        wait: Duration,
    ) -> Result<Lookup, Error> {
        let place = Place::new(space, key);
        let lookup = match tokio::time::timeout(wait, self.wait_or_ask(&place, lease)).await {
            Ok(Ok(value)) => Lookup::Hit(value),
            Ok(Err(token)) => {
                Lookup::Reserved(Reservation { space: place.space, key: place.key, token })
            }
            Err(_) => Lookup::Busy,
        };
        self.tally.count(matches!(lookup, Lookup::Hit(_)));
        Ok(lookup)
    }

    async fn fill(
        &self,
        reservation: Reservation,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        let Reservation { space, key, token } = reservation;
        let place = Place::new(&space, &key);
        let mut flights = locked(&self.flights);
        let held = flights.holds(&place, token, self.now());
        let checked = self.config.check_value(&value);
        if held && checked.is_ok() {
            self.put(&space, &key, value, ttl);
        }
        flights.end(&place, token);
        checked.map(|()| held)
    }

    async fn release(&self, reservation: Reservation) -> Result<(), Error> {
        let Reservation { space, key, token } = reservation;
        locked(&self.flights).end(&Place { space, key }, token);
        Ok(())
    }

    async fn stats(&self) -> Result<Stats, Error> {
        let (entries, bytes) = self.store.size(self.now());
        Ok(Stats {
            hits: self.tally.hits(),
            misses: self.tally.misses(),
            entries,
            bytes,
            backend: "memory",
            note: "entries are kept in this process's memory: nothing survives a restart"
                .to_owned(),
            round_trips: 0,
        })
    }
}

fn stored(value: Bytes, ttl: Option<Duration>, now: Timestamp) -> Stored {
    Stored { value, expires_at: ttl.map(|ttl| now.after(ttl)) }
}

#[cfg(test)]
mod tests;
