//! The front desk: jobs over HTTP.
//!
//! A [`Desk`] is what every door stands on: queue, cache, plugins and sandbox, with the checks that
//! a job passes before it is queued. [`serve`] puts it on the network: `/v1/jobs`, `/v1/queues`,
//! `/v1/cache`, `/v1/plugins`, `/v1/info`, `/healthz` and `/readyz`. Jobs look as in [`gristmill_job::wire`]; every refusal is a
//! [`Problem`] (RFC 9457).
//!
//! Whoever reaches the desk may run jobs, so it is open to this machine alone: see [`bind`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod cache;
mod change;
mod degraded;
mod desk;
mod forms;
mod health;
mod info;
mod jobs;
mod limits;
mod listing;
mod metrics;
mod parameters;
mod plugins;
mod problem;
mod queues;
mod routes;
mod serve;
mod verdict;

pub use cache::CacheView;
pub use change::{Change, ChangeError};
pub use degraded::{Degraded, Part};
pub use desk::Desk;
pub use info::{BackendInfo, EngineView, Info, LimitsView, PluginsInfo};
pub use limits::{BODY_BYTES_MAX, LOADS_MAX, WAIT_MAX};
pub use listing::{JobsPage, LogsView};
pub use metrics::Metrics;
pub use plugins::{FunctionView, PluginEntry, PluginView, PluginsView};
pub use problem::{Kind, Problem};
pub use queues::{ClearedView, QueueView, QueuesView, RequeuedView, TotalsView};
pub use serve::{BindError, bind, serve};
pub use verdict::VerdictView;

#[cfg(test)]
mod tests;
