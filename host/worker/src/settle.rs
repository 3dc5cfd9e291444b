//! From what came of an attempt to what is recorded, and what is told of it.

use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{
    Decision, Digest, ErrorReport, JobState, Outcome, OutcomeKind, RetryPolicy, Timestamp, Usage,
    codes,
};
use gristmill_queue::{Leased, Settlement};
use gristmill_runtime::{LoadError, Report};
use rand::Rng;

use crate::board::{Ended, Finished};
use crate::config::{self, Config};
use crate::event::Event;

/// A settlement on its way to the queue.
pub(crate) struct Pending {
    pub(crate) settlement: Settlement,
    /// What is told once it is recorded.
    pub(crate) event: Event,
}

/// What the dispatcher knows beside what the executor said.
pub(crate) struct Circumstances<'a> {
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
    /// Somebody asked for the job to be cancelled; else an interruption is the worker's own doing.
    pub(crate) cancel_requested: bool,
    /// Why the worker interrupts attempts.
    pub(crate) interruption: &'a str,
}

/// What is recorded of a finished task.
pub(crate) fn settle(
    finished: Finished,
    circumstances: &Circumstances<'_>,
    rng: &mut impl Rng,
) -> Pending {
    let waited = waited(&finished.leased, finished.took, circumstances.now);
    let leased = finished.leased;
    let mut pending = match finished.ended {
        Ended::Attempted { digest, report, retry } => match &report.outcome {
            // Interrupted by this worker, not because somebody wanted the job's end.
            Outcome::Cancelled if !circumstances.cancel_requested => {
                release(&leased, None, circumstances.interruption)
            }
            _ => attempted(&leased, Some(digest), report, &retry, circumstances, rng),
        },
        Ended::NotStarted if circumstances.cancel_requested => cancelled(&leased),
        Ended::NotStarted => release(&leased, None, circumstances.interruption),
        Ended::Busy if circumstances.cancel_requested => cancelled(&leased),
        Ended::Busy => deferred(&leased, circumstances.now),
        // The plugin may be there as soon as it can be asked for, however old the job is.
        Ended::NoPlugin(error) if error.is_passing() && !circumstances.cancel_requested => {
            release(&leased, Some(release_delay(&leased, circumstances.now)), &error.to_string())
        }
        Ended::NoPlugin(error) => no_plugin(&leased, &error, circumstances),
        Ended::HostUnwell(why) => {
            let delay = release_delay(&leased, circumstances.now);
            release(&leased, Some(delay), &format!("the host is unwell: {why}"))
        }
        Ended::HostPanicked => {
            let message = "the host panicked while it ran this attempt; its log says where";
            let error = ErrorReport::new("host-panic", message);
            let report = Report::without_guest(Outcome::Trapped { error });
            attempted(&leased, None, report, &leased.spec.retry_policy(), circumstances, rng)
        }
    };
    if let Event::Settled { waited: told, .. } = &mut pending.event {
        *told = waited;
    }
    pending
}

/// How long a job waited from when it could run to its first attempt: later ones wait by their retry
/// policy.
fn waited(leased: &Leased, took: Duration, now: Timestamp) -> Option<Duration> {
    let ready = leased.spec.start.run_at(leased.enqueued_at);
    (leased.attempt == 1).then(|| now.since(ready).saturating_sub(took))
}

