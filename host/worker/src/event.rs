//! What a worker tells while it works.

use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{
    ErrorReport, JobId, JobState, LogLine, NewJob, OutcomeKind, Progress, QueueName, Usage,
    WorkerId,
};

/// What happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The worker has begun, or goes on under a new id.
    WorkerStarted {
        /// Its id.
        worker: WorkerId,
    },
    /// An attempt begins.
    AttemptStarted {
        /// The job.
        job: Arc<NewJob>,
        /// Which attempt.
        attempt: u32,
    },
    /// A guest logged a line.
    Logged {
        /// The job.
        job: JobId,
        /// The line.
        line: LogLine,
    },
    /// A guest said how far it is.
    Progressed {
        /// The job.
        job: JobId,
        /// How far.
        progress: Progress,
    },
    /// An attempt's outcome is recorded.
    Settled {
        /// The job.
        job: Arc<NewJob>,
        /// Which attempt.
        attempt: u32,
        /// What it came to.
        outcome: OutcomeKind,
        /// What that led to: completed, scheduled for a retry, failed or cancelled.
        state: JobState,
        /// Why it failed, if it did.
        error: Option<Box<ErrorReport>>,
        /// What it used.
        usage: Usage,
        /// How long the job waited from when it could run to its first attempt; told with that one alone.
        waited: Option<Duration>,
    },
    /// A job was given back untouched.
    Released {
        /// The job.
        job: Arc<NewJob>,
        /// The attempt that doesn't count.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// A job was sent back for a moment: as many attempts of its function as may run do so already.
    Deferred {
        /// The job.
        job: JobId,
        /// The attempt that doesn't count.
        attempt: u32,
    },
    /// An attempt is interrupted before it has ended: its lease wasn't renewed in time, and others may
    /// soon take the job. What becomes of the job is told once the queue can be reached again.
    Stopped {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// A settlement was refused: the job is another worker's by now.
    LeaseLost {
        /// The job.
        job: JobId,
        /// The attempt that was in vain.
        attempt: u32,
    },
    /// The queue can't be reached; the worker goes on trying.
    QueueUnavailable {
        /// Which queue.
        queue: QueueName,
        /// Why.
        error: String,
    },
    /// The queue can be reached again.
    QueueAvailable {
        /// Which queue.
        queue: QueueName,
    },
    /// The worker has come to its end.
    WorkerStopped {
        /// Its id.
        worker: WorkerId,
    },
}

/// Who hears of events. Called in the middle of the work, from several threads, so it must neither
/// wait nor panic.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of an event.
    fn observe(&self, event: &Event);
}

/// Nobody listens.
impl Observer for () {
    fn observe(&self, _event: &Event) {}
}

/// Both listen.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&self, event: &Event) {
        self.0.observe(event);
        self.1.observe(event);
    }
}

/// All of them listen.
impl Observer for Vec<Arc<dyn Observer>> {
    fn observe(&self, event: &Event) {
        for observer in self {
            observer.observe(event);
        }
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event) {
        (**self).observe(event);
    }
}
