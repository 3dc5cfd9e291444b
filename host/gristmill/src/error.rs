//! Why a host couldn't do what it was asked.

use gristmill_api::BindError;
use gristmill_job::{JobId, Rejection, Verdict};
use gristmill_runtime::LoadError;

use crate::backends::CacheError;
use crate::redis::RedisError;

/// Why a host couldn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A component can't be used.
    #[error("plugin {name} can't be used")]
    Plugin {
        /// The plugin's name, or its file.
        name: String,
        /// Why.
        source: LoadError,
    },
    /// The job was refused at the door.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The job's unique key is held by another job.
    #[error("the unique key is held by job {0}")]
    UniqueConflict(JobId),
    /// The queue couldn't take it.
    #[error(transparent)]
    Queue(#[from] gristmill_queue::Error),
    /// Redis was asked for and can't be used.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The cache that was asked for can't be used.
    #[error("the cache can't be used")]
    Cache(#[from] CacheError),
    /// The cache couldn't be asked.
    #[error(transparent)]
    CacheUse(gristmill_cache::Error),
    /// The plugins that a fleet shares couldn't be had or changed.
    #[error(transparent)]
    Shelf(#[from] gristmill_shelf::Error),
    /// The sandbox can't be set up.
    #[error("the sandbox can't be set up")]
    Sandbox(#[source] gristmill_runtime::Error),
    /// The plugins folder can't be read.
    #[error("the plugins can't be listed")]
    PluginsDir(#[source] LoadError),
    /// The address can't be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The threads can't be started.
    #[error("the host's threads can't be started")]
    Threads(#[source] std::io::Error),
    /// The worker ended by a fault of its own.
    #[error("the worker failed")]
    Worker(#[source] anyhow::Error),
}

/// Whether the queue has the job of a verdict.
pub(crate) fn taken(verdict: Verdict) -> Result<(), Error> {
    match verdict {
        Verdict::Created | Verdict::Duplicate => Ok(()),
        Verdict::UniqueConflict(owner) => Err(Error::UniqueConflict(owner)),
        Verdict::Rejected(rejection) => Err(rejection.into()),
    }
}
