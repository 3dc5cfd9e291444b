//! Run jobs that are WebAssembly components: the library door of Gristmill.
//!
//! A [`Host`] is a whole Gristmill in this process: a queue, a cache, the sandbox and a worker. A
//! [`Client`] speaks to one in another process, the daemon `gristmill serve`. Both take the same
//! [`NewJob`]. A host's queue is in memory, or on a Redis server that hosts share: see
//! [`HostBuilder::redis_url`].
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use gristmill::{Host, NewJob, OutcomeKind, Payload};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let host = Host::builder().plugins_dir("target/plugins").concurrency(4).build().await?;
//!     host.start();
//!
//!     let text = Payload::text("to be or not to be");
//!     let job = NewJob::new("wordcount".parse()?, text);
//!     let job = host.run(job, Duration::from_secs(30)).await?.ok_or("the job was removed")?;
//!
//!     assert_eq!(job.outcome, Some(OutcomeKind::Completed));
//!     if let Some(result) = &job.result {
//!         println!("{}", String::from_utf8_lossy(&result.data));
//!     }
//!     host.shutdown().await?;
//!     Ok(())
//! }
//! ```
//!
//! A host for tests, with a clock that the test sets, is [`testing::Harness`]; [`cases`] holds plugins
//! against what their authors expect of them.
//!
//! The command line's dependencies are behind the feature `cli`, which is on by default: embedders
//! leave them out with `default-features = false`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod backends;
pub mod cases;
pub mod client;
mod error;
mod host;
mod log;
mod media_type;
mod producer;
pub mod redis;
pub mod testing;

pub use backends::{CacheError, CacheUrl, InvalidCacheUrl};
pub use client::Client;
pub use error::Error;
pub use host::{Host, HostBuilder};
pub use log::{LogObserver, shown_line};
pub use media_type::{media_type, sniffed};
pub use producer::Producer;

pub use gristmill_api::{
    Access, BackendInfo, BindError, CacheView, Change, ChangeError, Desk, EngineView, EventError,
    EventKind, EventView, Feed, FileFault, FunctionView, Info, InvalidToken, JobsPage, Kind,
    LimitsView, PluginEntry, PluginView, PluginsInfo, PluginsView, Problem, QueueView, QueuesView,
    RequeuedView, Role, RunningView, SchemaView, Tls, TlsError, Tokens, TotalsView, VerdictView,
    VersionView, VersionsView, Wish, WorkerView, WorkersView, bind, bind_with, serve, serve_with,
};
pub use gristmill_cache::{self as cache, Cache};
pub use gristmill_job as job;
pub use gristmill_job::{
    FunctionName, Job, JobId, NewJob, OutcomeKind, Payload, PluginName, QueueName, Verdict,
};
pub use gristmill_queue::{self as queue, Queue};
pub use gristmill_runtime::{self as runtime, LoadError, Plugin};
pub use gristmill_shelf::{self as shelf, Shelf};
pub use gristmill_worker::{
    Config as WorkerConfig, Controls, Event, LEASE_MIN, LineVitals, Observer, Order, Share,
    Summary, Tuning, Vitals,
};
pub use tokio_util::sync::CancellationToken;

/// Pages whose code is an embedder's: it is compiled as the examples here are.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/testing.md")]
mod book {}
