//! The back-ends face the rules.

#![expect(clippy::unwrap_used, reason = "a back-end that can't be had has failed")]

mod redis;

use std::sync::Arc;

use async_trait::async_trait;
use gristmill_cache::{Cache, MemoryCache};
use gristmill_conformance::cache::CacheBackend;
use gristmill_conformance::queue::QueueBackend;
use gristmill_conformance::{Fixed, Time};
use gristmill_queue::{MemoryQueue, Queue};

/// The back-ends in this process's memory.
struct Memory;

#[async_trait]
impl QueueBackend for Memory {
    async fn open(&self, config: gristmill_queue::Config) -> (Arc<dyn Queue>, Arc<dyn Time>) {
        let time = Fixed::default();
        (Arc::new(MemoryQueue::new(config, Arc::clone(&time.0) as _)), Arc::new(time))
    }
}

#[async_trait]
impl CacheBackend for Memory {
    async fn open(&self, config: gristmill_cache::Config) -> (Arc<dyn Cache>, Arc<dyn Time>) {
        let time = Fixed::default();
        (Arc::new(MemoryCache::new(config, Arc::clone(&time.0) as _)), Arc::new(time))
    }
}

mod queue {
    gristmill_conformance::queue! {
        memory => crate::Memory,
        redis => crate::redis::Redis::of("redis-server"),
        redis_6_2 => crate::redis::Redis::of("redis-server-6.2"),
        valkey => crate::redis::Redis::of("valkey-server"),
    }
}

mod cache {
    gristmill_conformance::cache! { memory => crate::Memory }
}
