//! Jobs that jobs enqueue, on their way to the queue.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use gristmill_job::{NewJob, Verdict};
use gristmill_queue::Queue;
use gristmill_runtime::{FollowUps, PluginStore};

use crate::config;

/// Hands jobs that a guest enqueues to a queue: what the sandbox knows of queues.
pub struct QueueFollowUps {
    queue: Arc<dyn Queue>,
    /// They have the sandbox, which has this.
    plugins: OnceLock<Weak<PluginStore>>,
}

impl QueueFollowUps {
    /// Over this queue.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self { queue, plugins: OnceLock::new() }
    }

    /// Pins jobs to the versions that serve among these plugins, where a fleet shares them. Said once.
    pub fn pin_by(&self, plugins: &Arc<PluginStore>) {
        self.plugins.get_or_init(|| Arc::downgrade(plugins));
    }
}

#[async_trait]
impl FollowUps for QueueFollowUps {
    async fn enqueue(&self, mut jobs: Vec<NewJob>) -> anyhow::Result<Vec<Verdict>> {
        if let Some(plugins) = self.plugins.get().and_then(Weak::upgrade) {
            pin(&plugins, &mut jobs).await;
        }
        Ok(self.queue.enqueue(jobs).await?)
    }
}

/// Lets jobs run on the versions that serve now, as a door does. Nobody waits long for that: those of
/// which it isn't known in time run on what serves when they start.
pub(crate) async fn pin(plugins: &PluginStore, jobs: &mut [NewJob]) {
    let pinning = async {
        for job in jobs {
            plugins.pin(job).await;
        }
    };
    let _ = tokio::time::timeout(config::PIN_PATIENCE, pinning).await;
}
