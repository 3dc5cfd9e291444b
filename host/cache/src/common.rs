//! What back-ends have in common: places, time that doesn't go back, hits and misses, numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gristmill_job::{Clock, Timestamp};

use crate::{Key, Space};

/// Where an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) space: Space,
    pub(crate) key: Key,
}

impl Place {
    pub(crate) fn new(space: &Space, key: &Key) -> Self {
        Self { space: space.clone(), key: key.clone() }
    }
}

/// A clock that doesn't go back, whatever the one behind it does.
pub(crate) struct SteadyClock {
    clock: Arc<dyn Clock>,
    /// The latest time that the clock ever said, in milliseconds.
    latest: AtomicU64,
}

impl SteadyClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now().as_millis();
        Timestamp::from_millis(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

/// How many lookups found a value, and how many didn't.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Tally {
    pub(crate) fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    pub(crate) fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }
}

/// The sum of a stored number and `delta`; none: what is stored is no number exactly as we would
/// write it (what `+1` or `01` is differs between back-ends), or the sum doesn't fit.
pub(crate) fn sum(stored: Option<&[u8]>, delta: i64) -> Option<i64> {
    let number = match stored {
        Some(value) => {
            let text = std::str::from_utf8(value).ok()?;
            text.parse().ok().filter(|number: &i64| number.to_string() == text)?
        }
        None => 0,
    };
    number.checked_add(delta)
}

/// The guard of a lock under which nothing can panic half-way.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
