//! What happens here, as it happens: a bounded ring of events, and those who listen to it.
//!
//! A listener is a place in the ring and nothing more, so that ten thousand of them cost no more than
//! their connections. Whoever is slower than the ring is told so and dropped.

mod listener;
mod ring;
mod stream;
mod view;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gristmill_job::{Clock as _, SystemClock};
use gristmill_worker::{Event, Observer};
use tokio::sync::watch;
use uuid::Uuid;

use self::ring::Ring;
pub(crate) use self::stream::{__path_listen, listen};
pub use self::view::{EventError, EventKind, EventView};
use crate::workers::Working;

/// The events of a worker, for those who listen over HTTP. Cloning shares it.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    ring: Mutex<Ring>,
    /// The number of the next event; who waits on it hears of news.
    news: watch::Sender<u64>,
    /// Tells this process's numbers from those of others.
    epoch: String,
    listeners: AtomicUsize,
    /// Somebody may listen: the desk is served.
    open: AtomicBool,
}

impl Default for Feed {
    fn default() -> Self {
        let epoch = Uuid::new_v4().simple().to_string()[..8].to_owned();
        let (news, listeners) = (watch::Sender::new(0), AtomicUsize::new(0));
        Self(Arc::new(Inner {
            ring: Mutex::default(),
            news,
            epoch,
            listeners,
            open: AtomicBool::default(),
        }))
    }
}

impl Feed {
    /// Events are kept from now on. Whoever embeds a host that isn't served pays nothing for them.
    pub(crate) fn open(&self) {
        self.0.open.store(true, Ordering::Relaxed);
    }

    /// The workers that have begun and not ended, and what they run.
    pub(crate) fn workers(&self) -> Vec<Working> {
        self.ring().workers()
    }

    /// How many listen.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.0.listeners.load(Ordering::Relaxed)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing is left half done by a panic in these short sections.
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Feed {
    fn observe(&self, event: &Event) {
        let is_of_worker =
            matches!(event, Event::WorkerStarted { .. } | Event::WorkerStopped { .. });
        if !is_of_worker && !self.0.open.load(Ordering::Relaxed) {
            return;
        }
        let next = self.ring().push(event, SystemClock.now());
        // Who subscribes looks at the ring after that, and misses nothing.
        if self.0.news.receiver_count() > 0 {
            self.0.news.send_replace(next);
        }
    }
}
