//! Jobs straight to Redis, past any daemon: held against what the fleet's plugins say of themselves.

use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{Job, JobId, NewJob, Rejection, Verdict};
use gristmill_queue::Queue;
use gristmill_runtime::Descriptions;
use gristmill_shelf::Shelf;

use crate::error::{Error, taken};
use crate::redis::{self, RedisError};

/// Puts jobs into the queue on a Redis server. A job of a plugin that the fleet shares there is checked
/// against its description first, as by a daemon, and is pinned to that version unless it is to run on
/// the latest. Of others the workers judge.
pub struct Producer {
    queue: Arc<dyn Queue>,
    descriptions: Descriptions,
}

impl Producer {
    /// Connects to the Redis server at an address such as `redis://127.0.0.1:6379/0`, on the async runtime
    /// that this is called on.
    ///
    /// # Errors
    /// [`RedisError::Address`], [`RedisError::Connect`].
    pub async fn connect(url: &str) -> Result<Self, RedisError> {
        Ok(Self::over(redis::queue(url).await?, redis::shelf(url)?))
    }

    /// A producer over these, wherever they are.
    #[must_use]
    pub fn over(queue: Arc<dyn Queue>, shelf: Arc<dyn Shelf>) -> Self {
        Self { queue, descriptions: Descriptions::new(shelf) }
    }

    /// Where the jobs wait.
    #[must_use]
    pub fn queue(&self) -> &Arc<dyn Queue> {
        &self.queue
    }

    /// Checks a job and enqueues it. Repeating it with the same id is harmless.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::UniqueConflict`], [`Error::Queue`], [`Error::Shelf`].
    pub async fn enqueue(&self, job: NewJob) -> Result<JobId, Error> {
        let id = job.id;
        let verdict = self.enqueue_many(vec![job]).await?.pop();
        verdict.map_or(Ok(()), taken).map(|()| id)
    }

    /// Checks a job, enqueues it and waits for its end: the job as it then is, or as it is when `patience`
    /// is over; none, if it was removed. Dropped, it leaves the job to its life.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::UniqueConflict`], [`Error::Queue`], [`Error::Shelf`].
    pub async fn run(&self, mut job: NewJob, patience: Duration) -> Result<Option<Job>, Error> {
        self.check(&mut job).await?;
        let (verdict, job) = self.queue.run(job, patience).await?;
        taken(verdict).map(|()| job)
    }

    /// Checks jobs and enqueues those that pass, in one step; a verdict each, in their order.
    ///
    /// # Errors
    /// [`Error::Queue`], [`Error::Shelf`]: nothing was enqueued, or, where the queue can't be reached,
    /// perhaps all that passed.
    pub async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::with_capacity(jobs.len());
        let mut admitted = Vec::with_capacity(jobs.len());
        for mut job in jobs {
            match self.admit(&mut job).await? {
                Ok(()) => {
                    verdicts.push(None);
                    admitted.push(job);
                }
                Err(rejection) => verdicts.push(Some(Verdict::Rejected(rejection))),
            }
        }
        let mut enqueued = match admitted.is_empty() {
            true => Vec::new(),
            false => self.queue.enqueue(admitted).await?,
        }
        .into_iter();
        Ok(verdicts.into_iter().filter_map(|verdict| verdict.or_else(|| enqueued.next())).collect())
    }

    /// Checks a job whose plugin is shared, and fills in which function and which version it is, for whoever
    /// enqueues it then.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::Shelf`].
    pub async fn check(&self, job: &mut NewJob) -> Result<(), Error> {
        Ok(self.admit(job).await??)
    }

    /// Checks a job whose plugin is shared, and fills in which function and which version it is.
    async fn admit(&self, job: &mut NewJob) -> Result<Result<(), Rejection>, Error> {
        match self.descriptions.of(&job.plugin, job.digest).await? {
            Some(described) => Ok(described.admit(job)),
            None => Ok(Ok(())),
        }
    }
}
