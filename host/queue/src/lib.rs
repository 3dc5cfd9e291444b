//! Where jobs wait: the contract that every queue keeps, and its back-ends.
//!
//! The queue knows nothing of plugins, guests or HTTP: it moves jobs through the states of
//! [`gristmill_job::JobState`] and hands them to workers under a lease. Start with [`Queue`]; the
//! heart is [`Queue::cycle`], one round trip that settles, renews and leases in batches. Back-ends
//! differ only in their [`Traits`]; `tests/conformance` holds all of them to the same rules.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod config;
mod contract;
mod cycle;
mod error;
mod fallback;
mod memory;
pub mod redis;
mod requeue;
mod roster;
mod view;

pub use config::Config;
pub use contract::{Queue, Traits};
pub use cycle::{
    Cycle, CycleReply, Held, Leased, Note, Reaped, Resynced, Settled, Settlement, Woken,
};
pub use error::Error;
pub use fallback::{FallbackQueue, Moved};
pub use memory::MemoryQueue;
pub use redis::RedisQueue;
pub use requeue::{Requeued, requeue_failed};
pub use roster::{ProcessId, Roster};
pub use view::{Changed, Counts, Cursor, Filter, Info, Page, QueueStatus, Totals};
