//! What is tried again, how often and when: pure functions of the policy and chance.

use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::{Disposition, Outcome, OutcomeKind};

/// What is tried again, how often and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Counted failures that end the job.
    pub attempts_max: u32,
    /// How long to wait.
    pub backoff: Backoff,
    /// Which outcomes are tried again.
    pub retry_on: RetryOn,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: limits::ATTEMPTS_DEFAULT,
            backoff: Backoff::default(),
            retry_on: RetryOn::default(),
        }
    }
}

/// Which outcomes are tried again, beside the failures that ask for it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOn {
    /// [`OutcomeKind::Trapped`].
    pub trapped: bool,
    /// [`OutcomeKind::LimitExceeded`].
    pub limit_exceeded: bool,
    /// [`OutcomeKind::TimedOut`].
    pub timed_out: bool,
}

impl Default for RetryOn {
    fn default() -> Self {
        Self { trapped: true, limit_exceeded: true, timed_out: true }
    }
}

/// How long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// How waits grow.
    pub kind: BackoffKind,
    /// The first wait.
    pub base: Duration,
    /// The longest wait.
    pub max: Duration,
    /// The share of a wait, from 0 to 1, that chance may take away.
    pub jitter: f64,
}

/// How waits grow with the number `n` of counted failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BackoffKind {
    /// Always `base`.
    Fixed,
    /// `base × 2ⁿ⁻¹`.
    #[default]
    Exponential,
    /// `base × n⁴`.
    Polynomial,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            kind: BackoffKind::default(),
            base: limits::BACKOFF_BASE_DEFAULT,
            max: limits::BACKOFF_MAX_DEFAULT,
            jitter: limits::BACKOFF_JITTER_DEFAULT,
        }
    }
}

impl Backoff {
    /// The wait after the `failures`th counted failure: never above `max`, and at most the share
    /// `jitter` shorter than the rule gives.
    pub fn delay(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        let n = f64::from(failures.max(1));
        let factor = match self.kind {
            BackoffKind::Fixed => 1.0,
            BackoffKind::Exponential => 2_f64.powf(n - 1.0),
            BackoffKind::Polynomial => n.powi(4),
        };
        let max = self.max.as_secs_f64();
        let full = (self.base.as_secs_f64() * factor).min(max);
        let cut = full * self.jitter.clamp(0.0, 1.0) * rng.random::<f64>();
        Duration::from_secs_f64((full - cut).clamp(0.0, max))
    }
}

/// What an outcome leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The job is completed.
    Complete,
    /// The job is tried again after this long.
    Retry(Duration),
    /// The job is failed.
    Fail,
    /// The job is cancelled.
    Cancel,
}

impl RetryPolicy {
    /// What `outcome` leads to for a job with `failures` counted failures before it. Every outcome
    /// but `completed` and `cancelled` is itself a counted failure.
    pub fn decide(&self, outcome: &Outcome, failures: u32, rng: &mut impl Rng) -> Decision {
        match outcome {
            Outcome::Completed { .. } => return Decision::Complete,
            Outcome::Cancelled => return Decision::Cancel,
            Outcome::Failed { disposition: Disposition::Fatal, .. } => return Decision::Fail,
            _ => {}
        }
        let failures = failures.saturating_add(1);
        if failures >= self.attempts_max || !self.retries(outcome.kind()) {
            return Decision::Fail;
        }
        match outcome {
            Outcome::Failed { disposition: Disposition::RetryAfter(delay), .. } => {
                Decision::Retry((*delay).min(limits::DELAY_MAX))
            }
            _ => Decision::Retry(self.backoff.delay(failures, rng)),
        }
    }

    fn retries(&self, kind: OutcomeKind) -> bool {
        match kind {
            OutcomeKind::Trapped => self.retry_on.trapped,
            OutcomeKind::LimitExceeded => self.retry_on.limit_exceeded,
            OutcomeKind::TimedOut => self.retry_on.timed_out,
            OutcomeKind::Failed => true,
            OutcomeKind::Completed | OutcomeKind::Cancelled => false,
        }
    }
}

#[cfg(test)]
mod tests;
