//! A job as a queue keeps it and shows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Digest, ErrorReport, JobState, NewJob, OutcomeKind, Payload, Timestamp, Usage};

/// A job with all that is known of it.
#[derive(Debug, Clone)]
pub struct Job {
    /// What its producer gave.
    pub spec: Arc<NewJob>,
    /// Where it is in its life.
    pub state: JobState,
    /// How often it was started.
    pub attempt: u32,
    /// How many outcomes count against its attempts.
    pub failures: u32,
    /// How often its worker's process died while it held the job.
    pub crashes: u32,
    /// The version of the plugin that ran it last.
    pub digest: Option<Digest>,
    /// When it was enqueued.
    pub enqueued_at: Timestamp,
    /// The time before which it may not start.
    pub run_at: Timestamp,
    /// When its last attempt started.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub completed_at: Option<Timestamp>,
    /// What its last attempt came to.
    pub outcome: Option<OutcomeKind>,
    /// What it handed back.
    pub result: Option<Payload>,
    /// Why its last attempt failed.
    pub error: Option<ErrorReport>,
    /// What its last attempt used.
    pub usage: Option<Usage>,
    /// How far its running attempt says it is.
    pub progress: Option<Progress>,
    /// What its attempts saved for the next.
    pub checkpoint: Option<Payload>,
}

impl Job {
    /// The job as it is when it is taken over at this time.
    #[must_use]
    pub fn taken_over(spec: Arc<NewJob>, now: Timestamp) -> Self {
        let run_at = spec.start.run_at(now);
        Self {
            state: if run_at > now { JobState::Scheduled } else { JobState::Queued },
            attempt: 0,
            failures: 0,
            crashes: 0,
            digest: None,
            enqueued_at: now,
            run_at,
            started_at: None,
            completed_at: None,
            outcome: None,
            result: None,
            error: None,
            usage: None,
            progress: None,
            checkpoint: None,
            spec,
        }
    }
}

/// How far an attempt says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<u64>,
    /// What is being done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// For whoever looks into a fault.
    Debug,
    /// What happened.
    Info,
    /// What should not have happened, but was dealt with.
    Warn,
    /// What went wrong.
    Error,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// When it was logged.
    pub at: Timestamp,
    /// The attempt that logged it.
    pub attempt: u32,
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
    /// Names and values.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<(String, String)>,
}
