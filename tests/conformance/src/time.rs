//! Time as a back-end sees it, moved by tests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gristmill_job::{Clock, ManualClock, Timestamp};

/// Time as a back-end sees it.
#[async_trait]
pub trait Time: Send + Sync {
    /// The time now.
    async fn now(&self) -> Timestamp;

    /// Lets time pass, without waiting for it.
    async fn advance(&self, by: Duration);
}

/// The time of a back-end that asks a [`ManualClock`].
#[derive(Debug, Clone)]
pub struct Fixed(pub Arc<ManualClock>);

impl Default for Fixed {
    fn default() -> Self {
        Self(Arc::new(ManualClock::at(Timestamp::from_millis(1_777_636_800_000))))
    }
}

#[async_trait]
impl Time for Fixed {
    async fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}
