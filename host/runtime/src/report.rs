//! What came of an attempt: its outcome, and what it used of its limits.

use std::time::Duration;

use bytes::Bytes;
use gristmill_job::{
    Disposition, ErrorReport, Gauge, NewJob, Outcome, Payload, Usage, codes, time,
};

use crate::bindings::types;
use crate::config;
use crate::fault::{self, Abort};
use crate::limits::Limits;
use crate::log_book::cut;
use crate::state::State;

/// What a guest's handler answers.
pub(crate) type Answer = Result<Option<types::Payload>, types::Failure>;

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// What the attempt came to.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// Jobs that it wants enqueued if it is settled as completed.
    pub follow_ups: Vec<NewJob>,
}

/// The outcome of a call that came back.
pub(crate) fn answered(answer: Answer, limits: &Limits, wall: Duration) -> Outcome {
    match answer {
        Ok(result) => {
            let size = result.as_ref().map_or(0, size);
            if size > limits.result_bytes_max {
                return fault::aborted(Abort::Limit("result"), None, limits, wall);
            }
            Outcome::Completed {
                result: result.map(|payload| Payload {
                    content_type: payload.content_type,
                    data: Bytes::from(payload.data),
                }),
            }
        }
        Err(failure) => {
            let disposition = match failure.disposition {
                types::Disposition::Retry => Disposition::Retry,
                types::Disposition::RetryAfter(millis) => {
                    Disposition::RetryAfter(Duration::from_millis(millis))
                }
                types::Disposition::Fatal => Disposition::Fatal,
            };
            Outcome::Failed { error: reported(failure, limits), disposition }
        }
    }
}

/// What a payload takes, its media type included: that is as long as the guest makes it.
fn size(payload: &types::Payload) -> usize {
    payload.content_type.len() + payload.data.len()
}

fn reported(failure: types::Failure, limits: &Limits) -> ErrorReport {
    let code = failure.code.as_deref().unwrap_or(codes::FAILED);
    let code = cut(code, config::CODE_BYTES_MAX);
    let detail =
        failure.detail.filter(|detail| size(detail) <= limits.result_bytes_max).map(|detail| {
            Payload { content_type: detail.content_type, data: Bytes::from(detail.data) }
        });
    ErrorReport { detail, ..fault::report(code, failure.message, None) }
}

pub(crate) fn finish(
    state: &mut State,
    mut outcome: Outcome,
    cpu: Duration,
    wall: Duration,
) -> Report {
    let (log_bytes, log_tail) = state.logged();
    match &mut outcome {
        Outcome::Completed { .. } | Outcome::Cancelled => {}
        Outcome::Failed { error, .. }
        | Outcome::Trapped { error }
        | Outcome::LimitExceeded { error }
        | Outcome::TimedOut { error } => {
            error.log_tail = log_tail;
            error.message = state.masked(std::mem::take(&mut error.message));
        }
    }
    let completed = matches!(outcome, Outcome::Completed { .. });
    let follow_ups = if completed { std::mem::take(&mut state.follow_ups) } else { Vec::new() };
    let mut usage = unused(&state.limits, wall);
    usage.cpu_us.used = micros(cpu);
    usage.wall_us.used = micros(time::monotonic().saturating_duration_since(state.started));
    usage.memory_peak_bytes.used = state.limiter.memory_bytes_peak() as u64;
    usage.host_calls.used = state.budget.host_calls;
    usage.cache_ops.used = state.budget.cache_ops;
    usage.cache_bytes.used = state.budget.cache_bytes;
    usage.log_bytes.used = log_bytes;
    Report { outcome, usage, follow_ups }
}

/// What an attempt is allowed, with nothing used of it yet.
fn unused(limits: &Limits, wall: Duration) -> Usage {
    let gauge = |allowed| Gauge { used: 0, allowed };
    Usage {
        cpu_us: gauge(micros(limits.cpu)),
        wall_us: gauge(micros(wall)),
        memory_peak_bytes: gauge(limits.memory_bytes_max as u64),
        host_calls: gauge(limits.host_calls_max),
        cache_ops: gauge(limits.cache_ops_max),
        cache_bytes: gauge(limits.cache_bytes_max),
        log_bytes: gauge(limits.log_bytes_max),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Report {
    /// An outcome that no guest had a part in.
    #[must_use]
    pub fn without_guest(outcome: Outcome) -> Self {
        Self { outcome, usage: Usage::default(), follow_ups: Vec::new() }
    }

    /// A job that doesn't fit its plugin: failed for good, without having started a guest.
    pub(crate) fn refused(
        rejection: gristmill_job::Rejection,
        limits: &Limits,
        wall: Duration,
    ) -> Self {
        let error = fault::report(&rejection.code.to_string(), rejection.message, None);
        let outcome = Outcome::Failed { error, disposition: Disposition::Fatal };
        Self { outcome, usage: unused(limits, wall), follow_ups: Vec::new() }
    }
}
