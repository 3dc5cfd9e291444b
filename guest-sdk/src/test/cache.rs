//! The test host's cache.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use crate::{Entry, HostError, Version};

const KEY_BYTES_MAX: usize = 512;
const VALUE_BYTES_MAX: usize = 1024 * 1024;

/// Entries by bucket and key.
#[derive(Default)]
pub(super) struct Memory {
    buckets: HashMap<String, BTreeMap<String, Stored>>,
    reservations: HashMap<(String, String), u64>,
    last_reservation: u64,
}

struct Stored {
    value: Vec<u8>,
    expires_at: Option<Duration>,
}

impl Memory {
    /// What is under a key and hasn't expired.
    pub(super) fn entry(
        &mut self,
        bucket: &str,
        key: &str,
        now: Duration,
    ) -> Result<Option<Entry<Vec<u8>>>, HostError> {
        check_key(key)?;
        let Some(stored) = self.live(bucket, now).get(key) else { return Ok(None) };
        let mut hasher = DefaultHasher::new();
        stored.value.hash(&mut hasher);
        Ok(Some(Entry {
            value: stored.value.clone(),
            version: Version(hasher.finish()),
            ttl: stored.expires_at.map(|expires_at| expires_at - now),
        }))
    }

    /// Stores a value, which ends a reservation of its key.
    pub(super) fn set(
        &mut self,
        bucket: &str,
        key: &str,
        value: &[u8],
        expires_at: Option<Duration>,
    ) -> Result<(), HostError> {
        check_key(key)?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(HostError::TooLarge(VALUE_BYTES_MAX as u64));
        }
        self.reservations.remove(&(bucket.to_owned(), key.to_owned()));
        self.buckets
            .entry(bucket.to_owned())
            .or_default()
            .insert(key.to_owned(), Stored { value: value.to_owned(), expires_at });
        Ok(())
    }

    /// Removes an entry, if there is one.
    pub(super) fn remove(&mut self, bucket: &str, key: &str) {
        if let Some(entries) = self.buckets.get_mut(bucket) {
            entries.remove(key);
        }
    }

    /// The keys with a prefix, in order.
    pub(super) fn keys(&mut self, bucket: &str, prefix: &str, now: Duration) -> Vec<String> {
        let live = self.live(bucket, now);
        live.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// The id of a new reservation; none where the key is reserved.
    pub(super) fn reserve(&mut self, bucket: &str, key: &str) -> Option<u64> {
        let place = (bucket.to_owned(), key.to_owned());
        if self.reservations.contains_key(&place) {
            return None;
        }
        self.last_reservation += 1;
        self.reservations.insert(place, self.last_reservation);
        Some(self.last_reservation)
    }

    /// Whether this reservation is still the key's.
    pub(super) fn holds(&self, bucket: &str, key: &str, id: u64) -> bool {
        self.reservations.get(&(bucket.to_owned(), key.to_owned())) == Some(&id)
    }

    /// Ends a reservation, if it is still the key's.
    pub(super) fn release(&mut self, bucket: &str, key: &str, id: u64) {
        if self.holds(bucket, key, id) {
            self.reservations.remove(&(bucket.to_owned(), key.to_owned()));
        }
    }

    fn live(&mut self, bucket: &str, now: Duration) -> &BTreeMap<String, Stored> {
        let entries = self.buckets.entry(bucket.to_owned()).or_default();
        entries.retain(|_, stored| stored.expires_at.is_none_or(|expires_at| expires_at > now));
        entries
    }
}

fn check_key(key: &str) -> Result<(), HostError> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(());
    }
    Err(HostError::Invalid(format!("key: {} bytes, not 1 to {KEY_BYTES_MAX}", key.len())))
}
