//! Looking again for a Redis that wasn't there at the start.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gristmill_api::{Degraded, Part};
use gristmill_cache::FallbackCache;
use gristmill_job::Clock;
use gristmill_queue::FallbackQueue;

use super::cache::CacheUrl;
use crate::redis;

/// The first wait between two looks; each is twice the one before.
const LOOK_BASE: Duration = Duration::from_secs(1);
/// The longest: a server that is back after hours is found while somebody still watches the log.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// Tries until it succeeds, with growing waits before each try.
async fn until_there<T, E: std::fmt::Display, F>(mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
{
    let mut wait = LOOK_BASE;
    loop {
        tokio::time::sleep(wait).await;
        wait = (2 * wait).min(LOOK_MAX);
        match attempt().await {
            Ok(there) => return there,
            Err(error) => tracing::debug!("still without Redis: {error}"),
        }
    }
}

/// Looks for the queue's server until it is there, and moves the waiting jobs to it.
pub(super) async fn find_queue(url: String, queue: Arc<FallbackQueue>, degraded: Degraded) {
    let primary = until_there(|| redis::queue(&url)).await;
    // New jobs go to it from the first try on, whatever becomes of those that wait.
    let mut wait = LOOK_BASE;
    loop {
        let moved = queue.switch_to(Arc::clone(&primary)).await;
        degraded.clear(Part::Queue);
        match moved {
            Ok(moved) => {
                let (left, moved) = (moved.left, moved.moved);
                tracing::info!(moved, left, "Redis is there: jobs are kept on it from now on");
                return;
            }
            Err(error) => tracing::warn!("jobs still wait in memory to be moved to Redis: {error}"),
        }
        tokio::time::sleep(wait).await;
        wait = (2 * wait).min(LOOK_MAX);
    }
}

/// The cache that was asked for.
pub(super) struct Cache {
    pub(super) url: CacheUrl,
    pub(super) config: gristmill_cache::Config,
    pub(super) clock: Arc<dyn Clock>,
}

impl Cache {
    /// Looks for the cache's server until it is there, and uses it from then on.
    pub(super) async fn find(self, cache: Arc<FallbackCache>, degraded: Degraded) {
        let open = || self.url.open(self.config.clone(), Arc::clone(&self.clock));
        cache.switch_to(until_there(open).await);
        degraded.clear(Part::Cache);
        tracing::info!("Redis is there: it is the cache from now on");
    }
}
