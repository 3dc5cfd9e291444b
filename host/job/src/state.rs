//! A job's life as one table: [`JobState::apply`] is the authority for every back-end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Its time is ahead, or it waits for a retry.
    Scheduled,
    /// It waits for a free worker.
    Queued,
    /// A worker holds it.
    Running {
        /// Somebody asked for it to be cancelled, and its worker hasn't settled it yet.
        cancel_requested: bool,
    },
    /// It ended well.
    Completed,
    /// It ended badly, and no retry is left; kept for inspection and requeue.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// A state's name, as users write and read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StateName {
    /// [`JobState::Scheduled`].
    Scheduled,
    /// [`JobState::Queued`].
    Queued,
    /// [`JobState::Running`], whether it is being cancelled or not.
    Running,
    /// [`JobState::Completed`].
    Completed,
    /// [`JobState::Failed`].
    Failed,
    /// [`JobState::Cancelled`].
    Cancelled,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its time has come.
    Promote,
    /// A worker took it.
    Lease,
    /// Its worker settled it as completed.
    Complete,
    /// Its worker settled it as failed, to be tried again.
    Retry,
    /// Its worker settled it as failed for good.
    Fail,
    /// Its worker settled it as cancelled.
    SettleCancelled,
    /// Its worker gave it back untouched, to be run at once.
    Release,
    /// Its worker gave it back untouched, to be run later.
    ReleaseLater,
    /// Its worker's lease lapsed.
    Lapse,
    /// Its worker's lease lapsed, and the job is held to be what killed the worker.
    Poison,
    /// Somebody asked for it to be cancelled.
    Cancel,
    /// Somebody asked for it to be run again.
    Requeue,
}

/// An event that can't happen in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {state} job can't take the event {event:?}")]
pub struct InvalidTransition {
    /// The state that the job was in.
    pub state: JobState,
    /// What should have happened to it.
    pub event: Event,
}

impl JobState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Queued,
        Self::Running { cancel_requested: false },
        Self::Running { cancel_requested: true },
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state after an event.
    ///
    /// # Errors
    /// [`InvalidTransition`] where the event can't happen; the job stays as it is.
    pub fn apply(self, event: &Event) -> Result<Self, InvalidTransition> {
        use Event as E;
        use JobState as S;
        let running = S::Running { cancel_requested: false };
        let cancelling = S::Running { cancel_requested: true };
        Ok(match (self, event) {
            (S::Scheduled, E::Promote) => S::Queued,
            (S::Queued, E::Lease) => running,
            (S::Scheduled | S::Queued, E::Cancel) => S::Cancelled,

            (S::Running { .. }, E::Complete) => S::Completed,
            (S::Running { .. }, E::Fail | E::Poison) => S::Failed,
            (S::Running { .. }, E::SettleCancelled) => S::Cancelled,
            (S::Running { .. }, E::Cancel) => cancelling,

            // Being cancelled ends every way back into the line.
            (S::Running { cancel_requested: true }, E::Retry | E::Release | E::ReleaseLater) => {
                S::Cancelled
            }
            (S::Running { cancel_requested: true }, E::Lapse) => S::Cancelled,
            (S::Running { .. }, E::Retry | E::ReleaseLater) => S::Scheduled,
            (S::Running { .. }, E::Release | E::Lapse) => S::Queued,

            (S::Failed | S::Cancelled, E::Requeue) => S::Queued,
            (state, &event) => return Err(InvalidTransition { state, event }),
        })
    }

    /// The state's name.
    #[must_use]
    pub fn name(self) -> StateName {
        match self {
            Self::Scheduled => StateName::Scheduled,
            Self::Queued => StateName::Queued,
            Self::Running { .. } => StateName::Running,
            Self::Completed => StateName::Completed,
            Self::Failed => StateName::Failed,
            Self::Cancelled => StateName::Cancelled,
        }
    }

    /// Whether the job's life has come to an end (from which a failed or cancelled one may be
    /// requeued).
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether a worker holds the job.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

impl StateName {
    /// Every name, in the order of a life.
    pub const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for StateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("{text:?} is no state: {known}")
        })
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 12] = [
        Self::Promote,
        Self::Lease,
        Self::Complete,
        Self::Retry,
        Self::Fail,
        Self::SettleCancelled,
        Self::Release,
        Self::ReleaseLater,
        Self::Lapse,
        Self::Poison,
        Self::Cancel,
        Self::Requeue,
    ];
}

#[cfg(test)]
mod tests;
