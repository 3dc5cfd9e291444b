//! What became of an enqueued job, as users read it.

use gristmill_job::{JobId, RejectionCode, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of one job of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum VerdictView {
    /// It is there now.
    Created {
        /// Its id.
        id: JobId,
        /// `false` where the daemon does without the queue that it was to use: the job ends with the
        /// daemon.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        durable: Option<bool>,
    },
    /// A job with its id was there already.
    Duplicate {
        /// Its id.
        id: JobId,
    },
    /// Its unique key is held by another job.
    UniqueConflict {
        /// Its id.
        id: JobId,
        /// The job that holds the key.
        owner_id: JobId,
    },
    /// It was refused.
    Rejected {
        /// Its id; none, if it could not be read that far.
        id: Option<JobId>,
        /// Why, for machines.
        code: RejectionCode,
        /// Why, for people.
        message: String,
        /// The key that is wrong, where it is one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        field: Option<String>,
    },
}

impl VerdictView {
    /// The verdict on the job with this id.
    #[must_use]
    pub fn new(id: JobId, verdict: Verdict) -> Self {
        match verdict {
            Verdict::Created => Self::Created { id, durable: None },
            Verdict::Duplicate => Self::Duplicate { id },
            Verdict::UniqueConflict(owner_id) => Self::UniqueConflict { id, owner_id },
            Verdict::Rejected(rejection) => Self::Rejected {
                id: Some(id),
                field: field_of(rejection.code).map(str::to_owned),
                code: rejection.code,
                message: rejection.message,
            },
        }
    }

    /// The same verdict; a created job has this mark.
    #[must_use]
    pub fn marked(self, durable: Option<bool>) -> Self {
        match self {
            Self::Created { id, .. } => Self::Created { id, durable },
            other => other,
        }
    }
}

/// The key of a job that a rejection is about.
pub(crate) fn field_of(code: RejectionCode) -> Option<&'static str> {
    match code {
        RejectionCode::UnknownPlugin => Some("plugin"),
        RejectionCode::UnknownFunction => Some("function"),
        RejectionCode::InvalidInput => Some("input"),
        RejectionCode::QueueFull | RejectionCode::AccessDenied | RejectionCode::Invalid => None,
    }
}