fn attempted(
    leased: &Leased,
    digest: Option<Digest>,
    report: Report,
    retry: &RetryPolicy,
    circumstances: &Circumstances<'_>,
    rng: &mut impl Rng,
) -> Pending {
    let held = leased.held();
    let Report { outcome, usage, follow_ups } = report;
    let kind = outcome.kind();
    let decision = retry.decide(&outcome, leased.failures, rng);
    let error = outcome.error().cloned().map(Box::new);
    let (settlement, state) = match (decision, outcome, digest) {
        (Decision::Complete, Outcome::Completed { result }, Some(digest)) => {
            let complete = Settlement::Complete { held, digest, result, usage, follow_ups };
            (complete, JobState::Completed)
        }
        (Decision::Cancel, ..) => {
            (Settlement::Cancelled { held, usage: Some(usage) }, JobState::Cancelled)
        }
        (decision, ..) => {
            let retry = match decision {
                Decision::Retry(delay) => Some(delay),
                _ => None,
            };
            let state = match retry {
                // The queue doesn't let a job go back that somebody wants cancelled.
                Some(_) if circumstances.cancel_requested => JobState::Cancelled,
                Some(_) => JobState::Scheduled,
                None => JobState::Failed,
            };
            let error = error.as_deref().cloned().unwrap_or_default();
            (Settlement::Fail { held, digest, outcome: kind, error, usage, retry }, state)
        }
    };
    let job = Arc::clone(&leased.spec);
    let attempt = leased.attempt;
    let event = Event::Settled { job, attempt, outcome: kind, state, error, usage, waited: None };
    Pending { settlement, event }
}

fn settled(
    leased: &Leased,
    outcome: OutcomeKind,
    state: JobState,
    error: Option<Box<ErrorReport>>,
) -> Event {
    let (job, attempt) = (Arc::clone(&leased.spec), leased.attempt);
    let usage = Usage::default();
    Event::Settled { job, attempt, outcome, state, error, usage, waited: None }
}

/// Cancelled before it had begun.
fn cancelled(leased: &Leased) -> Pending {
    let event = settled(leased, OutcomeKind::Cancelled, JobState::Cancelled, None);
    Pending { settlement: Settlement::Cancelled { held: leased.held(), usage: None }, event }
}

pub(crate) fn release(leased: &Leased, delay: Option<Duration>, reason: &str) -> Pending {
    let (job, attempt) = (Arc::clone(&leased.spec), leased.attempt);
    Pending {
        settlement: Settlement::Release { held: leased.held(), delay },
        event: Event::Released { job, attempt, reason: reason.to_owned() },
    }
}

/// Sent back for a moment: nothing is wrong, and it may happen to many jobs many times.
fn deferred(leased: &Leased, now: Timestamp) -> Pending {
    let age = now.since(leased.enqueued_at);
    let delay = (age / 16).clamp(config::BUSY_DELAY_MIN, config::BUSY_DELAY_MAX);
    Pending {
        settlement: Settlement::Release { held: leased.held(), delay: Some(delay) },
        event: Event::Deferred { job: leased.spec.id, attempt: leased.attempt },
    }
}

/// Another worker may have the plugin, or it may come with the next deployment; in the end the job
/// is failed.
fn no_plugin(leased: &Leased, error: &LoadError, circumstances: &Circumstances<'_>) -> Pending {
    if circumstances.cancel_requested {
        return cancelled(leased);
    }
    let waited = circumstances.now.since(leased.enqueued_at);
    if waited < circumstances.config.unknown_plugin_patience {
        let delay = release_delay(leased, circumstances.now);
        return release(leased, Some(delay), &error.to_string());
    }
    let error = ErrorReport::new(codes::UNKNOWN_PLUGIN, error.to_string());
    let event =
        settled(leased, OutcomeKind::Failed, JobState::Failed, Some(Box::new(error.clone())));
    let settlement = Settlement::Fail {
        held: leased.held(),
        digest: None,
        outcome: OutcomeKind::Failed,
        error,
        usage: Usage::default(),
        retry: None,
    };
    Pending { settlement, event }
}

/// A quarter of the job's age: waits grow without a counter of their own.
fn release_delay(leased: &Leased, now: Timestamp) -> Duration {
    let age = now.since(leased.enqueued_at);
    (age / 4).clamp(config::RELEASE_DELAY_MIN, config::RELEASE_DELAY_MAX)
}

#[cfg(test)]
mod tests;
