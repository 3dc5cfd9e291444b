//! What is measured: a queue, and workers on it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use gristmill::job::{JobState, QueueName, SystemClock};
use gristmill::queue::redis::gauge::Gauge;
use gristmill::queue::redis::{Address, ConnectError, Options};
use gristmill::queue::{Config, MemoryQueue, Queue, RedisQueue};
use gristmill::redis::RedisError;
use gristmill::{Event, FunctionName, Host, JobId, NewJob, Observer, Payload, PluginName};
use tokio::sync::Notify;

use super::super::error::Error;
use super::Args;
use super::crew::Worker;

/// The component that is measured, unless another is named.
const ECHO: &[u8] = include_bytes!("echo.wat");
/// Its name among the plugins, and that of its function.
const NAME: &str = "echo";

/// A queue, and all that is needed for workers on it.
#[derive(Clone)]
pub(super) struct Stage {
    /// Where jobs are kept; if not here, in memory.
    server: Option<OnServer>,
    /// The component's file; without one, the built-in one is taken.
    component: Option<PathBuf>,
    job: NewJob,
    config: Config,
}

#[derive(Clone)]
struct OnServer {
    address: Address,
    options: Options,
    gauge: Gauge,
}

impl Stage {
    pub(super) fn in_memory(args: &Args) -> Result<Self, Error> {
        let stem = args.component.as_ref().and_then(|path| path.file_stem()?.to_str());
        let plugin = PluginName::new(stem.unwrap_or(NAME));
        let plugin = plugin.map_err(|error| Error::Usage(format!("--component: {error}")))?;
        let mut job = NewJob::new(plugin, Payload::text(".".repeat(args.input_bytes as usize)));
        job.result_ttl = args.result_ttl;
        job.function = match args.component {
            Some(_) => args.function.clone(),
            None => FunctionName::new(NAME).ok(),
        };
        let component = args.component.clone();
        Ok(Self { server: None, component, job, config: Config::default() })
    }

    /// On a server, under keys of the measurement's own: whatever else is there is left alone.
    pub(super) async fn on_server(address: Address, args: &Args) -> Result<Self, Error> {
        let prefix = format!("gristmill-bench-{}", JobId::random());
        let gauge = Gauge::connect(&address, &prefix).await.map_err(unusable)?;
        let options = Options { prefix, ..Options::default() };
        let server = Some(OnServer { address, options, gauge });
        Ok(Self { server, ..Self::in_memory(args)? })
    }

    pub(super) fn name(&self) -> &'static str {
        if self.server.is_some() { "redis" } else { "memory" }
    }

    pub(super) fn gauge(&self) -> Option<&Gauge> {
        self.server.as_ref().map(|server| &server.gauge)
    }

    /// How many workers to measure with: a queue in memory has one.
    pub(super) fn worker_counts(&self, wanted: &[u32]) -> BTreeSet<u32> {
        match self.server {
            None => BTreeSet::from([1]),
            Some(_) => wanted.iter().copied().collect(),
        }
    }

    pub(super) fn job(&self) -> NewJob {
        self.job.clone()
    }

    pub(super) fn input_bytes(&self) -> usize {
        self.job.input.data.len()
    }

    /// An empty queue.
    pub(super) async fn queue(&self) -> Result<Arc<dyn Queue>, Error> {
        self.clear().await?;
        Ok(match &self.server {
            None => {
                let clock = Arc::new(SystemClock);
                Arc::new(MemoryQueue::new(self.config.clone(), clock))
            }
            Some(server) => Arc::new(self.connect(server).await?),
        })
    }

    async fn connect(&self, server: &OnServer) -> Result<RedisQueue, Error> {
        let (address, config) = (server.address.clone(), self.config.clone());
        let queue = RedisQueue::connect_with(address, config, &server.options).await;
        queue.map_err(unusable)
    }

    /// Removes what was left on the server.
    pub(super) async fn clear(&self) -> Result<(), Error> {
        match self.gauge() {
            None => Ok(()),
            Some(gauge) => gauge.clear().await.map_err(unusable),
        }
    }

    /// Workers that are ready to be started.
    pub(super) async fn workers(
        &self,
        queue: &Arc<dyn Queue>,
        count: u32,
        settled: &Arc<Settled>,
    ) -> Result<Vec<Worker>, Error> {
        let mut workers = Vec::new();
        for _ in 0..count {
            let (stage, queue, settled) = (self.clone(), Arc::clone(queue), Arc::clone(settled));
            workers.push(Worker::make(async move { stage.host(queue, settled).await }).await?);
        }
        Ok(workers)
    }

    async fn host(&self, queue: Arc<dyn Queue>, settled: Arc<Settled>) -> Result<Host, Error> {
        let queue = match &self.server {
            None => queue,
            Some(server) => Arc::new(self.connect(server).await?),
        };
        let host = Host::builder().queue(queue).observer(settled).build().await?;
        let plugin = match &self.component {
            Some(path) => host.load_file(path).await?,
            None => host.load(self.job.plugin.clone(), Bytes::from_static(ECHO)).await?,
        };
        plugin.check(&self.job).map_err(gristmill::Error::from)?;
        Ok(host)
    }
}

