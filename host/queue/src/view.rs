//! What a queue shows of itself.

use std::time::Duration;

use gristmill_job::{Job, JobId, PluginName, QueueName, StateName};

/// Which jobs to list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The queue.
    pub queue: QueueName,
    /// Only jobs in this state.
    pub state: Option<StateName>,
    /// Only jobs of this plugin.
    pub plugin: Option<PluginName>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
    /// How many jobs at most; [`Config::page_items_max`](crate::Config) bounds it.
    pub limit: usize,
}

/// Where a listing goes on; opaque to users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A page of jobs.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Where to go on; none: this was the last page. A page may be short, or empty, and yet have a
    /// cursor: the work for each page is bounded.
    pub cursor: Option<Cursor>,
}

/// What became of a wish to change a job.
#[derive(Debug, Clone)]
pub enum Changed {
    /// It was done, or will be by the job's worker; the job as it is now.
    Done(Box<Job>),
    /// There is no such job.
    NotFound,
    /// Its state doesn't allow it; the job as it is.
    Refused(Box<Job>),
    /// Its unique key is held by this job.
    UniqueConflict(JobId),
}

/// How many jobs are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`StateName::Scheduled`].
    pub scheduled: u64,
    /// [`StateName::Queued`].
    pub queued: u64,
    /// [`StateName::Running`].
    pub running: u64,
    /// [`StateName::Completed`], as far as they are kept.
    pub completed: u64,
    /// [`StateName::Failed`], as far as they are kept.
    pub failed: u64,
    /// [`StateName::Cancelled`], as far as they are kept.
    pub cancelled: u64,
}

/// How many jobs there ever were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Jobs taken over.
    pub enqueued: u64,
    /// Jobs that were completed.
    pub completed: u64,
    /// Jobs that were failed for good.
    pub failed: u64,
    /// Jobs that were cancelled.
    pub cancelled: u64,
    /// Attempts that failed and were tried again.
    pub retried: u64,
    /// Leases given back untouched.
    pub released: u64,
    /// Leases taken from workers whose lease had lapsed.
    pub reaped: u64,
}

/// How a queue stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// The queue.
    pub queue: QueueName,
    /// Whether leasing is stopped.
    pub paused: bool,
    /// Jobs by state.
    pub counts: Counts,
    /// Jobs over all time.
    pub totals: Totals,
    /// The age of the oldest job that is ready to run: what to scale by.
    pub latency: Duration,
    /// What the waiting jobs weigh, in bytes.
    pub waiting_bytes: u64,
}

impl QueueStatus {
    /// How a queue stands that was never used.
    #[must_use]
    pub fn empty(queue: QueueName) -> Self {
        Self {
            queue,
            paused: false,
            counts: Counts::default(),
            totals: Totals::default(),
            latency: Duration::ZERO,
            waiting_bytes: 0,
        }
    }
}

/// What the back-end says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Its name: `memory` or `redis`.
    pub backend: &'static str,
    /// What a user should know of it, in one line.
    pub note: String,
    /// Whether jobs survive a restart.
    pub durable: bool,
    /// Round trips to a server, of this process and so far; 0 where there is none.
    pub round_trips: u64,
}
