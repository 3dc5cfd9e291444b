//! What the queue keeps of one job.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{
    Digest, ErrorReport, Event, Job, JobState, LogLine, NewJob, OutcomeKind, Payload, Priority,
    Progress, Timestamp, Usage, WorkerId,
};
use tokio::sync::oneshot;

use super::line::LineKey;
use crate::Leased;

/// What the queue keeps of one job. A waiting job should be small: what only some jobs have stands
/// apart in boxes.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) spec: Arc<NewJob>,
    /// What it weighs against the queue's bound on bytes: the job itself lies elsewhere in memory.
    pub(super) weight: u64,
    pub(super) line: LineKey,
    /// The how-manieth job of its line it is: the order of listings.
    pub(super) number: u64,
    /// Written only with what [`JobState::apply`] returned.
    pub(super) state: JobState,
    pub(super) place: Place,
    pub(super) attempt: u32,
    pub(super) failures: u32,
    pub(super) crashes: u32,
    pub(super) enqueued_at: Timestamp,
    pub(super) run_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    /// Whose lapse was the last to count as a crash.
    pub(super) lapse: Option<Box<Lapse>>,
    pub(super) last: Option<Box<LastAttempt>>,
    pub(super) notes: Option<Box<Notes>>,
    pub(super) waiters: Vec<oneshot::Sender<Job>>,
}

/// Where a job is found in its line's indexes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Among the scheduled, under `run_at` and number.
    Scheduled,
    /// Among the ready of its class.
    Ready {
        /// Its class.
        priority: Priority,
        /// Its turn.
        turn: u64,
    },
    /// In the hands of a worker.
    Held {
        /// The worker.
        worker: WorkerId,
        /// The turn that the job takes again when it goes back.
        turn: u64,
        /// When the attempt before this one had started.
        started_before: Option<Timestamp>,
    },
    /// Among the finished.
    Finished {
        /// When.
        at: Timestamp,
        /// When it is forgotten.
        expires_at: Timestamp,
    },
}

/// A lapse that counted as a crash.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lapse {
    pub(super) worker: WorkerId,
    pub(super) attempt: u32,
}

/// What the last settled attempt left.
#[derive(Debug, Default)]
pub(super) struct LastAttempt {
    pub(super) digest: Option<Digest>,
    pub(super) outcome: Option<OutcomeKind>,
    pub(super) result: Option<Payload>,
    pub(super) error: Option<Box<ErrorReport>>,
    pub(super) usage: Option<Usage>,
}

/// What attempts had to say while they ran.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) progress: Option<Progress>,
    pub(super) checkpoint: Option<Payload>,
    pub(super) log: VecDeque<LogLine>,
}

impl Record {
    /// The job as it is shown.
    pub(super) fn view(&self) -> Job {
        let last = self.last.as_deref();
        let notes = self.notes.as_deref();
        let completed_at = match self.place {
            Place::Finished { at, .. } => Some(at),
            _ => None,
        };
        Job {
            spec: Arc::clone(&self.spec),
            state: self.state,
            attempt: self.attempt,
            failures: self.failures,
            crashes: self.crashes,
            digest: last.and_then(|last| last.digest),
            enqueued_at: self.enqueued_at,
            run_at: self.run_at,
            started_at: self.started_at,
            completed_at,
            outcome: last.and_then(|last| last.outcome),
            result: last.and_then(|last| last.result.clone()),
            error: last.and_then(|last| last.error.as_deref().cloned()),
            usage: last.and_then(|last| last.usage),
            progress: notes.and_then(|notes| notes.progress.clone()),
            checkpoint: notes.and_then(|notes| notes.checkpoint.clone()),
        }
    }

    /// The job as its worker gets it.
    pub(super) fn leased(&self) -> Leased {
        Leased {
            spec: Arc::clone(&self.spec),
            attempt: self.attempt,
            failures: self.failures,
            crashes: self.crashes,
            enqueued_at: self.enqueued_at,
            checkpoint: self.notes.as_deref().and_then(|notes| notes.checkpoint.clone()),
        }
    }

    /// Whether the fence lets this worker speak for the job in this attempt.
    pub(super) fn is_held_by(&self, by: WorkerId, attempt: u32) -> bool {
        matches!(self.place, Place::Held { worker, .. } if worker == by) && self.attempt == attempt
    }

    /// Whether the job is finished and its time to be kept is over.
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        matches!(self.place, Place::Finished { expires_at, .. } if expires_at <= now)
    }

    /// What the next settled attempt is written to; the plugin's version stays until another ran.
    pub(super) fn last_mut(&mut self) -> &mut LastAttempt {
        self.last.get_or_insert_default()
    }

    pub(super) fn notes_mut(&mut self) -> &mut Notes {
        self.notes.get_or_insert_default()
    }

    /// Sets the time of the next attempt, if this event leads to one.
    pub(super) fn put_off(&mut self, event: &Event, delay: Option<Duration>, now: Timestamp) {
        if let (Some(delay), Ok(JobState::Scheduled)) = (delay, self.state.apply(event)) {
            self.run_at = now.after(delay);
        }
    }

    /// Counts the death of the worker that holds the job.
    pub(super) fn count_crash(&mut self) {
        self.crashes += 1;
        if let Place::Held { worker, .. } = self.place {
            self.lapse = Some(Box::new(Lapse { worker, attempt: self.attempt }));
        }
    }

    /// Takes a crash back that was counted by this lapse, unless the job's life has ended; answers
    /// whether there was one.
    pub(super) fn uncount_crash(&mut self, lapse: &Lapse) -> bool {
        let counted = !self.state.is_final() && self.lapse.as_deref() == Some(lapse);
        if counted {
            self.crashes = self.crashes.saturating_sub(1);
            self.lapse = None;
        }
        counted
    }

    /// Takes the running attempt back as if it had never started.
    pub(super) fn uncount_attempt(&mut self) {
        if let Place::Held { started_before, .. } = self.place {
            self.attempt = self.attempt.saturating_sub(1);
            self.started_at = started_before;
        }
    }
}
