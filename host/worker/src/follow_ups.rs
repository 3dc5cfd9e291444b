//! Jobs that jobs enqueue at once, on their way to the queue.

use std::sync::Arc;

use async_trait::async_trait;
use gristmill_job::{NewJob, Verdict};
use gristmill_queue::Queue;
use gristmill_runtime::FollowUps;

/// Hands jobs that a guest enqueues to a queue: what the sandbox knows of queues.
pub struct QueueFollowUps(Arc<dyn Queue>);

impl QueueFollowUps {
    /// Over this queue.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self(queue)
    }
}

#[async_trait]
impl FollowUps for QueueFollowUps {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> anyhow::Result<Vec<Verdict>> {
        Ok(self.0.enqueue(jobs).await?)
    }
}
