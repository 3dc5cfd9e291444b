//! What the worker held under an id that it gave up.

use std::collections::HashSet;

use gristmill_job::{QueueName, WorkerId};
use gristmill_queue::Held;

/// What the worker held of one queue under an id that it gave up. As it lives, the queue should not
/// count a crash for any of it, nor wait for the lease to lapse.
pub(crate) struct Former {
    pub(crate) queue: QueueName,
    pub(crate) worker: WorkerId,
    pub(crate) held: Vec<Held>,
    /// What an executor still has to stop. Until then nothing is said, so that no job goes back
    /// while it runs.
    running: HashSet<Held>,
}

impl Former {
    pub(crate) fn new(
        queue: QueueName,
        worker: WorkerId,
        held: Vec<Held>,
        running: HashSet<Held>,
    ) -> Self {
        Self { queue, worker, held, running }
    }

    /// An executor has put this back.
    pub(crate) fn note_end(&mut self, held: Held) {
        self.running.remove(&held);
    }

    /// Whether nothing of it runs any more.
    pub(crate) fn is_over(&self) -> bool {
        self.running.is_empty()
    }
}
