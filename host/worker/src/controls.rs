//! What can be changed while a worker works.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::{Order, Share};

/// What can be changed while a worker works. Cloning shares it.
#[derive(Clone, Default)]
pub struct Controls(Arc<Shared>);

#[derive(Default)]
struct Shared {
    quiet: AtomicBool,
    tuning: Mutex<Option<Tuning>>,
    changed: Notify,
}

/// How a worker goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Attempts at one time: never more than the worker was started with, nor less than 1.
    pub concurrency: usize,
    /// How long running attempts may go on at shutdown.
    pub grace: Duration,
    /// Which queue comes first.
    pub order: Order,
    /// Shares of queues that the worker takes jobs from; it takes them from no others than at its start.
    pub queues: Vec<Share>,
}

impl Controls {
    /// Whether no more jobs are to be taken for now; what runs goes on.
    pub fn set_quiet(&self, quiet: bool) {
        self.0.quiet.store(quiet, Ordering::Relaxed);
        self.0.changed.notify_one();
    }

    /// Whether no more jobs are taken for now.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.0.quiet.load(Ordering::Relaxed)
    }

    /// Goes on like this, from the next round on.
    pub fn tune(&self, tuning: Tuning) {
        *self.0.tuning.lock().unwrap_or_else(PoisonError::into_inner) = Some(tuning);
        self.0.changed.notify_one();
    }

    pub(crate) fn take_tuning(&self) -> Option<Tuning> {
        self.0.tuning.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until something may have been changed. Safe to drop.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}
