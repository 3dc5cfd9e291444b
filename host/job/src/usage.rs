//! What an attempt used of what it was allowed.

use serde::{Deserialize, Serialize};

/// One measure: used, and allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gauge {
    /// How much was used.
    pub used: u64,
    /// How much was allowed.
    pub allowed: u64,
}

/// What an attempt used of what it was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Time on a processor, in microseconds: the guest's own and that of host calls, without waits.
    pub cpu_us: Gauge,
    /// Time from start to end, in microseconds.
    pub wall_us: Gauge,
    /// The most linear memory at one time, in bytes, over all memories.
    pub memory_peak_bytes: Gauge,
    /// Calls of the contract's interfaces.
    pub host_calls: Gauge,
    /// Cache operations; each key of a batch is one.
    pub cache_ops: Gauge,
    /// Bytes of keys and values through the cache.
    pub cache_bytes: Gauge,
    /// Bytes of log.
    pub log_bytes: Gauge,
}
