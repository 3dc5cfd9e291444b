//! Redis for tests: servers that are started, killed and stopped at will, and a proxy to stand
//! between them and their clients.
//!
//! [`RedisServer`] is a process with its own port and folder, and is gone with its handle.
//! [`Proxy`] is what a network does to a connection: cut it, refuse it, swallow it, slow it down.
//! [`servers`] lists the programs that there are to test against. Nothing here knows of queues.

#![expect(clippy::unwrap_used, reason = "a test that has no server has failed")]

mod command;
mod log;
mod program;
mod proxy;
mod server;
mod setup;

pub use program::{PROGRAM_VARIABLE, Program, servers};
pub use proxy::{Proxy, Traffic};
pub use server::RedisServer;
pub use setup::{Fsync, Setup};
