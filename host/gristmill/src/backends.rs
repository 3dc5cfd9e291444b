//! Which back-ends a host uses: the one place where they are chosen.

mod again;

use std::sync::Arc;

use gristmill_api::{Degraded, Part};
use gristmill_cache::{Cache, MemoryCache};
use gristmill_job::Clock;
use gristmill_queue::{FallbackQueue, MemoryQueue, Queue};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::redis::{self, RedisError};

/// The back-ends that were chosen.
pub(crate) struct Backends {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) cache_config: gristmill_cache::Config,
    /// Why these are others than were asked for.
    pub(crate) degraded: Degraded,
}

/// What was asked for.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Where the Redis server is; without one, back-ends are in memory.
    pub(crate) redis_url: Option<String>,
    /// Whether memory is no substitute for it.
    pub(crate) require_redis: bool,
}

impl Backends {
    /// Redis, where its address is given. Where it can't be used and isn't required, memory takes its
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
        let memory = Self::memory(clock);
        let Some(url) = wanted.redis_url else {
            return if wanted.require_redis { Err(RedisError::Unsaid.into()) } else { Ok(memory) };
        };
        let connecting = url.clone();
        let connected = control.spawn(async move { redis::queue(&connecting).await }).await;
        match connected.map_err(|error| Error::Threads(error.into()))? {
            Ok(queue) => Ok(Self { queue, ..memory }),
            Err(RedisError::Connect(error)) if !wanted.require_redis => {
                let reason = error.to_string();
                tracing::warn!("{reason}; jobs are kept in memory instead, until it can be");
                let queue = Arc::new(FallbackQueue::new(memory.queue));
                memory.degraded.set(Part::Queue, reason);
                let looking = again::look(url, Arc::clone(&queue), memory.degraded.clone());
                control.spawn(ended.clone().run_until_cancelled_owned(looking));
                Ok(Self { queue, ..memory })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Queue and cache in this process's memory: what is used where nothing else is asked for.
    fn memory(clock: &Arc<dyn Clock>) -> Self {
        let cache_config = gristmill_cache::Config::default();
        let queue_config = gristmill_queue::Config::default();
        Self {
            queue: Arc::new(MemoryQueue::new(queue_config, Arc::clone(clock))),
            cache: Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(clock))),
            cache_config,
            degraded: Degraded::default(),
        }
    }
}
