//! A Redis server as the back-ends of queue and cache use it.
//!
//! A [`Link`] is a connection that is lost and made again; it runs commands, pipelines and
//! [`Script`]s, each with an end to its patience and an error that names the server. A
//! [`Subscription`] hears what the server tells unasked. Which keys there are and what they mean is
//! the business of the back-ends.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod address;
mod fault;
mod link;
mod reply;
mod request;
mod script;
mod subscription;

pub use address::{Address, InvalidAddress};
pub use fault::{ConnectError, blame};
pub use link::{Link, Patience, Repeat, Schema, open};
pub use reply::{Reply, bytes, scanned};
pub use request::Arguments;
pub use script::Script;
pub use subscription::{Listener, Subscription};
