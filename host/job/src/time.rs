//! Time as an argument: a timestamp, a clock that can be set, and the only place that reads the
//! machine's clocks.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since the Unix epoch; written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = "date-time"))]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Later by `duration`; stops at the end of time rather than wrapping.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it isn't.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(i64::try_from(self.0).unwrap_or(i64::MAX)) {
            Ok(time) => write!(f, "{time:.3}"),
            // Only a delay added to the end of time gets here.
            Err(_) => f.write_str("9999-12-30T22:00:00.000Z"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no time of RFC 3339, or lies before 1970.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time such as 2026-05-01T12:00:00Z")]
pub struct InvalidTimestamp(String);

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTimestamp(text.chars().take(64).collect());
        let time: jiff::Timestamp = text.parse().map_err(|_| invalid())?;
        u64::try_from(time.as_millisecond()).map(Self).map_err(|_| invalid())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

/// Who says what time it is.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The time since some moment in the past that stays the same: for what has to end in time
    /// wherever else time is counted. Nobody sets it, and it goes on while the machine is
    /// suspended. A clock of its own, unless `now` can't be set by others either.
    fn uptime(&self) -> Duration {
        Duration::from_millis(self.now().as_millis())
    }
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn uptime(&self) -> Duration {
        through_suspend()
    }
}

/// Since the machine started. The monotonic clock, which timers use, stands during a suspend.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn through_suspend() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// Since this was first asked, as far as the platform's monotonic clock tells.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn through_suspend() -> Duration {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let now = monotonic();
    now.saturating_duration_since(*FIRST.get_or_init(|| now))
}

/// A fixed time is a clock that stands.
impl Clock for Timestamp {
    fn now(&self) -> Timestamp {
        *self
    }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The machine's monotonic clock, for measuring durations.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the monotonic clock"
)]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// A duration such as `250ms`, `1s` or `5m`.
///
/// # Errors
/// A message that shows the text and says what would fit.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("{text:?} is no duration such as 250ms, 1s or 5m");
    let duration: jiff::SignedDuration = text.parse().map_err(|_| invalid())?;
    Duration::try_from(duration).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_rfc_3339_to_the_millisecond() {
        let time = Timestamp::from_millis(1_777_636_800_250);
        assert_eq!(time.to_string(), "2026-05-01T12:00:00.250Z");
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!("2026-05-01T14:00:00.250+02:00".parse(), Ok(time));
    }

    #[test]
    fn a_time_before_1970_and_nonsense_are_refused() {
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
        assert!("tomorrow".parse::<Timestamp>().is_err());
    }

    #[test]
    fn durations_are_written_as_in_the_field() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5_400)));
        for bad in ["", "5", "five", "-1s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn uptime_goes_on() {
        let (first, second) = (SystemClock.uptime(), SystemClock.uptime());
        assert!(first <= second && second - first < Duration::from_secs(60));
        let manual = ManualClock::at(Timestamp::from_millis(5));
        manual.advance(Duration::from_millis(7));
        assert_eq!(manual.uptime(), Duration::from_millis(12));
    }

    #[test]
    fn the_end_of_time_does_not_wrap() {
        let end = Timestamp::from_millis(u64::MAX).after(Duration::from_secs(1));
        assert_eq!(end, Timestamp::from_millis(u64::MAX));
        assert!(!end.to_string().is_empty());
    }
}