/// How many jobs were settled.
#[derive(Default)]
pub(super) struct Settled {
    completed: AtomicUsize,
    /// Settled in any other way, or not at all: none of them should be.
    amiss: AtomicUsize,
    /// Why the first of these failed.
    reason: OnceLock<String>,
    /// Whoever waits is told at this many.
    goal: AtomicUsize,
    reached: Notify,
}

impl Settled {
    pub(super) fn count(&self) -> usize {
        self.completed.load(Ordering::Acquire)
    }

    /// Waits until so many jobs are completed.
    pub(super) async fn reach(&self, goal: usize) {
        self.goal.store(goal, Ordering::Release);
        while self.count() + self.amiss.load(Ordering::Acquire) < goal {
            self.reached.notified().await;
        }
    }

    /// That so many jobs were completed, and the queue says the same: each of them once.
    pub(super) async fn check(&self, queue: &dyn Queue, jobs: usize) -> Result<(), Error> {
        let status = queue.status(&QueueName::default()).await?;
        let (totals, told) = (status.totals, self.count());
        if (totals.enqueued, totals.completed, told) == (jobs as u64, jobs as u64, jobs) {
            return Ok(());
        }
        Err(Error::Miscounted(format!(
            "of {jobs} jobs the queue took {} and completed {}, and workers completed {told}{}",
            totals.enqueued,
            totals.completed,
            self.reason.get().map(|reason| format!("; {reason}")).unwrap_or_default()
        )))
    }
}

impl Observer for Settled {
    fn observe(&self, event: &Event) {
        match event {
            Event::Settled { state: JobState::Completed, .. } => {
                let count = self.completed.fetch_add(1, Ordering::AcqRel) + 1;
                if count >= self.goal.load(Ordering::Acquire) {
                    self.reached.notify_one();
                }
            }
            Event::Settled { error, .. } => {
                let reason = error.as_ref().map(|error| error.message.clone());
                self.reason
                    .get_or_init(|| reason.unwrap_or_else(|| "one was cancelled".to_owned()));
                self.amiss.fetch_add(1, Ordering::AcqRel);
                self.reached.notify_one();
            }
            Event::LeaseLost { .. } => {
                self.reason.get_or_init(|| "a lease was lost".to_owned());
                self.amiss.fetch_add(1, Ordering::AcqRel);
                self.reached.notify_one();
            }
            _ => {}
        }
    }
}

/// A server that can't be used.
pub(super) fn unusable(error: ConnectError) -> Error {
    gristmill::Error::from(RedisError::from(error)).into()
}
