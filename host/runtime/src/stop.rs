//! Ending an attempt from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

const ASKED: u8 = 1;
const AT_ONCE: u8 = 2;

/// Ends an attempt from outside: asked to, it has the grace that its manifest gives it; told to, it
/// ends at once. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    level: AtomicU8,
    raised: Notify,
}

impl Stop {
    /// One that nobody has used yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end, after the plugin's `cancel_grace`.
    pub fn cancel(&self) {
        self.raise(ASKED);
    }

    /// Ends it at once.
    pub fn abort(&self) {
        self.raise(AT_ONCE);
    }

    /// Whether the end was asked for, in one way or the other.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.level() >= ASKED
    }

    /// Waits until the end is asked for, in one way or the other.
    pub async fn cancelled(&self) {
        self.reached(ASKED).await;
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.level() >= AT_ONCE
    }

    pub(crate) async fn aborted(&self) {
        self.reached(AT_ONCE).await;
    }

    fn level(&self) -> u8 {
        self.0.level.load(Ordering::Acquire)
    }

    fn raise(&self, level: u8) {
        if self.0.level.fetch_max(level, Ordering::AcqRel) < level {
            self.0.raised.notify_waiters();
        }
    }

    async fn reached(&self, level: u8) {
        loop {
            let raised = self.0.raised.notified();
            if self.level() >= level {
                return;
            }
            raised.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_told_to_end_at_once_was_asked_to_end_too() {
        let stop = Stop::new();
        let (mut cancelled, mut aborted) = (Box::pin(stop.cancelled()), Box::pin(stop.aborted()));
        assert!(cancelled.as_mut().now_or_never().is_none() && !stop.is_cancelled());
        stop.clone().cancel();
        assert!(stop.is_cancelled() && !stop.is_aborted());
        cancelled.await;
        assert!(aborted.as_mut().now_or_never().is_none());
        stop.abort();
        stop.cancel();
        assert!(stop.is_aborted());
        aborted.await;
    }
}
