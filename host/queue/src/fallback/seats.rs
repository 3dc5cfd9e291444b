//! What workers hold of the standby.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gristmill_job::{QueueName, WorkerId};

use crate::Held;

/// What workers hold of the standby, by queue. It tells the two queues' jobs apart, and how many of
/// those that a worker counts each queue has to know of.
#[derive(Default)]
pub(super) struct Seats(Mutex<HashMap<(QueueName, WorkerId), HashSet<Held>>>);

impl Seats {
    /// What this worker holds.
    pub(super) fn of(&self, queue: &QueueName, worker: WorkerId) -> HashSet<Held> {
        self.lock().get(&(queue.clone(), worker)).cloned().unwrap_or_default()
    }

    /// This worker holds these from now on, and nothing else.
    pub(super) fn set(&self, queue: &QueueName, worker: WorkerId, held: HashSet<Held>) {
        let key = (queue.clone(), worker);
        if held.is_empty() {
            self.lock().remove(&key);
        } else {
            self.lock().insert(key, held);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(QueueName, WorkerId), HashSet<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
