//! Entries with a time to live, within a bound of bytes.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gristmill_job::Timestamp;
use moka::notification::RemovalCause;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::index::{Index, Mark};
use crate::common::{Place, locked};
use crate::{Key, Space};

/// Entries that one write tidies up beside its own: more than it can add, so that tidying keeps up.
const SWEEP_ITEMS: usize = 4;
/// What an entry takes beside key and value: its share of the map, of the eviction order and of the
/// index. Without it, a bound of 256 MiB would admit gigabytes of empty values.
const ENTRY_OVERHEAD_BYTES: usize = 512;

/// Entries with a time to live, within a bound of bytes.
///
/// The map is read without a lock. A write holds the lock of its key, and under it the lock of the
/// index for a moment, so that an entry and its mark in the index change as one. The map evicts by
/// itself; the index hears of it later, through `evicted`.
pub(super) struct Store {
    entries: Cache<Place, Stored>,
    index: Mutex<Index>,
    evicted: Arc<Mutex<Vec<Arc<Place>>>>,
}

/// What is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) value: Bytes,
    pub(super) expires_at: Option<Timestamp>,
}

/// What a write does to its entry.
pub(super) enum Change {
    Keep,
    Put(Stored),
    Remove,
}

impl Store {
    pub(super) fn new(bytes_max: u64) -> Self {
        let evicted = Arc::<Mutex<Vec<Arc<Place>>>>::default();
        let heard = Arc::clone(&evicted);
        let entries = Cache::builder()
            .max_capacity(bytes_max)
            .weigher(|place: &Place, stored: &Stored| {
                let bytes = place.key.as_str().len() + stored.value.len() + ENTRY_OVERHEAD_BYTES;
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            // The default policy turns new keys away while it doesn't know them: a value that was
            // just computed for others who wait for it would be gone before they look.
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(move |place, _, cause| {
                if cause == RemovalCause::Size {
                    locked(&heard).push(place);
                }
            })
            .build();
        Self { entries, index: Mutex::default(), evicted }
    }

    /// What is stored in a place, unless its time is over.
    pub(super) fn get(&self, place: &Place, now: Timestamp) -> Option<Stored> {
        self.entries.get(place).filter(|stored| stored.is_live(now))
    }

    /// Changes what is stored in one place, as one step. `decide` gets what is stored unless its
    /// time is over.
    pub(super) fn update<T>(
        &self,
        place: Place,
        now: Timestamp,
        decide: impl FnOnce(Option<&Stored>) -> (Change, T),
    ) -> T {
        let out = self.change(place, now, decide);
        self.sweep(now);
        out
    }

    fn change<T>(
        &self,
        place: Place,
        now: Timestamp,
        decide: impl FnOnce(Option<&Stored>) -> (Change, T),
    ) -> T {
        let mut out = None;
        self.entries.entry_by_ref(&place).and_compute_with(|entry| {
            let stored = entry.map(moka::Entry::into_value);
            let live = stored.as_ref().filter(|stored| stored.is_live(now));
            let (change, answer) = decide(live);
            out = Some(answer);
            match change {
                Change::Put(new) => {
                    let bytes = (place.key.as_str().len() + new.value.len()) as u64;
                    let mark = Mark { expires_at: new.expires_at, bytes };
                    locked(&self.index).insert(&place, mark);
                    Op::Put(new)
                }
                Change::Keep if live.is_some() => Op::Nop,
                // What is expired or evicted goes on the occasion.
                Change::Keep | Change::Remove => {
                    locked(&self.index).remove(&place);
                    Op::Remove
                }
            }
        });
        out.expect("a compute operation calls its closure")
    }

    /// Keys that may have an entry, in order.
    pub(super) fn keys(
        &self,
        space: &Space,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Key> {
        locked(&self.index).keys(space, prefix, after, limit)
    }

    /// How many entries there are, and how many bytes of keys and values.
    pub(super) fn size(&self, now: Timestamp) -> (u64, u64) {
        self.entries.run_pending_tasks();
        let evicted = std::mem::take(&mut *locked(&self.evicted));
        for place in evicted {
            self.tidy(&place, now);
        }
        let index = locked(&self.index);
        (index.entries(), index.bytes())
    }

    /// Tidies some of what was evicted or is expired.
    fn sweep(&self, now: Timestamp) {
        for _ in 0..SWEEP_ITEMS {
            let Some(place) = locked(&self.evicted).pop() else { break };
            self.tidy(&place, now);
        }
        for _ in 0..SWEEP_ITEMS {
            let Some(place) = locked(&self.index).expired(now) else { break };
            self.tidy(&place, now);
        }
    }

    /// Removes an entry that is expired, and the mark of one that is gone.
    fn tidy(&self, place: &Place, now: Timestamp) {
        self.change(place.clone(), now, |_| (Change::Keep, ()));
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Stored {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > now)
    }
}
