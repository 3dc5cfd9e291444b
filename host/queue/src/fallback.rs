//! A queue that does what it can while the one that was asked for isn't there.
//!
//! Until [`FallbackQueue::switch_to`] everything goes to a standby in this process. From then on the
//! primary is the queue: new jobs go there, and jobs that wait in the standby and never started are
//! moved there. What has started in the standby is bound to its counters and its worker, so it ends
//! there; workers are served by both, and whoever asks for a job finds it in either.

mod moving;
mod seats;
mod turn;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gristmill_job::{Job, JobId, LogLine, NewJob, QueueName, Verdict, WorkerId};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

pub use self::moving::Moved;
use self::moving::Moving;
use self::seats::Seats;
use crate::{
    Changed, Cursor, Cycle, CycleReply, Error, Filter, Held, Info, Page, Queue, QueueStatus,
    Reaped, Resynced, Roster, Totals, Traits, Woken,
};

/// What a cursor into the standby begins with; one into the primary begins with [`IN_PRIMARY`].
const IN_STANDBY: char = 's';
const IN_PRIMARY: char = 'p';

/// A queue that does what it can while the one that was asked for isn't there.
pub struct FallbackQueue {
    /// A queue in this process, which never fails for reasons of its own.
    standby: Arc<dyn Queue>,
    primary: watch::Sender<Option<Arc<dyn Queue>>>,
    /// What workers hold of the standby.
    seats: Seats,
    /// Held while jobs are moved, so that none is changed in two places.
    moving: Mutex<Moving>,
}

impl FallbackQueue {
    /// A queue that is `standby` until it is told of a primary.
    #[must_use]
    pub fn new(standby: Arc<dyn Queue>) -> Self {
        let (primary, _) = watch::channel(None);
        Self { standby, primary, seats: Seats::default(), moving: Mutex::default() }
    }

    /// The primary, once there is one.
    fn primary(&self) -> Option<Arc<dyn Queue>> {
        self.primary.borrow().clone()
    }

    /// What new jobs go to.
    fn active(&self) -> Arc<dyn Queue> {
        self.primary().unwrap_or_else(|| Arc::clone(&self.standby))
    }

    /// Looks in the standby, then in the primary: jobs move in that direction only, so that none is
    /// missed on its way.
    async fn find<T, F>(&self, look: impl Fn(Arc<dyn Queue>) -> F) -> F::Output
    where
        F: Future<Output = Result<Option<T>, Error>>,
    {
        if let Some(found) = look(Arc::clone(&self.standby)).await? {
            return Ok(Some(found));
        }
        match self.primary() {
            Some(primary) => look(primary).await,
            None => Ok(None),
        }
    }

    /// Changes a job where it is, while none is being moved.
    async fn change<F>(&self, change: impl Fn(Arc<dyn Queue>) -> F) -> F::Output
    where
        F: Future<Output = Result<Changed, Error>>,
    {
        let _still = self.moving.lock().await;
        match (change(Arc::clone(&self.standby)).await?, self.primary()) {
            (Changed::NotFound, Some(primary)) => change(primary).await,
            (changed, _) => Ok(changed),
        }
    }
}

impl fmt::Debug for FallbackQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_primary = self.primary.borrow().is_some();
        f.debug_struct("FallbackQueue").field("has_primary", &has_primary).finish_non_exhaustive()
    }
}

#[async_trait]
impl Queue for FallbackQueue {
    fn traits(&self) -> Traits {
        self.active().traits()
    }

    async fn enqueue(&self, batch: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        let Some(primary) = self.primary() else { return self.standby.enqueue(batch).await };
        let mut verdicts = Vec::with_capacity(batch.len());
        let mut new = Vec::with_capacity(batch.len());
        for job in batch {
            let is_known = self.standby.get(job.id).await?.is_some();
            verdicts.push(is_known.then_some(Verdict::Duplicate));
            if !is_known {
                new.push(job);
            }
        }
        let mut enqueued = primary.enqueue(new).await?.into_iter();
        Ok(verdicts.into_iter().filter_map(|verdict| verdict.or_else(|| enqueued.next())).collect())
    }

    async fn run(&self, job: NewJob, patience: Duration) -> Result<(Verdict, Option<Job>), Error> {
        let (id, deadline) = (job.id, Instant::now() + patience);
        if let Some(primary) = self.primary()
            && self.standby.get(id).await?.is_none()
        {
            return primary.run(job, patience).await;
        }
        let (verdict, ended) = self.standby.run(job, patience).await?;
        let job = match (&verdict, ended) {
            // It was moved to the primary meanwhile.
            (Verdict::Created | Verdict::Duplicate, None) => {
                self.wait(id, deadline.saturating_duration_since(Instant::now())).await?
            }
            (_, ended) => ended,
        };
        Ok((verdict, job))
    }

    async fn cycle(&self, cycle: &mut Cycle) -> Result<CycleReply, Error> {
        match self.primary() {
            Some(primary) => self.cycle_both(&*primary, cycle).await,
            None => self.cycle_standby(cycle).await,
        }
    }

    async fn resync(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        match self.primary() {
            Some(primary) => self.resync_both(&*primary, queue, worker, held).await,
            None => self.resync_standby(queue, worker, held).await,
        }
    }

    async fn reap(&self, queue: &QueueName, worker: WorkerId) -> Result<Reaped, Error> {
        let mut reaped = self.standby.reap(queue, worker).await?;
        if let Some(primary) = self.primary() {
            let there = primary.reap(queue, worker).await?;
            reaped.returned += there.returned;
            reaped.poisoned += there.poisoned;
            reaped.cancelled += there.cancelled;
            reaped.more |= there.more;
        }
        Ok(reaped)
    }

