//! How a worker works.

use std::num::NonZeroUsize;
use std::time::Duration;

use gristmill_job::QueueName;

/// How a worker works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The queues to take jobs from.
    pub queues: Vec<Share>,
    /// Which of them comes first.
    pub order: Order,
    /// Attempts at one time; 4 for each core by default, since guests also wait for host calls.
    pub concurrency: usize,
    /// How long a lease runs: a worker that died is noticed this long after it last renewed. At
    /// least [`LEASE_MIN`].
    pub lease: Duration,
    /// How long running attempts may go on at shutdown before they are interrupted and released.
    pub grace: Duration,
    /// How long a job waits for a plugin that nobody has before it is failed as `unknown-plugin`.
    pub unknown_plugin_patience: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            queues: vec![QueueName::default().into()],
            order: Order::default(),
            concurrency: 4 * std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            lease: Duration::from_secs(10),
            grace: Duration::from_secs(10),
            unknown_plugin_patience: Duration::from_secs(600),
        }
    }
}

/// A queue to take jobs from, and what of the worker is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The queue.
    pub queue: QueueName,
    /// How many of its jobs are taken for each one of a queue with weight 1, as long as both have any;
    /// at least 1.
    pub weight: u32,
    /// How many of its jobs may be held at one time; as many as the worker holds, if not said.
    pub concurrency: Option<usize>,
}

impl From<QueueName> for Share {
    fn from(queue: QueueName) -> Self {
        Self { queue, weight: 1, concurrency: None }
    }
}

/// Which queue comes first where several have jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The one that had least of its share: all of them get on, by their weights.
    #[default]
    Weighted,
    /// The one that is named first: the others get what it leaves.
    Strict,
}

/// The shortest lease: it is renewed every third of it, and a worker whose machine or network pauses
/// for longer than two thirds loses its jobs.
pub const LEASE_MIN: Duration = Duration::from_secs(1);

/// The part of a lease that is left when the worker stops what runs under it: an interrupted guest
/// ends at its next tick (10 ms), and the rest is for a machine that is busy.
const LEASE_MARGIN_SHARE: u32 = 10;
/// Timers stand while the machine is suspended: a lease that ended meanwhile is noticed this long
/// after it, by the clock that doesn't.
pub(crate) const CLOCK_CHECK: Duration = Duration::from_millis(250);

/// How long after the sending of a cycle its lease may be relied upon.
pub(crate) fn usable(lease: Duration) -> Duration {
    lease - lease / LEASE_MARGIN_SHARE
}

/// Settlements and notes in one cycle, and jobs leased by one: below every queue's own bound.
pub(crate) const BATCH_ITEMS_MAX: usize = 256;
/// Jobs that are leased ahead at most: while the queue settles one batch and leases the next, executors have
/// another to run.
pub(crate) const AHEAD_ITEMS_MAX: usize = 2 * BATCH_ITEMS_MAX;
/// Bytes of input leased by one cycle.
pub(crate) const BATCH_BYTES_MAX: usize = 16 << 20;
/// Finished attempts that are worth a cycle of their own while executors are busy.
pub(crate) const FLUSH_ITEMS: usize = 64;
/// How long a finished attempt waits for company while executors are busy. When one of them has
/// nothing to do, nobody waits.
pub(crate) const LINGER: Duration = Duration::from_millis(1);
/// Jobs are leased ahead for about this long, as fast as they went last: enough to hide a round
/// trip, too short to be unfair to other workers.
pub(crate) const PREFETCH_WINDOW: Duration = Duration::from_millis(5);
/// The longest wait between two cycles of an idle worker: wake-ups are hints.
pub(crate) const BACKSTOP: Duration = Duration::from_secs(1);
/// How old a queue's word may be that it has no jobs, while jobs of another are taken: nobody listens for
/// hints then, and the queue may come first.
pub(crate) const EMPTY_TRUSTED: Duration = Duration::from_millis(100);
/// The first wait after the queue could not be reached; it doubles up to [`BACKSTOP`].
pub(crate) const RECONNECT_BASE: Duration = Duration::from_millis(50);
/// The wait of a job that is released because the host is unwell or its plugin isn't there, at
/// least and at most; between, it is a quarter of the job's age.
pub(crate) const RELEASE_DELAY_MIN: Duration = Duration::from_secs(1);
pub(crate) const RELEASE_DELAY_MAX: Duration = Duration::from_secs(30);
/// The wait of a job that is sent back because its manifest lets no more attempts run at one time, at
/// least and at most; between, it is a sixteenth of the job's age, so that many such jobs don't keep the
/// queue busy.
pub(crate) const BUSY_DELAY_MIN: Duration = Duration::from_millis(100);
pub(crate) const BUSY_DELAY_MAX: Duration = Duration::from_secs(10);
/// How long a stopping worker goes on trying to reach the queue for its last settlements. Past it,
/// the lease gives the jobs back.
pub(crate) const LAST_CYCLE_PATIENCE: Duration = Duration::from_secs(5);
/// How long the jobs that an attempt enqueued wait to be told which versions serve: a round trip to a
/// healthy server, and much less than a lease.
pub(crate) const PIN_PATIENCE: Duration = Duration::from_secs(1);
