//! Which back-ends a host uses: the one place where they are chosen.

use std::sync::Arc;

use gristmill_cache::{Cache, MemoryCache};
use gristmill_job::Clock;
use gristmill_queue::{MemoryQueue, Queue};

/// The back-ends that were chosen.
pub(crate) struct Backends {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) cache_config: gristmill_cache::Config,
    /// Why these are others than were asked for.
    pub(crate) degraded: Option<Arc<str>>,
}

impl Backends {
    /// Queue and cache in this process's memory: what is used where nothing else is asked for.
    pub(crate) fn memory(clock: &Arc<dyn Clock>) -> Self {
        let cache_config = gristmill_cache::Config::default();
        let queue_config = gristmill_queue::Config::default();
        Self {
            queue: Arc::new(MemoryQueue::new(queue_config, Arc::clone(clock))),
            cache: Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(clock))),
            cache_config,
            degraded: None,
        }
    }
}
