//! What a worker and a queue tell each other.

use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{
    Digest, ErrorReport, JobId, LogLine, NewJob, OutcomeKind, Payload, Progress, QueueName,
    Timestamp, Usage, WorkerId,
};

/// What a worker holds: a job in one attempt. With the worker's id it is the fence: a settlement
/// counts only while all three match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Held {
    /// The job.
    pub id: JobId,
    /// The attempt.
    pub attempt: u32,
}

/// One turn of a worker on one queue.
#[derive(Debug)]
pub struct Cycle {
    /// The queue.
    pub queue: QueueName,
    /// The worker; its first cycle makes its lease.
    pub worker: WorkerId,
    /// How long the lease shall run from now.
    pub lease: Duration,
    /// What finished since the last cycle.
    pub settlements: Vec<Settlement>,
    /// What running attempts have to say.
    pub notes: Vec<Note>,
    /// How many jobs the worker holds beside those it settles here. Where the queue counts others,
    /// it asks for a resync.
    pub held: usize,
    /// How many jobs to lease.
    pub want: usize,
    /// How many bytes of input to lease; the first job comes whatever it weighs.
    pub want_bytes: usize,
    /// Whether the queue may lease a job to the worker before its next cycle, if it wanted more jobs than
    /// there were: a back-end may, where that saves the job a round trip. The job comes by
    /// [`Queue::wake`] or with the next cycle, and is held under the lease that this cycle renews.
    ///
    /// [`Queue::wake`]: crate::Queue::wake
    pub assignable: bool,
}

impl Cycle {
    /// A cycle that has nothing to tell and wants nothing, whatever that would weigh.
    #[must_use]
    pub fn new(queue: QueueName, worker: WorkerId, lease: Duration) -> Self {
        Self {
            queue,
            worker,
            lease,
            settlements: Vec::new(),
            notes: Vec::new(),
            held: 0,
            want: 0,
            want_bytes: usize::MAX,
            assignable: false,
        }
    }
}

/// The end of an attempt, as it is recorded.
#[derive(Debug)]
pub enum Settlement {
    /// The job is completed.
    Complete {
        /// What is settled.
        held: Held,
        /// The version of the plugin that ran.
        digest: Digest,
        /// The result.
        result: Option<Payload>,
        /// What the attempt used.
        usage: Usage,
        /// Jobs to be enqueued in the same step. They are taken even where the queue is full:
        /// nothing could be done with a refusal, and each attempt's number is bounded.
        follow_ups: Vec<NewJob>,
    },
    /// The attempt failed, which counts.
    Fail {
        /// What is settled.
        held: Held,
        /// The version of the plugin that ran, if one did.
        digest: Option<Digest>,
        /// How it failed.
        outcome: OutcomeKind,
        /// Why.
        error: ErrorReport,
        /// What the attempt used.
        usage: Usage,
        /// When to try again; not at all, if not said.
        retry: Option<Duration>,
    },
    /// The attempt was stopped because its job is being cancelled.
    Cancelled {
        /// What is settled.
        held: Held,
        /// What the attempt used, if it had started.
        usage: Option<Usage>,
    },
    /// The job goes back untouched; the attempt doesn't count.
    Release {
        /// What is given back.
        held: Held,
        /// How long it shall wait; none: it goes to the head of its line.
        delay: Option<Duration>,
    },
}

impl Settlement {
    /// What is settled.
    #[must_use]
    pub fn held(&self) -> Held {
        match self {
            Self::Complete { held, .. }
            | Self::Fail { held, .. }
            | Self::Cancelled { held, .. }
            | Self::Release { held, .. } => *held,
        }
    }
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is recorded; a job of which somebody wanted the end was cancelled instead of going back.
    Recorded,
    /// The worker doesn't hold this job in this attempt any more; nothing was changed.
    LeaseLost,
}

/// What a running attempt has to say. Notes on a job that isn't held any more are dropped.
#[derive(Debug)]
pub enum Note {
    /// How far it is.
    Progress(Held, Progress),
    /// State for the next attempt.
    Checkpoint(Held, Payload),
    /// Lines of its log.
    Log(Held, Vec<LogLine>),
}

/// A leased job.
#[derive(Debug, Clone)]
pub struct Leased {
    /// What its producer gave.
    pub spec: Arc<NewJob>,
    /// The attempt that this lease is for, from 1.
    pub attempt: u32,
    /// Counted failures before it.
    pub failures: u32,
    /// Deaths of a worker that held the job, as far as is known: see [`Queue::absolve`].
    ///
    /// [`Queue::absolve`]: crate::Queue::absolve
    pub crashes: u32,
    /// When the job was enqueued.
    pub enqueued_at: Timestamp,
    /// What an earlier attempt saved.
    pub checkpoint: Option<Payload>,
}

impl Leased {
    /// What the worker holds by this lease.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { id: self.spec.id, attempt: self.attempt }
    }
}

/// What a cycle gave.
#[derive(Debug, Default)]
pub struct CycleReply {
    /// The next jobs.
    pub jobs: Vec<Leased>,
    /// What became of each settlement, in order.
    pub verdicts: Vec<Settled>,
    /// Jobs of this worker that somebody wants cancelled. Repeated until they are settled.
    pub cancel: Vec<Held>,
    /// Workers on this queue whose lease has lapsed: to be reaped.
    pub lapsed: Vec<WorkerId>,
    /// How long until the next scheduled job is due.
    pub next_due: Option<Duration>,
    /// More jobs were ready than were wanted.
    pub more: bool,
    /// The queue holds other jobs for this worker than the worker said: resync.
    pub resync: bool,
}

/// What a worker was woken for.
#[derive(Debug, Default)]
pub struct Woken {
    /// Jobs that were leased to it since its last cycles; see [`Cycle::assignable`].
    pub assigned: Vec<(QueueName, Leased)>,
    /// Cycles may find something to do.
    pub ask: bool,
}

impl Woken {
    /// Woken to look for itself.
    #[must_use]
    pub fn to_ask() -> Self {
        Self { ask: true, ..Self::default() }
    }
}

/// What a resync found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resynced {
    /// Jobs that went back because the worker didn't know of them.
    pub returned: usize,
    /// What the worker believed to hold, and doesn't.
    pub lost: Vec<Held>,
}

/// What a reaping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Jobs that went back to their line.
    pub returned: usize,
    /// Jobs that were failed as poisoned.
    pub poisoned: usize,
    /// Jobs that were cancelled, since somebody had asked for it.
    pub cancelled: usize,
    /// There are jobs left: reap again.
    pub more: bool,
}
