//! What a host says of itself: the same for the command line, HTTP and embedders.

use gristmill_job::limits::PAYLOAD_BYTES_MAX;
use gristmill_runtime::{Allocator, EngineInfo, Limits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::desk::Desk;

/// What a host says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Info {
    /// Gristmill's version.
    pub version: String,
    /// Where jobs wait.
    pub queue: BackendInfo,
    /// What jobs remember.
    pub cache: BackendInfo,
    /// Whether jobs survive a restart.
    pub durable: bool,
    /// Whether other back-ends are used than were asked for.
    pub degraded: bool,
    /// Why they are.
    pub degraded_reason: Option<String>,
    /// How guests are run.
    pub engine: EngineView,
    /// The plugins.
    pub plugins: PluginsInfo,
    /// What each attempt is allowed.
    pub limits: LimitsView,
}

/// A back-end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackendInfo {
    /// Its name.
    pub backend: String,
    /// What a user should know of it.
    pub note: Option<String>,
}

/// How guests are run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EngineView {
    /// How instances get their memory: `pooled_with_scan`, `pooled_and_locked`, `pooled` or `on_demand`.
    pub allocator: String,
    /// Why it isn't a faster way, and what that costs.
    pub note: Option<String>,
    /// Attempts that may run at one time.
    pub slots: u32,
}

/// The plugins of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginsInfo {
    /// The folder that they come from.
    pub dir: Option<String>,
    /// How many there are.
    pub count: usize,
}

/// What each attempt is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitsView {
    /// Linear memory in bytes, over all memories together.
    pub memory_bytes: u64,
    /// Time from start to end, in milliseconds.
    pub wall_ms: u64,
    /// Time on a processor, in milliseconds.
    pub cpu_ms: u64,
    /// The input's bytes.
    pub input_bytes: u64,
    /// The result's bytes.
    pub result_bytes: u64,
    /// Bytes of log.
    pub log_bytes: u64,
    /// Lines of log.
    pub log_lines: u64,
    /// Cache operations.
    pub cache_ops: u64,
    /// Bytes of keys and values through the cache.
    pub cache_bytes: u64,
    /// Jobs that it enqueues.
    pub follow_ups: u64,
    /// Calls of the contract's interfaces.
    pub host_calls: u64,
}

impl Desk {
    /// What this host says of itself.
    ///
    /// # Errors
    /// The queue can't be reached.
    pub async fn info(&self) -> Result<Info, gristmill_queue::Error> {
        let queue = self.queue.info().await?;
        // A cache that can't be reached is no reason to say nothing of the rest.
        let cache = match self.cache.stats().await {
            Ok(stats) => BackendInfo { backend: stats.backend.to_owned(), note: Some(stats.note) },
            Err(error) => {
                BackendInfo { backend: "unavailable".to_owned(), note: Some(error.to_string()) }
            }
        };
        let count = self.plugin_names().await.map_or(0, |names| names.len());
        Ok(Info {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            queue: BackendInfo { backend: queue.backend.to_owned(), note: Some(queue.note) },
            cache,
            durable: queue.durable,
            degraded: self.degraded.is_set(),
            degraded_reason: self.degraded.reason(),
            engine: self.runtime.info().into(),
            plugins: PluginsInfo {
                dir: self.plugins.dir().map(|dir| dir.display().to_string()),
                count,
            },
            limits: self.runtime.limits().into(),
        })
    }
}

impl From<&EngineInfo> for EngineView {
    fn from(info: &EngineInfo) -> Self {
        let allocator = match info.allocator {
            Allocator::PooledWithScan => "pooled_with_scan",
            Allocator::PooledAndLocked => "pooled_and_locked",
            Allocator::Pooled => "pooled",
            Allocator::OnDemand => "on_demand",
        };
        Self { allocator: allocator.to_owned(), note: info.note.clone(), slots: info.slots }
    }
}

impl From<&Limits> for LimitsView {
    fn from(limits: &Limits) -> Self {
        let millis = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        Self {
            memory_bytes: limits.memory_bytes_max as u64,
            wall_ms: millis(limits.wall),
            cpu_ms: millis(limits.cpu),
            input_bytes: PAYLOAD_BYTES_MAX as u64,
            result_bytes: limits.result_bytes_max as u64,
            log_bytes: limits.log_bytes_max,
            log_lines: limits.log_lines_max,
            cache_ops: limits.cache_ops_max,
            cache_bytes: limits.cache_bytes_max,
            follow_ups: limits.follow_ups_max as u64,
            host_calls: limits.host_calls_max,
        }
    }
}
