//! Which keys there are: what a concurrent map can't answer in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use gristmill_job::Timestamp;

use crate::common::Place;
use crate::{Key, Space};

/// The keys of all entries in order, with what has to be known of them without a look at the
/// entries. It may name more keys than there are entries, for a while, but never fewer.
#[derive(Debug, Default)]
pub(super) struct Index {
    spaces: HashMap<Space, BTreeMap<Key, Mark>>,
    expiry: BTreeSet<(Timestamp, Place)>,
    entries: u64,
    bytes: u64,
}

/// What is known of one entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) expires_at: Option<Timestamp>,
    pub(super) bytes: u64,
}

impl Index {
    pub(super) fn insert(&mut self, place: &Place, mark: Mark) {
        self.remove(place);
        if let Some(expires_at) = mark.expires_at {
            self.expiry.insert((expires_at, place.clone()));
        }
        self.spaces.entry(place.space.clone()).or_default().insert(place.key.clone(), mark);
        self.entries += 1;
        self.bytes += mark.bytes;
    }

    pub(super) fn remove(&mut self, place: &Place) {
        let Some(keys) = self.spaces.get_mut(&place.space) else { return };
        let Some(mark) = keys.remove(&place.key) else { return };
        if keys.is_empty() {
            self.spaces.remove(&place.space);
        }
        if let Some(expires_at) = mark.expires_at {
            self.expiry.remove(&(expires_at, place.clone()));
        }
        self.entries -= 1;
        self.bytes -= mark.bytes;
    }

    /// An entry whose time is over.
    pub(super) fn expired(&self, now: Timestamp) -> Option<Place> {
        let (expires_at, place) = self.expiry.first()?;
        (*expires_at <= now).then(|| place.clone())
    }

    /// The first `limit` keys behind `after` that start with `prefix`.
    pub(super) fn keys(
        &self,
        space: &Space,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Key> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let keys = self.spaces.get(space).into_iter();
        keys.flat_map(|keys| keys.range::<str, _>((start, Bound::Unbounded)))
            .map(|(key, _)| key)
            .take_while(|key| key.as_str().starts_with(prefix))
            .take(limit)
            .cloned()
            .collect()
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// Bytes of keys and values.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
