//! What a rule is given: an empty queue, its time, and jobs that name only what matters.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gristmill_job::{
    FunctionName, Job, JobId, NewJob, Payload, PluginName, Priority, QueueName, Start, StateName,
    Timestamp, UniqueKey, Verdict,
};
use gristmill_queue::{Changed, Config, Counts, Queue, QueueStatus};

use super::worker::AWorker;
use crate::{Time, is_left_out, runtime};

/// A back-end that is to keep the rules.
#[async_trait]
pub trait QueueBackend: Send + Sync + 'static {
    /// An empty queue within these bounds, and its time.
    async fn open(&self, config: Config) -> (Arc<dyn Queue>, Arc<dyn Time>);

    /// Checks whatever can be checked of the queues that were opened since the last time, apart from
    /// the rules: each rule and each random life ends with it.
    async fn verify(&self) {}

    /// What it lacks to be opened here: then its rules are left out, and loudly so.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// Random lives that the model test goes through: fewer, where each step is a round trip.
    fn lives(&self) -> u32 {
        300
    }
}

/// Checks one rule on one back-end.
pub fn check<F: Future<Output = ()>>(
    backend: impl QueueBackend,
    rule: impl FnOnce(QueueFixture) -> F,
) {
    if is_left_out(backend.lacks()) {
        return;
    }
    let backend = Arc::new(backend);
    runtime().block_on(async {
        rule(QueueFixture::open(Arc::clone(&backend) as _).await).await;
        backend.verify().await;
    });
}

/// An empty queue and its time.
pub struct QueueFixture {
    backend: Arc<dyn QueueBackend>,
    pub(super) queue: Arc<dyn Queue>,
    time: Arc<dyn Time>,
}

impl QueueFixture {
    pub(super) async fn open(backend: Arc<dyn QueueBackend>) -> Self {
        let (queue, time) = backend.open(Config::default()).await;
        Self { backend, queue, time }
    }

    /// Another empty queue of the same back-end, with other bounds.
    pub(super) async fn with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let (queue, time) = self.backend.open(config).await;
        Self { backend: Arc::clone(&self.backend), queue, time }
    }

    pub(super) async fn advance(&self, by: Duration) {
        self.time.advance(by).await;
    }

    pub(super) async fn now(&self) -> Timestamp {
        self.time.now().await
    }

    /// Enqueues a job, which must be possible.
    pub(super) async fn enqueue(&self, job: AJob) -> JobId {
        let id = job.0.id;
        assert_eq!(self.verdict(job).await, Verdict::Created);
        id
    }

    /// Enqueues some plain jobs, in this order.
    pub(super) async fn enqueue_some(&self, count: usize) -> Vec<JobId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.enqueue(a_job()).await);
        }
        ids
    }

    pub(super) async fn verdict(&self, job: AJob) -> Verdict {
        self.verdicts([job]).await.remove(0)
    }

    pub(super) async fn verdicts(&self, jobs: impl IntoIterator<Item = AJob>) -> Vec<Verdict> {
        let batch = jobs.into_iter().map(|job| job.0).collect();
        self.queue.enqueue(batch).await.unwrap()
    }

    /// A new worker on the default queue.
    pub(super) fn worker(&self) -> AWorker {
        AWorker::new(Arc::clone(&self.queue))
    }

    pub(super) async fn find(&self, id: JobId) -> Option<Job> {
        self.queue.get(id).await.unwrap()
    }

    /// A job that must be known.
    pub(super) async fn job(&self, id: JobId) -> Job {
        self.find(id).await.unwrap()
    }

    pub(super) async fn state(&self, id: JobId) -> StateName {
        self.job(id).await.state.name()
    }

    pub(super) async fn status(&self) -> QueueStatus {
        self.queue.status(&QueueName::default()).await.unwrap()
    }

    pub(super) async fn counts(&self) -> Counts {
        self.status().await.counts
    }

    pub(super) async fn cancel(&self, id: JobId) -> Changed {
        self.queue.cancel(id).await.unwrap()
    }

    pub(super) async fn requeue(&self, id: JobId) -> Changed {
        self.queue.requeue(id).await.unwrap()
    }

    pub(super) async fn remove(&self, id: JobId) -> Changed {
        self.queue.remove(id).await.unwrap()
    }

    pub(super) async fn set_paused(&self, paused: bool) {
        self.queue.set_paused(&QueueName::default(), paused).await.unwrap();
    }
}

/// A job to be enqueued that names only what matters.
#[derive(Debug, Clone)]
pub(super) struct AJob(pub(super) NewJob);

/// A job whose every option is at its default.
pub(super) fn a_job() -> AJob {
    AJob(NewJob::new(PluginName::new("echo").unwrap(), Payload::text("input")))
}

impl AJob {
    pub(super) fn id(mut self, id: JobId) -> Self {
        self.0.id = id;
        self
    }

    pub(super) fn plugin(mut self, name: &str) -> Self {
        self.0.plugin = PluginName::new(name).unwrap();
        self
    }

    pub(super) fn function(mut self, name: &str) -> Self {
        self.0.function = Some(FunctionName::new(name).unwrap());
        self
    }

    pub(super) fn queue(mut self, name: &str) -> Self {
        self.0.queue = a_queue(name);
        self
    }

    pub(super) fn priority(mut self, class: u8) -> Self {
        self.0.priority = Priority::try_from(class).unwrap();
        self
    }

    pub(super) fn delay(mut self, delay: Duration) -> Self {
        self.0.start = Start::After(delay);
        self
    }

    pub(super) fn at(mut self, time: Timestamp) -> Self {
        self.0.start = Start::At(time);
        self
    }

    pub(super) fn unique(mut self, key: &str) -> Self {
        self.0.unique_key = Some(UniqueKey::new(key).unwrap());
        self
    }

    pub(super) fn result_ttl(mut self, ttl: Duration) -> Self {
        self.0.result_ttl = ttl;
        self
    }

    pub(super) fn input(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.0.input = Payload::bytes(data.into());
        self
    }

    /// An input that makes the job weigh this much.
    pub(super) fn weight(self, bytes: usize) -> Self {
        let overhead = self.clone().input([]).0.weight();
        let job = self.input(vec![b'.'; bytes - overhead]);
        assert_eq!(job.0.weight(), bytes);
        job
    }
}

pub(super) fn a_queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

/// What a future gives, which must come at once.
pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(seconds(10), future).await.expect("it should have come at once")
}

/// The job that was changed, which must have been possible.
pub(super) fn done(changed: Changed) -> Job {
    match changed {
        Changed::Done(job) => *job,
        other => panic!("it was not done: {other:?}"),
    }
}

/// The job that didn't let itself be changed.
pub(super) fn refused(changed: Changed) -> Job {
    match changed {
        Changed::Refused(job) => *job,
        other => panic!("it was not refused: {other:?}"),
    }
}
