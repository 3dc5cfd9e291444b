//! A queue that answers as a test wants it to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gristmill_job::{Job, JobId, LogLine, NewJob, QueueName, Verdict, WorkerId};
use gristmill_queue::{
    Changed, Cycle, CycleReply, Error, Filter, Held, Info, MemoryQueue, Page, Queue, QueueStatus,
    Reaped, Resynced, Traits, Woken,
};

/// How a queue answers a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Answers,
    /// It does nothing and says so.
    Refuses,
    /// It does nothing and never answers.
    IsSilent,
    /// It does what it is asked, and never answers.
    IsMute,
}

/// A queue in memory in a mood.
pub(super) struct Moody {
    pub(super) inner: Arc<MemoryQueue>,
    mood: AtomicU8,
}

impl Moody {
    const MOODS: [Mood; 4] = [Mood::Answers, Mood::Refuses, Mood::IsSilent, Mood::IsMute];

    pub(super) fn new(inner: Arc<MemoryQueue>) -> Self {
        Self { inner, mood: AtomicU8::new(Mood::Answers as u8) }
    }

    pub(super) fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    async fn answer<T>(&self, step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match Self::MOODS[usize::from(self.mood.load(Ordering::SeqCst))] {
            Mood::Answers => step.await,
            Mood::Refuses => Err(Error::Unavailable(anyhow::anyhow!("not now"))),
            Mood::IsSilent => std::future::pending().await,
            Mood::IsMute => {
                drop(step.await);
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl Queue for Moody {
    fn traits(&self) -> Traits {
        self.inner.traits()
    }

    async fn enqueue(&self, batch: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        self.inner.enqueue(batch).await
    }

    async fn cycle(&self, cycle: &mut Cycle) -> Result<CycleReply, Error> {
        self.answer(self.inner.cycle(cycle)).await
    }

    async fn resync(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        self.answer(self.inner.resync(queue, worker, held)).await
    }

    async fn reap(&self, queue: &QueueName, worker: WorkerId) -> Result<Reaped, Error> {
        self.answer(self.inner.reap(queue, worker)).await
    }

    async fn absolve(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<usize, Error> {
        self.answer(self.inner.absolve(queue, worker, held)).await
    }

    async fn wake(&self, worker: WorkerId, queues: &[QueueName]) -> Woken {
        self.inner.wake(worker, queues).await
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, Error> {
        self.inner.get(id).await
    }

    async fn wait(&self, id: JobId, patience: Duration) -> Result<Option<Job>, Error> {
        self.inner.wait(id, patience).await
    }

    async fn logs(&self, id: JobId) -> Result<Option<Vec<LogLine>>, Error> {
        self.inner.logs(id).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, Error> {
        self.inner.list(filter).await
    }

    async fn cancel(&self, id: JobId) -> Result<Changed, Error> {
        self.inner.cancel(id).await
    }

    async fn requeue(&self, id: JobId) -> Result<Changed, Error> {
        self.inner.requeue(id).await
    }

    async fn remove(&self, id: JobId) -> Result<Changed, Error> {
        self.inner.remove(id).await
    }

    async fn clear_failed(&self, queue: &QueueName) -> Result<u64, Error> {
        self.inner.clear_failed(queue).await
    }

    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), Error> {
        self.inner.set_paused(queue, paused).await
    }

    async fn queues(&self) -> Result<Vec<QueueName>, Error> {
        self.inner.queues().await
    }

    async fn status(&self, queue: &QueueName) -> Result<QueueStatus, Error> {
        self.inner.status(queue).await
    }

    async fn info(&self) -> Result<Info, Error> {
        self.inner.info().await
    }
}
