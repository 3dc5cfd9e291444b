//! How many durations were how long.

use std::time::Duration;

/// The upper ends of the buckets, in microseconds: from what a small component takes to what a job may by
/// default, and some more for waits.
pub(super) const BOUNDS_US: [u64; 14] = [
    100,
    500,
    1_000,
    5_000,
    10_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    600_000_000,
];

/// How many durations were how long.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Histogram {
    /// By the first bound that isn't below them.
    counts: [u64; BOUNDS_US.len()],
    longer: u64,
    sum_us: u64,
}

impl Histogram {
    pub(super) fn add_us(&mut self, micros: u64) {
        match BOUNDS_US.iter().position(|bound| micros <= *bound) {
            Some(bucket) => self.counts[bucket] += 1,
            None => self.longer += 1,
        }
        self.sum_us = self.sum_us.saturating_add(micros);
    }

    pub(super) fn add(&mut self, duration: Duration) {
        self.add_us(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many were no longer than each bound, with the bound in seconds.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        BOUNDS_US.iter().map(|bound| seconds(*bound)).zip(counts)
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.longer
    }

    pub(super) fn sum(&self) -> f64 {
        seconds(self.sum_us)
    }
}

/// Microseconds as Prometheus has times.
#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
