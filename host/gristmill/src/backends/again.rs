//! Looking again for a Redis that wasn't there at the start.

use std::sync::Arc;
use std::time::Duration;

use gristmill_api::{Degraded, Part};
use gristmill_queue::FallbackQueue;

use crate::redis;

/// The first wait between two looks; each is twice the one before.
const LOOK_BASE: Duration = Duration::from_secs(1);
/// The longest: a server that is back after hours is found while somebody still watches the log.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// Looks for the server until it is there, and moves the queue's waiting jobs to it.
pub(super) async fn look(url: String, queue: Arc<FallbackQueue>, degraded: Degraded) {
    let mut wait = LOOK_BASE;
    let primary = loop {
        tokio::time::sleep(wait).await;
        wait = (2 * wait).min(LOOK_MAX);
        match redis::queue(&url).await {
            Ok(primary) => break primary,
            Err(error) => tracing::debug!("still without Redis: {error}"),
        }
    };
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
