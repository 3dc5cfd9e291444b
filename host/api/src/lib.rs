//! The front desk: jobs over HTTP.
//!
//! A [`Desk`] is what every door stands on: queue, cache, plugins and sandbox, with the checks that
//! a job passes before it is queued. [`serve_with`] puts it on the network; `routes.rs` has the one
//! table of what can be asked, by whom, and how it may be refused, and `/openapi.json` describes it.
//! Jobs look as in [`gristmill_job::wire`]; every refusal is a [`Problem`] (RFC 9457).
//!
//! Whoever reaches the desk may run jobs, so it is open to this machine alone, or takes tokens: see
//! [`Access`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod access;
mod cache;
mod change;
mod degraded;
mod desk;
mod edge;
mod events;
mod forms;
mod health;
mod idempotency;
mod info;
mod jobs;
mod limits;
mod listing;
mod metrics;
mod openapi;
mod parameters;
mod plugins;
mod problem;
mod queues;
mod routes;
mod serve;
mod verdict;
mod workers;

pub use access::{Access, InvalidToken, Role, Tls, TlsError, Tokens};
pub use cache::CacheView;
pub use change::{Change, ChangeError};
pub use degraded::{Degraded, Part};
pub use desk::Desk;
pub use events::{EventError, EventKind, EventView, Feed};
pub use info::{BackendInfo, EngineView, Info, LimitsView, PluginsInfo};
pub use limits::{BODY_BYTES_MAX, LOADS_MAX, PLUGIN_BODY_BYTES_MAX, WAIT_MAX};
pub use listing::{JobsPage, LogsView};
pub use metrics::Metrics;
pub use plugins::{
    FunctionView, PluginEntry, PluginView, PluginsView, SchemaView, VersionView, VersionsView,
};
pub use problem::{FileFault, Kind, More, Problem};
pub use queues::{ClearedView, QueueView, QueuesView, RequeuedView, TotalsView};
pub use serve::{BindError, bind, bind_with, serve, serve_with};
pub use verdict::VerdictView;
pub use workers::{RunningView, Wish, WorkerView, WorkersView};

#[cfg(test)]
mod tests;
