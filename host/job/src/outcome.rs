//! What an attempt came to.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Payload;

/// What an attempt came to. A guest's failure is a value here; the host's own failure never is:
/// then the job is released.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function returned a result, or had none to give.
    Completed {
        /// The result.
        result: Option<Payload>,
    },
    /// The function returned a failure.
    Failed {
        /// What it said.
        error: ErrorReport,
        /// What it wants done about it.
        disposition: Disposition,
    },
    /// The guest trapped.
    Trapped {
        /// How and where.
        error: ErrorReport,
    },
    /// The guest ran into one of its limits.
    LimitExceeded {
        /// Which, in [`ErrorReport::limit`].
        error: ErrorReport,
    },
    /// The attempt didn't end in its time.
    TimedOut {
        /// How long it was given.
        error: ErrorReport,
    },
    /// The attempt was stopped because its job is being cancelled.
    Cancelled,
}

impl Outcome {
    /// The outcome without its content.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Completed { .. } => OutcomeKind::Completed,
            Self::Failed { .. } => OutcomeKind::Failed,
            Self::Trapped { .. } => OutcomeKind::Trapped,
            Self::LimitExceeded { .. } => OutcomeKind::LimitExceeded,
            Self::TimedOut { .. } => OutcomeKind::TimedOut,
            Self::Cancelled => OutcomeKind::Cancelled,
        }
    }

    /// What went wrong, if something did.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorReport> {
        match self {
            Self::Completed { .. } | Self::Cancelled => None,
            Self::Failed { error, .. }
            | Self::Trapped { error }
            | Self::LimitExceeded { error }
            | Self::TimedOut { error } => Some(error),
        }
    }
}

/// An outcome's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OutcomeKind {
    /// [`Outcome::Completed`].
    Completed,
    /// [`Outcome::Failed`].
    Failed,
    /// [`Outcome::Trapped`].
    Trapped,
    /// [`Outcome::LimitExceeded`].
    LimitExceeded,
    /// [`Outcome::TimedOut`].
    TimedOut,
    /// [`Outcome::Cancelled`].
    Cancelled,
}

impl OutcomeKind {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Trapped => "trapped",
            Self::LimitExceeded => "limit_exceeded",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a failing function wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Try again by the job's policy.
    Retry,
    /// Try again no sooner than after this long.
    RetryAfter(Duration),
    /// Never try again.
    Fatal,
}

/// Codes that the host gives by itself, in [`ErrorReport::code`].
pub mod codes {
    /// The input is not what the function takes.
    pub const INVALID_INPUT: &str = "invalid-input";
    /// The plugin has no such function.
    pub const UNKNOWN_FUNCTION: &str = "unknown-function";
    /// No worker had the plugin for too long.
    pub const UNKNOWN_PLUGIN: &str = "unknown-plugin";
    /// The job was held to be what killed its workers.
    pub const POISONED: &str = "poisoned";
    /// A limit was hit.
    pub const LIMIT: &str = "limit";
    /// The attempt's time was up.
    pub const TIMEOUT: &str = "timeout";
    /// The guest failed without a code of its own.
    pub const FAILED: &str = "failed";
}

/// What a person needs to understand a failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorReport {
    /// For machines; failures are grouped by it.
    pub code: String,
    /// One line for people.
    pub message: String,
    /// What the guest added.
    pub detail: Option<Payload>,
    /// The limit that was hit, by its name in the manifest.
    pub limit: Option<String>,
    /// The guest's frames, innermost first.
    pub backtrace: Vec<String>,
    /// The same for equal failures: a hash of code and innermost frames.
    pub fingerprint: String,
    /// The last lines of the guest's log.
    pub log_tail: Vec<String>,
}

impl ErrorReport {
    /// A report of code and message alone.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), ..Self::default() }
    }
}
