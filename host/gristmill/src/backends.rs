//! Which back-ends a host uses: the one place where they are chosen.

mod again;
mod cache;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_api::{Degraded, Part};
use gristmill_cache::{Cache, FallbackCache};
use gristmill_job::Clock;
use gristmill_queue::{FallbackQueue, MemoryQueue, Queue};
use gristmill_shelf::Shelf;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use self::cache::{CacheError, CacheUrl, InvalidCacheUrl};
use crate::error::Error;
use crate::redis::{self, RedisError};

/// The back-ends that were chosen.
pub(crate) struct Backends {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) cache_config: gristmill_cache::Config,
    /// Where plugins are shared.
    pub(crate) shelf: Option<Arc<dyn Shelf>>,
    /// Why these are others than were asked for.
    pub(crate) degraded: Degraded,
}

/// What was asked for.
#[derive(Default)]
pub(crate) struct Wanted {
    /// A queue that is there already, whatever else is wanted for jobs.
    pub(crate) queue: Option<Arc<dyn Queue>>,
    /// Where the Redis server is; without one, jobs are in memory.
    pub(crate) redis_url: Option<String>,
    /// Whether nothing is a substitute for it.
    pub(crate) require_redis: bool,
    /// Whether plugins are shared there.
    pub(crate) shelf: bool,
    /// Where the cache is; if not said, on the same server as the jobs.
    pub(crate) cache_url: Option<CacheUrl>,
    /// Where files may be kept.
    pub(crate) state_dir: Option<PathBuf>,
}

/// What choosing needs beside the wishes.
struct Means<'a> {
    clock: &'a Arc<dyn Clock>,
    control: &'a Handle,
    ended: &'a CancellationToken,
    degraded: Degraded,
}

impl Backends {
    /// Redis, where its address is given. Where it can't be used and isn't required, others take its
    /// place: a host that runs what it can is worth more than none, as long as it says so. Until
    /// `ended` is cancelled it looks for Redis again.
    ///
    /// `control` is where connections are kept up.
    pub(crate) async fn choose(
        wanted: Wanted,
        clock: &Arc<dyn Clock>,
        control: &Handle,
        ended: &CancellationToken,
    ) -> Result<Self, Error> {
        let means = Means { clock, control, ended, degraded: Degraded::default() };
        let queue = match wanted.queue {
            Some(queue) => queue,
            None => means.queue(wanted.redis_url.as_deref(), wanted.require_redis).await?,
        };
        let shelf = match (&wanted.redis_url, wanted.shelf) {
            (_, false) => None,
            (None, true) => return Err(RedisError::Unsaid.into()),
            (Some(url), true) => Some(means.shelf(url.clone()).await?),
        };
        let cache_url = match (wanted.cache_url, wanted.redis_url) {
            (Some(url), _) => url,
            (None, Some(url)) => CacheUrl::Redis(Box::new(url.parse().map_err(RedisError::from)?)),
            (None, None) => CacheUrl::Memory,
        };
        let cache_config = gristmill_cache::Config::default();
        let cache = means
            .cache(cache_url, &cache_config, wanted.require_redis, wanted.state_dir.as_deref())
            .await?;
        Ok(Self { queue, cache, cache_config, shelf, degraded: means.degraded })
    }
}

impl Means<'_> {
    async fn queue(&self, url: Option<&str>, required: bool) -> Result<Arc<dyn Queue>, Error> {
        let memory = || {
            let config = gristmill_queue::Config::default();
            Arc::new(MemoryQueue::new(config, Arc::clone(self.clock)))
        };
        let Some(url) = url else {
            return if required { Err(RedisError::Unsaid.into()) } else { Ok(memory()) };
        };
        let url = url.to_owned();
        let connecting = url.clone();
        match self.on_control(async move { redis::queue(&connecting).await }).await? {
            Ok(queue) => Ok(queue),
            Err(RedisError::Connect(error)) if !required => {
                let reason = error.to_string();
                tracing::warn!("{reason}; jobs are kept in memory instead, until it can be");
                self.degraded.set(Part::Queue, reason);
                let queue = Arc::new(FallbackQueue::new(memory()));
                self.meanwhile(again::find_queue(url, Arc::clone(&queue), self.degraded.clone()));
                Ok(queue)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A server that isn't there is no reason for another one: the shelf is looked for until it is.
    async fn shelf(&self, url: String) -> Result<Arc<dyn Shelf>, Error> {
        Ok(self.on_control(async move { redis::shelf(&url) }).await??)
    }

    async fn cache(
        &self,
        url: CacheUrl,
        config: &gristmill_cache::Config,
        required: bool,
        state_dir: Option<&Path>,
    ) -> Result<Arc<dyn Cache>, Error> {
        match self.open(url.clone(), config).await? {
            Ok(cache) => Ok(cache),
            Err(CacheError::Connect(error)) if !required => {
                let standby = CacheUrl::standby(state_dir);
                let reason = error.to_string();
                tracing::warn!("{reason}; the cache is {standby} instead, until it can be");
                self.degraded.set(Part::Cache, reason);
                let cache = Arc::new(FallbackCache::new(self.open(standby, config).await??));
                let open = again::Cache { url, config: config.clone(), clock: self.clock.clone() };
                self.meanwhile(open.find(Arc::clone(&cache), self.degraded.clone()));
                Ok(cache)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn open(
        &self,
        url: CacheUrl,
        config: &gristmill_cache::Config,
    ) -> Result<Result<Arc<dyn Cache>, CacheError>, Error> {
        let (config, clock) = (config.clone(), Arc::clone(self.clock));
        // Where no file and no server is asked for, there is nothing to wait for.
        if matches!(url, CacheUrl::Memory) {
            return Ok(url.open(config, clock).await);
        }
        self.on_control(async move { url.open(config, clock).await }).await
    }

    /// What is opened is kept up where it is opened.
    async fn on_control<T: Send + 'static>(
        &self,
        opening: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        self.control.spawn(opening).await.map_err(|error| Error::Threads(error.into()))
    }

    /// Does something until the host has ended.
    fn meanwhile(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.control.spawn(self.ended.clone().run_until_cancelled_owned(work)));
    }
}
