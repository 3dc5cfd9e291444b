//! How long attempts take, which rules how far ahead jobs are leased.

use std::time::Duration;

use crate::config::PREFETCH_WINDOW;

/// Attempts that the average is made of. Of many short ones a few take a hundred times as long, when the
/// system gives their processor to somebody else: that must not end the leasing ahead.
const ATTEMPTS: u32 = 256;
/// What a longer attempt counts as, so that after long ones the average is soon that of short ones again.
const TOOK_MAX: Duration = PREFETCH_WINDOW.saturating_mul(16);

/// How long an attempt took lately, on average.
pub(super) struct AttemptTime {
    average: Duration,
    /// How many attempts that is of; no more than count.
    attempts: u32,
}

impl AttemptTime {
    /// Until attempts say otherwise, nothing is leased ahead.
    pub(super) fn unknown() -> Self {
        Self { average: PREFETCH_WINDOW, attempts: 1 }
    }

    pub(super) fn note(&mut self, took: Duration) {
        let before = self.attempts.min(ATTEMPTS - 1);
        self.attempts = before + 1;
        self.average = (self.average * before + took.min(TOOK_MAX)) / self.attempts;
    }

    /// How many attempts fit into a while, one after another.
    pub(super) fn fit_into(&self, window: Duration) -> usize {
        let average = self.average.max(Duration::from_micros(1));
        usize::try_from(window.as_nanos() / average.as_nanos()).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(25);

    fn after(attempts: &[(usize, Duration)]) -> usize {
        let mut time = AttemptTime::unknown();
        for &(count, took) in attempts {
            (0..count).for_each(|_| time.note(took));
        }
        time.fit_into(PREFETCH_WINDOW)
    }

    #[test]
    fn a_few_short_attempts_are_believed() {
        assert_eq!(after(&[]), 1);
        assert_eq!(after(&[(1, SHORT)]), 1);
        let ahead = after(&[(100, SHORT)]);
        assert!(ahead > 50, "{ahead}");
    }

    #[test]
    fn one_attempt_that_was_held_up_among_many_changes_little() {
        let ahead = after(&[(1_000, SHORT), (1, Duration::from_millis(3))]);
        assert!((100..200).contains(&ahead), "{ahead}");
    }

    #[test]
    fn long_attempts_are_soon_noticed_and_soon_forgotten() {
        let long = Duration::from_secs(60);
        assert_eq!(after(&[(1_000, SHORT), (20, long)]), 0);
        let ahead = after(&[(1_000, long), (2_000, SHORT)]);
        assert!(ahead > 50, "{ahead}");
    }
}