    async fn absolve(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<usize, Error> {
        let mut corrected = self.standby.absolve(queue, worker, held).await?;
        if let Some(primary) = self.primary() {
            corrected += primary.absolve(queue, worker, held).await?;
        }
        Ok(corrected)
    }

    async fn wake(&self, worker: WorkerId, queues: &[QueueName]) -> Woken {
        let mut switched = self.primary.subscribe();
        let primary = switched.borrow_and_update().clone();
        let from_primary = async {
            match primary {
                Some(primary) => primary.wake(worker, queues).await,
                // It can't be closed, since its sender is here.
                None => {
                    let _ = switched.changed().await;
                    Woken::to_ask()
                }
            }
        };
        tokio::select! {
            woken = self.standby.wake(worker, queues) => woken,
            woken = from_primary => woken,
        }
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, Error> {
        self.find(move |queue| async move { queue.get(id).await }).await
    }

    async fn wait(&self, id: JobId, patience: Duration) -> Result<Option<Job>, Error> {
        let deadline = Instant::now() + patience;
        let patience = move || deadline.saturating_duration_since(Instant::now());
        self.find(move |queue| async move { queue.wait(id, patience()).await }).await
    }

    async fn logs(&self, id: JobId) -> Result<Option<Vec<LogLine>>, Error> {
        self.find(move |queue| async move { queue.logs(id).await }).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, Error> {
        let (place, inner) = match &filter.cursor {
            None => (IN_STANDBY, None),
            Some(Cursor(text)) => {
                let mut rest = text.chars();
                let place = rest.next().filter(|place| [IN_STANDBY, IN_PRIMARY].contains(place));
                let inner = Some(rest.as_str()).filter(|rest| !rest.is_empty());
                (place.ok_or(Error::InvalidCursor)?, inner.map(|rest| Cursor(rest.to_owned())))
            }
        };
        let primary = self.primary();
        let filter = Filter { cursor: inner, ..filter.clone() };
        let in_primary = async |filter| match &primary {
            Some(primary) => Ok(placed(IN_PRIMARY, primary.list(filter).await?)),
            None => Err(Error::InvalidCursor),
        };
        if place == IN_PRIMARY {
            return in_primary(&filter).await;
        }
        let here = placed(IN_STANDBY, self.standby.list(&filter).await?);
        if here.cursor.is_some() || primary.is_none() {
            return Ok(here);
        }
        if here.jobs.is_empty() {
            return in_primary(&Filter { cursor: None, ..filter }).await;
        }
        Ok(Page { cursor: Some(Cursor(IN_PRIMARY.into())), ..here })
    }

    async fn cancel(&self, id: JobId) -> Result<Changed, Error> {
        self.change(move |queue| async move { queue.cancel(id).await }).await
    }

    async fn requeue(&self, id: JobId) -> Result<Changed, Error> {
        self.change(move |queue| async move { queue.requeue(id).await }).await
    }

    async fn remove(&self, id: JobId) -> Result<Changed, Error> {
        self.change(move |queue| async move { queue.remove(id).await }).await
    }

    async fn clear_failed(&self, queue: &QueueName) -> Result<u64, Error> {
        let mut cleared = self.standby.clear_failed(queue).await?;
        if let Some(primary) = self.primary() {
            cleared += primary.clear_failed(queue).await?;
        }
        Ok(cleared)
    }

    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), Error> {
        let mut moving = self.moving.lock().await;
        if let Some(primary) = self.primary() {
            primary.set_paused(queue, paused).await?;
        }
        moving.set_paused(&*self.standby, queue, paused).await
    }

    async fn queues(&self) -> Result<Vec<QueueName>, Error> {
        let mut names = self.standby.queues().await?;
        if let Some(primary) = self.primary() {
            names.append(&mut primary.queues().await?);
            names.sort_unstable();
            names.dedup();
        }
        Ok(names)
    }

    async fn status(&self, queue: &QueueName) -> Result<QueueStatus, Error> {
        let here = self.standby.status(queue).await?;
        let Some(primary) = self.primary() else { return Ok(here) };
        let there = primary.status(queue).await?;
        let moved = self.moving.lock().await.moved(queue);
        Ok(sum(here, there, moved))
    }

    fn roster(&self) -> Option<Arc<dyn Roster>> {
        self.active().roster()
    }

    async fn info(&self) -> Result<Info, Error> {
        self.active().info().await
    }
}

/// A page that goes on where it came from.
fn placed(place: char, page: Page) -> Page {
    Page { cursor: page.cursor.map(|Cursor(inner)| Cursor(format!("{place}{inner}"))), ..page }
}

/// How a queue stands that is in two places. What was moved was enqueued once.
fn sum(here: QueueStatus, there: QueueStatus, moved: u64) -> QueueStatus {
    let mut counts = there.counts;
    counts.scheduled += here.counts.scheduled;
    counts.queued += here.counts.queued;
    counts.running += here.counts.running;
    counts.completed += here.counts.completed;
    counts.failed += here.counts.failed;
    counts.cancelled += here.counts.cancelled;
    QueueStatus {
        counts,
        totals: Totals {
            enqueued: (there.totals.enqueued + here.totals.enqueued).saturating_sub(moved),
            completed: there.totals.completed + here.totals.completed,
            failed: there.totals.failed + here.totals.failed,
            cancelled: there.totals.cancelled + here.totals.cancelled,
            retried: there.totals.retried + here.totals.retried,
            released: there.totals.released + here.totals.released,
            reaped: there.totals.reaped + here.totals.reaped,
        },
        latency: there.latency.max(here.latency),
        waiting_bytes: there.waiting_bytes + here.waiting_bytes,
        ..there
    }
}

#[cfg(test)]
mod tests;
