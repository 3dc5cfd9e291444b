//! What every back-end does.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gristmill_job::{Job, JobId, LogLine, NewJob, QueueName, Verdict, WorkerId};

use crate::{
    Changed, Cycle, CycleReply, Error, Filter, Held, Info, Page, QueueStatus, Reaped, Resynced,
    Roster, Woken,
};

/// What back-ends may differ in; the conformance suite consults it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Jobs survive a restart of the process that enqueued them.
    pub durable: bool,
    /// Workers in other processes can take the jobs.
    pub shared: bool,
    /// Times are kept this exactly.
    pub time_precision: Duration,
}

/// A queue: named lines of waiting jobs, and everything that is known of the jobs.
///
/// Every method is one step: it happens whole or not at all, and after an [`Error::Unavailable`]
/// it may or may not have happened. All of them may be repeated: what was done already isn't done
/// again. Dropping a returned future may leave the step done or undone, never half done.
///
/// Classes of urgency are served in their order, but for one pick in
/// [`Config::low_priority_share`](crate::Config). Within a class jobs go in the order in which they
/// became ready: were enqueued, came due, or were requeued. A job that goes back untouched, because
/// it was released, forgotten or its worker died, goes before all that have waited behind it.
#[async_trait]
pub trait Queue: Send + Sync + 'static {
    /// What this back-end differs in.
    fn traits(&self) -> Traits;

    /// Takes new jobs over, a verdict each in their order. The batch may mix queues. A job whose id
    /// is known is a duplicate, whatever else stands in its way.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`Config::batch_items_max`](crate::Config); [`Error::Unavailable`].
    async fn enqueue(&self, batch: Vec<NewJob>) -> Result<Vec<Verdict>, Error>;

    /// Takes one new job over and waits for its end: what [`Self::enqueue`] and [`Self::wait`] do one after
    /// the other, in fewer steps where a back-end has them. A job that is neither created nor a duplicate
    /// isn't waited for. A back-end gives the end of a job whose result isn't kept, too, however soon it comes;
    /// what is here as the default may miss it. Dropped, it leaves the job enqueued or not.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: the job may or may not be enqueued.
    async fn run(&self, job: NewJob, patience: Duration) -> Result<(Verdict, Option<Job>), Error> {
        let id = job.id;
        let verdict = self.enqueue(vec![job]).await?.pop().ok_or_else(crate::error::no_verdict)?;
        let job = match verdict {
            Verdict::Created | Verdict::Duplicate => self.wait(id, patience).await?,
            Verdict::UniqueConflict(_) | Verdict::Rejected(_) => None,
        };
        Ok((verdict, job))
    }

    /// One turn of a worker on one queue: stores notes, settles what finished, renews the lease,
    /// promotes what is due and leases the next jobs, in this order. Settlements and notes are taken
    /// out of the cycle; after an error they are still there, to be sent again.
    ///
    /// # Errors
    /// [`Error::WorkerReaped`]: nothing happened, and the worker must go on under a new id; a worker
    /// that claims to hold something where it has no lease was reaped, too;
    /// [`Error::TooLarge`]: nothing happened; [`Error::Unavailable`]: resync before the next cycle.
    async fn cycle(&self, cycle: &mut Cycle) -> Result<CycleReply, Error>;

    /// Agrees with a worker on what it holds: jobs that the queue holds for this worker and the
    /// worker doesn't know of go back uncounted to the head of their line. Renews nothing.
    ///
    /// # Errors
    /// [`Error::WorkerReaped`]; [`Error::Unavailable`].
    async fn resync(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error>;

    /// Takes its jobs from a worker whose lease has lapsed, a bounded number at a time: each goes to
    /// the head of its line with one more crash, or is failed as poisoned. The worker's id is
    /// refused for ever. Does nothing while the lease runs.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn reap(&self, queue: &QueueName, worker: WorkerId) -> Result<Reaped, Error>;

    /// Takes back the crashes that reaping this worker counted: it lives, and says so as soon as it
    /// learns that it was reaped. Of the jobs that it held, those are corrected that still wait or
    /// run, and whose last lapse was this worker's in this attempt; each once. What has come to
    /// its end (as poisoned, too), was requeued, or has lapsed under another worker since, stays as
    /// it is. Answers how many were corrected.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`Config::batch_items_max`](crate::Config); [`Error::Unavailable`].
    async fn absolve(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<usize, Error>;

    /// Waits until a cycle on one of `queues` may find work, or until there is something else for
    /// this worker to fetch, such as a cancel request; a worker without free slots names no queue.
    /// A hint: it may come late, for nothing, or not at all, so callers bound their wait. It brings
    /// jobs that were leased meanwhile; see [`Cycle::assignable`]. Safe to drop: what it would have
    /// brought comes next time.
    async fn wake(&self, worker: WorkerId, queues: &[QueueName]) -> Woken;

    /// A job, as long as its record is kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn get(&self, id: JobId) -> Result<Option<Job>, Error>;

    /// A job as soon as its life has ended, even if its record isn't kept, or as it is when
    /// `patience` is over; none as soon as it is removed. Safe to drop.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn wait(&self, id: JobId, patience: Duration) -> Result<Option<Job>, Error>;

    /// The log lines that a job's attempts left, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn logs(&self, id: JobId) -> Result<Option<Vec<LogLine>>, Error>;

    /// Jobs of one queue, newest first, a bounded page at a time. A job that stays where it is from
    /// the first page to the last is listed exactly once.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`]; [`Error::Unavailable`].
    async fn list(&self, filter: &Filter) -> Result<Page, Error>;

    /// Asks for a job to be cancelled: at once where it waits, by its worker where it runs. May be
    /// repeated while it runs; refused once the job's life has ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn cancel(&self, id: JobId) -> Result<Changed, Error>;

    /// Runs a failed or cancelled job again, with its counters of failures and crashes at zero and
    /// its unique key taken again.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn requeue(&self, id: JobId) -> Result<Changed, Error>;

    /// Forgets a job that isn't running, wherever it is in its life.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn remove(&self, id: JobId) -> Result<Changed, Error>;

    /// Forgets all failed jobs of a queue and answers how many there were.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn clear_failed(&self, queue: &QueueName) -> Result<u64, Error>;

    /// Stops or resumes leasing from a queue; enqueueing, and what runs, go on.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), Error>;

    /// The queues that were ever used, by name.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn queues(&self) -> Result<Vec<QueueName>, Error>;

    /// How a queue stands; an unused one is empty.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn status(&self, queue: &QueueName) -> Result<QueueStatus, Error>;

    /// What processes that share the queue say of themselves; none, where no other can share it.
    fn roster(&self) -> Option<Arc<dyn Roster>> {
        None
    }

    /// What the back-end says of itself.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn info(&self) -> Result<Info, Error>;
}
