//! Who does the work: leases jobs from queues, runs them in the sandbox, settles them.
//!
//! One [`Worker`] is one *dispatcher* and a number of long-lived *executors*. The dispatcher owns
//! the truth of what is held, and is the only one who talks to the queue; executors take jobs off a
//! shared board, run them one after another, and put what came of them back. Both sides move
//! batches: a message for every attempt would cost more than the attempt. The dispatcher belongs on
//! the control plane's async runtime, the executors on one of their own, so that busy guests never
//! delay a heartbeat.
//!
//! What happens is told to an [`Observer`] as typed [`Event`]s: logs, metrics and tests read the
//! same stream.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod board;
mod config;
mod controls;
mod dispatcher;
mod event;
mod executor;
mod follow_ups;
mod former;
mod pulse;
mod settle;
mod shift;
mod worker;

pub use config::{Config, LEASE_MIN, Order, Share};
pub use controls::{Controls, Tuning};
pub use event::{Event, Observer};
pub use follow_ups::QueueFollowUps;
pub use pulse::{LineVitals, Pulse, Vitals};
pub use worker::{Summary, Worker};
