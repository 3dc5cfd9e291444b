//! What an attempt has used of its budgets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bindings::types::Error;
use crate::limits::Limits;

/// Counters of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    pub(crate) host_calls: u64,
    pub(crate) cache_ops: u64,
    pub(crate) cache_bytes: u64,
    pub(crate) follow_ups: usize,
    pub(crate) http_requests: u64,
    /// Made when first used: most attempts send nothing.
    http_bytes: Option<Arc<AtomicU64>>,
    pub(crate) draft_bytes: usize,
}

impl Budget {
    /// Takes operations and bytes from the cache's budget; a refused call takes nothing.
    pub(crate) fn take_cache(
        &mut self,
        limits: &Limits,
        ops: u64,
        bytes: u64,
    ) -> Result<(), Error> {
        let (ops, bytes) =
            (self.cache_ops.saturating_add(ops), self.cache_bytes.saturating_add(bytes));
        if ops > limits.cache_ops_max {
            return Err(spent("cache_ops", limits.cache_ops_max));
        }
        if bytes > limits.cache_bytes_max {
            return Err(spent("cache_bytes", limits.cache_bytes_max));
        }
        (self.cache_ops, self.cache_bytes) = (ops, bytes);
        Ok(())
    }

    /// Counts the bytes of a value that a lookup found. It was found already, so it is given, and
    /// the next call is the one that is refused.
    pub(crate) fn count_found(&mut self, bytes: usize) {
        self.cache_bytes = self.cache_bytes.saturating_add(bytes as u64);
    }

    /// Takes a request of so many bytes from the budget of HTTP.
    pub(crate) fn take_http(&mut self, limits: &Limits, bytes: u64) -> Result<(), Error> {
        if self.http_requests >= limits.http_requests_max {
            return Err(spent("http_requests", limits.http_requests_max));
        }
        if !self.http(limits).take(bytes) {
            return Err(self.http_spent(limits));
        }
        self.http_requests += 1;
        Ok(())
    }

    /// What counts the bytes of HTTP.
    pub(crate) fn http(&mut self, limits: &Limits) -> Meter {
        let used = Arc::clone(self.http_bytes.get_or_insert_default());
        Meter { used, max: limits.http_bytes_max }
    }

    pub(crate) fn http_spent(&self, limits: &Limits) -> Error {
        spent("http_bytes", limits.http_bytes_max)
    }

    /// Takes new jobs from the budget of follow-ups.
    pub(crate) fn take_follow_ups(&mut self, limits: &Limits, jobs: usize) -> Result<(), Error> {
        let total = self.follow_ups.saturating_add(jobs);
        if total > limits.follow_ups_max {
            return Err(spent("follow_ups", limits.follow_ups_max as u64));
        }
        self.follow_ups = total;
        Ok(())
    }
}

/// Counts bytes where they pass, which several requests of an attempt may do at one time.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    used: Arc<AtomicU64>,
    max: u64,
}

impl Meter {
    /// Takes bytes; a refusal takes nothing.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let more = |used: u64| used.checked_add(bytes).filter(|total| *total <= self.max);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// What is held of this meter while its bytes may still be given up.
    pub(crate) fn holding(&self) -> Holding {
        Holding { meter: self.clone(), bytes: 0 }
    }

    pub(crate) fn max(&self) -> u64 {
        self.max
    }
}

/// Bytes of a response that hasn't come whole; they are given back unless it is kept.
pub(crate) struct Holding {
    meter: Meter,
    bytes: u64,
}

impl Holding {
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let is_taken = self.meter.take(bytes as u64);
        self.bytes += if is_taken { bytes as u64 } else { 0 };
        is_taken
    }

    pub(crate) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.meter.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn spent(name: &str, allowed: u64) -> Error {
    Error::QuotaExceeded(format!("{name}: this attempt may use {allowed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_call_takes_nothing() {
        let limits = Limits { cache_ops_max: 2, cache_bytes_max: 10, ..Limits::default() };
        let mut budget = Budget::default();
        assert!(budget.take_cache(&limits, 1, 11).is_err());
        assert!(budget.take_cache(&limits, 3, 0).is_err());
        assert!(budget.take_cache(&limits, 2, 10).is_ok());
        assert!(matches!(
            budget.take_cache(&limits, 1, 0),
            Err(Error::QuotaExceeded(text)) if text.starts_with("cache_ops")
        ));
    }

    #[test]
    fn what_is_not_kept_is_given_back() {
        let limits = Limits { http_bytes_max: 10, ..Limits::default() };
        let meter = Budget::default().http(&limits);
        let (mut one, mut other) = (meter.holding(), meter.holding());
        assert!(one.take(6) && other.take(4) && !one.take(1));
        drop(one);
        other.keep();
        assert!(meter.take(6) && !meter.take(1));
    }

    #[test]
    fn what_was_found_counts_against_the_next_call() {
        let limits = Limits { cache_bytes_max: 10, ..Limits::default() };
        let mut budget = Budget::default();
        budget.count_found(11);
        assert!(budget.take_cache(&limits, 1, 0).is_err());
    }
}
