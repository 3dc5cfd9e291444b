//! What happened in a run, from all who saw something of it.

use std::collections::HashMap;
use std::time::Duration;

use gristmill_job::{JobId, QueueName, StateName};
use gristmill_queue::QueueStatus;

/// What happened in a run. All times are from its start, on one clock.
#[derive(Debug, Default)]
pub struct History {
    /// The jobs that a producer was told are taken over.
    pub accepted: Vec<Accepted>,
    /// What the workers told, in the order in which it was read.
    pub seen: Vec<Seen>,
    /// The jobs' records as the queue gives them at the end.
    pub records: HashMap<JobId, Record>,
    /// How the queues stand at the end.
    pub queues: Vec<Standing>,
    /// When the server forgot the last that it had said yes to, if its setting allows for that.
    pub rollbacks: Vec<Duration>,
    /// When processes of workers were killed.
    pub kills: Vec<Kill>,
}

/// A job that a producer was told is taken over.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The job.
    pub id: JobId,
    /// Where it was put.
    pub queue: QueueName,
    /// When the producer heard of it.
    pub at: Duration,
}

/// A process of a worker: one is started anew under another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessNumber(pub usize);

/// What a worker told.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: Duration,
    /// Who.
    pub process: ProcessNumber,
    /// About which job.
    pub job: JobId,
    /// In which attempt.
    pub attempt: u32,
    /// What.
    pub what: What,
}

/// What a worker tells of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It begins.
    Begun,
    /// Its outcome is recorded, and left the job in this state.
    Settled(StateName),
    /// Its job was given back untouched.
    Released,
    /// Its worker interrupts it, since its lease may end.
    Stopped,
    /// It was in vain.
    Lost,
}

/// A job's record at the end.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it is in its life.
    pub state: StateName,
    /// Its starts.
    pub attempt: u32,
    /// Its counted failures.
    pub failures: u32,
    /// Its workers' deaths.
    pub crashes: u32,
}

/// How a queue stands at the end.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What it says of itself.
    pub status: QueueStatus,
    /// The jobs that it lists, by the state that was asked for.
    pub listed: Vec<(StateName, JobId)>,
}

/// The end of a worker's process.
#[derive(Debug, Clone, Copy)]
pub struct Kill {
    /// When.
    pub at: Duration,
    /// Who.
    pub process: ProcessNumber,
    /// Nothing else went wrong until its jobs had been given their time to run elsewhere.
    pub alone: bool,
}

impl What {
    /// The state in which it left the job for good.
    #[must_use]
    pub fn ended_in(self) -> Option<StateName> {
        match self {
            Self::Settled(state) => is_final(state).then_some(state),
            Self::Begun | Self::Released | Self::Stopped | Self::Lost => None,
        }
    }
}

/// Whether a job's life has ended.
#[must_use]
pub fn is_final(state: StateName) -> bool {
    match state {
        StateName::Completed | StateName::Failed | StateName::Cancelled => true,
        StateName::Scheduled | StateName::Queued | StateName::Running => false,
    }
}
