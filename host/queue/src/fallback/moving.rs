//! Moving jobs from the standby to the primary.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gristmill_job::{Job, JobState, NewJob, QueueName, Start, StateName, Verdict};

use super::FallbackQueue;
use crate::{Error, Filter, Queue};

/// Jobs that one step moves: a batch that any back-end takes.
const BATCH_ITEMS: usize = 64;

/// What a switch to the primary did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Jobs that wait in the primary now.
    pub moved: u64,
    /// Jobs that had not started and still wait in this process, where they will run: the primary had
    /// no room for them, or another job held their unique key there.
    pub left: u64,
}

/// Where the moving of jobs stands.
#[derive(Default)]
pub(super) struct Moving {
    /// Queues of the standby that lease nothing until their jobs are moved. Users don't know of it.
    held_back: HashSet<QueueName>,
    moved: HashMap<QueueName, u64>,
}

impl Moving {
    /// How many jobs of this queue were moved.
    pub(super) fn moved(&self, queue: &QueueName) -> u64 {
        self.moved.get(queue).copied().unwrap_or_default()
    }

    /// A user stops or resumes a queue of the standby.
    pub(super) async fn set_paused(
        &mut self,
        standby: &dyn Queue,
        queue: &QueueName,
        paused: bool,
    ) -> Result<(), Error> {
        if !self.held_back.contains(queue) {
            return standby.set_paused(queue, paused).await;
        }
        if paused {
            self.held_back.remove(queue);
        }
        Ok(())
    }
}

impl FallbackQueue {
    /// Makes `primary` the queue from now on, and moves jobs there that haven't started. Until all of
    /// them are moved nothing more starts in the standby, so that none runs in two places.
    ///
    /// May be repeated with the same primary, and must be after an error; safe to drop then.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: some jobs are not moved yet.
    pub async fn switch_to(&self, primary: Arc<dyn Queue>) -> Result<Moved, Error> {
        let queues = self.standby.queues().await?;
        let mut paused = Vec::new();
        {
            let mut moving = self.moving.lock().await;
            for queue in &queues {
                if !self.hold_back(&mut moving, queue).await? {
                    paused.push(queue);
                }
            }
        }
        self.primary.send_replace(Some(Arc::clone(&primary)));
        for queue in paused {
            primary.set_paused(queue, true).await?;
        }
        let mut all = Moved::default();
        for queue in &queues {
            for state in [StateName::Queued, StateName::Scheduled] {
                let waiting = self.waiting(queue, state).await?;
                for batch in waiting.chunks(BATCH_ITEMS) {
                    let some = self.shift(&*primary, queue, batch).await?;
                    all.moved += some.moved;
                    all.left += some.left;
                }
            }
            let mut moving = self.moving.lock().await;
            if moving.held_back.remove(queue) {
                self.standby.set_paused(queue, false).await?;
            }
        }
        Ok(all)
    }

    /// Lets nothing more of a queue start in the standby; false: a user has paused it.
    async fn hold_back(&self, moving: &mut Moving, queue: &QueueName) -> Result<bool, Error> {
        if moving.held_back.contains(queue) {
            return Ok(true);
        }
        if self.standby.status(queue).await?.paused {
            return Ok(false);
        }
        self.standby.set_paused(queue, true).await?;
        moving.held_back.insert(queue.clone());
        Ok(true)
    }

    /// The jobs that never started, in the order in which they were enqueued.
    async fn waiting(&self, queue: &QueueName, state: StateName) -> Result<Vec<Job>, Error> {
        let mut filter = Filter {
            queue: queue.clone(),
            state: Some(state),
            plugin: None,
            cursor: None,
            limit: usize::MAX,
        };
        let mut waiting = Vec::new();
        loop {
            let page = self.standby.list(&filter).await?;
            waiting.extend(page.jobs.into_iter().filter(never_started));
            if page.cursor.is_none() {
                waiting.reverse();
                return Ok(waiting);
            }
            filter.cursor = page.cursor;
        }
    }

    /// Moves a batch of one queue. A job is in both places for a moment; there the standby's is the
    /// one that can't start.
    async fn shift(
        &self,
        primary: &dyn Queue,
        queue: &QueueName,
        batch: &[Job],
    ) -> Result<Moved, Error> {
        let mut moving = self.moving.lock().await;
        let mut jobs = Vec::with_capacity(batch.len());
        for job in batch {
            // Since it was listed somebody may have changed it.
            let now = self.standby.get(job.spec.id).await?;
            jobs.extend(now.filter(never_started).map(|job| to_be_moved(&job)));
        }
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let verdicts = primary.enqueue(jobs).await?;
        let mut some = Moved::default();
        for (id, verdict) in ids.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Created | Verdict::Duplicate => {
                    self.standby.remove(id).await?;
                    some.moved += 1;
                }
                Verdict::UniqueConflict(_) | Verdict::Rejected(_) => some.left += 1,
            }
        }
        *moving.moved.entry(queue.clone()).or_default() += some.moved;
        Ok(some)
    }
}

/// Whether nothing but its place ties a job to its queue.
fn never_started(job: &Job) -> bool {
    let waits = matches!(job.state, JobState::Queued | JobState::Scheduled);
    waits && job.attempt == 0 && job.failures == 0 && job.crashes == 0
}

/// The job for another queue, with the same time to start.
fn to_be_moved(job: &Job) -> NewJob {
    let start = match job.state {
        JobState::Scheduled => Start::At(job.run_at),
        _ => Start::Now,
    };
    NewJob { start, ..NewJob::clone(&job.spec) }
}
