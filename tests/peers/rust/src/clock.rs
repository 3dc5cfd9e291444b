//! The clock that all processes of a measurement share, whatever language they are written in.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since some moment before the measurement.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Milliseconds since `begun`.
pub(crate) fn ms_since(begun: u64) -> f64 {
    (now() - begun) as f64 / 1e6
}
