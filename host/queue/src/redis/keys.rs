//! Under which keys a queue is kept.

use gristmill_job::{QueueName, WorkerId};

use super::script::Step;

/// The keys of all queues with one prefix. A queue's keys share a hash tag, so that on a cluster they
/// are in one place.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The set of the names of all queues that were ever used.
    pub(super) fn queues(&self) -> String {
        format!("{}:queues", self.prefix)
    }

    /// The schema of all keys.
    pub(super) fn schema(&self) -> String {
        format!("{}:schema", self.prefix)
    }

    /// A queue's key of this name.
    pub(super) fn key(&self, queue: &QueueName, name: &str) -> Vec<u8> {
        [self.stem(queue).as_bytes(), name.as_bytes()].concat()
    }

    /// What a worker holds of a queue.
    pub(super) fn held(&self, queue: &QueueName, worker: WorkerId) -> Vec<u8> {
        self.key(queue, &format!("held:{worker}"))
    }

    /// The keys that a script declares, but for what a worker holds.
    pub(super) fn of(&self, step: &Step, queue: &QueueName) -> Vec<Vec<u8>> {
        let stem = self.stem(queue);
        let names = step.keys().filter(|name| *name != "held");
        names.map(|name| [stem.as_bytes(), name.as_bytes()].concat()).collect()
    }

    fn stem(&self, queue: &QueueName) -> String {
        format!("{}:{{{queue}}}:", self.prefix)
    }
}
