//! Where client commands go: to a daemon, or straight to the queue that it works on.
//!
//! Both ways answer alike. Neither falls back to the other: whoever names a queue means that one.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gristmill::job::wire::JobView;
use gristmill::job::{Clock as _, LogLine, SystemClock};
use gristmill::queue::{Filter, requeue_failed};
use gristmill::{
    Change, Client, Error as HostError, Job, JobId, JobsPage, NewJob, Payload, PluginName,
    Producer, QueueName, QueueView, QueuesView, RequeuedView, Verdict, VerdictView,
};

use super::access::DaemonArgs;
use super::error::Error;

/// How long one look at a job lasts while it is waited for.
const LOOK: Duration = Duration::from_secs(30);

/// Where client commands go.
#[derive(Args)]
pub(crate) struct DoorArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// The address of the Redis server to work on, past any daemon; wins over --server
    #[arg(long, value_name = "URL", env = "GRISTMILL_REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
}

impl DoorArgs {
    /// Opens the door. A daemon isn't asked yet; Redis is.
    pub(crate) async fn open(&self) -> Result<Door, Error> {
        match &self.redis_url {
            Some(url) => Ok(Door::Queue(Producer::connect(url).await.map_err(HostError::from)?)),
            None => Ok(Door::Daemon(self.daemon.client()?)),
        }
    }
}

/// A way to the jobs.
pub(crate) enum Door {
    /// Through a daemon, which checks jobs against its plugins.
    Daemon(Client),
    /// Straight to the queue; jobs are checked where their plugin is shared there, and by the worker that
    /// takes them.
    Queue(Producer),
}

impl Door {
    /// Enqueues a job; answers it as it was taken over.
    pub(crate) async fn enqueue(&self, mut job: NewJob) -> Result<JobView, Error> {
        let producer = match self {
            Self::Daemon(client) => return Ok(client.enqueue(&job).await?),
            Self::Queue(producer) => producer,
        };
        producer.check(&mut job).await?;
        let (id, spec) = (job.id, Arc::new(job.clone()));
        match producer.queue().enqueue(vec![job]).await?.pop() {
            Some(Verdict::Created) => {
                let now = SystemClock.now();
                Ok(JobView::from(&Job::taken_over(spec, now)))
            }
            Some(Verdict::Duplicate) | None => self.known(id).await,
            Some(Verdict::UniqueConflict(owner)) => Err(HostError::UniqueConflict(owner).into()),
            Some(Verdict::Rejected(rejection)) => Err(HostError::Rejected(rejection).into()),
        }
    }

    /// Enqueues jobs in one step; a verdict each, in their order.
    pub(crate) async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<VerdictView>, Error> {
        match self {
            Self::Daemon(client) => Ok(client.enqueue_many(&jobs).await?),
            Self::Queue(producer) => {
                let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
                let verdicts = producer.enqueue_many(jobs).await?;
                Ok(ids.into_iter().zip(verdicts).map(|(id, v)| VerdictView::new(id, v)).collect())
            }
        }
    }

    /// A job, as long as its record is kept.
    pub(crate) async fn job(&self, id: JobId) -> Result<Option<JobView>, Error> {
        match self {
            Self::Daemon(client) => Ok(client.job(id).await?),
            Self::Queue(producer) => {
                Ok(producer.queue().get(id).await?.as_ref().map(JobView::from))
            }
        }
    }

    /// A job that has to be there.
    pub(crate) async fn known(&self, id: JobId) -> Result<JobView, Error> {
        self.job(id).await?.ok_or_else(|| Error::unknown_job(id))
    }

    /// A job as soon as its life has ended, or as it is when `patience` is over; without patience,
    /// it may take as long as it takes.
    pub(crate) async fn wait(
        &self,
        id: JobId,
        patience: Option<Duration>,
    ) -> Result<Option<JobView>, Error> {
        match self {
            Self::Daemon(client) => Ok(client.wait(id, patience).await?),
            Self::Queue(producer) => loop {
                let job = producer.queue().wait(id, patience.unwrap_or(LOOK)).await?;
                if patience.is_some() || job.as_ref().is_none_or(|job| job.state.is_final()) {
                    return Ok(job.as_ref().map(JobView::from));
                }
            },
        }
    }

    /// What a job handed back, byte for byte.
    pub(crate) async fn result(&self, id: JobId) -> Result<Option<Payload>, Error> {
        match self {
            Self::Daemon(client) => Ok(client.result(id).await?),
            Self::Queue(producer) => Ok(producer.queue().get(id).await?.and_then(|job| job.result)),
        }
    }

    /// Cancels, retries or removes a job.
    pub(crate) async fn change(&self, id: JobId, change: Change) -> Result<JobView, Error> {
        match self {
            Self::Daemon(client) => Ok(client.change(id, change).await?),
            Self::Queue(producer) => {
                Ok(JobView::from(&change.apply(&**producer.queue(), id).await?))
            }
        }
    }

    /// What a job logged.
    pub(crate) async fn logs(&self, id: JobId) -> Result<Vec<LogLine>, Error> {
        let logs = match self {
            Self::Daemon(client) => client.logs(id).await?,
            Self::Queue(producer) => producer.queue().logs(id).await?,
        };
        logs.ok_or_else(|| Error::unknown_job(id))
    }

    /// A page of jobs.
    pub(crate) async fn list(&self, filter: &Filter) -> Result<JobsPage, Error> {
        match self {
            Self::Daemon(client) => Ok(client.list(filter).await?),
            Self::Queue(producer) => Ok(producer.queue().list(filter).await?.into()),
        }
    }

    /// All queues.
    pub(crate) async fn queues(&self) -> Result<Vec<QueueView>, Error> {
        match self {
            Self::Daemon(client) => Ok(client.queues().await?),
            Self::Queue(producer) => Ok(QueuesView::of(&**producer.queue()).await?.queues),
        }
    }

    /// How a queue stands.
    pub(crate) async fn queue(&self, name: &QueueName) -> Result<QueueView, Error> {
        match self {
            Self::Daemon(client) => Ok(client.queue(name).await?),
            Self::Queue(producer) => Ok(producer.queue().status(name).await?.into()),
        }
    }

    /// Stops or resumes leasing from a queue; answers how it stands then.
    pub(crate) async fn set_paused(
        &self,
        name: &QueueName,
        paused: bool,
    ) -> Result<QueueView, Error> {
        match self {
            Self::Daemon(client) if paused => Ok(client.pause(name).await?),
            Self::Daemon(client) => Ok(client.resume(name).await?),
            Self::Queue(producer) => {
                producer.queue().set_paused(name, paused).await?;
                self.queue(name).await
            }
        }
    }

    /// Forgets a queue's failed jobs.
    pub(crate) async fn clear_failed(&self, name: &QueueName) -> Result<u64, Error> {
        match self {
            Self::Daemon(client) => Ok(client.clear_failed(name).await?),
            Self::Queue(producer) => Ok(producer.queue().clear_failed(name).await?),
        }
    }

    /// Runs a queue's failed jobs again.
    pub(crate) async fn requeue_failed(
        &self,
        name: &QueueName,
        plugin: Option<&PluginName>,
    ) -> Result<RequeuedView, Error> {
        match self {
            Self::Daemon(client) => Ok(client.requeue_failed(name, plugin).await?),
            Self::Queue(producer) => {
                Ok(requeue_failed(&**producer.queue(), name, plugin).await?.into())
            }
        }
    }
}
