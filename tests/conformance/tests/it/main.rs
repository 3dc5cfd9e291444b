//! The back-ends face the rules.

#![expect(clippy::unwrap_used, reason = "a back-end that can't be had has failed")]

mod redis;
mod redis_cache;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use gristmill_cache::{Cache, FallbackCache, MemoryCache};
use gristmill_conformance::cache::CacheBackend;
use gristmill_conformance::queue::QueueBackend;
use gristmill_conformance::{Fixed, Time};
use gristmill_queue::{FallbackQueue, MemoryQueue, Queue};

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

/// A queue that does without what was asked for, or that has got it since.
struct Fallback {
    is_switched: bool,
}

#[async_trait]
impl QueueBackend for Fallback {
    async fn open(&self, config: gristmill_queue::Config) -> (Arc<dyn Queue>, Arc<dyn Time>) {
        let (standby, time) = QueueBackend::open(&Memory, config.clone()).await;
        let queue = FallbackQueue::new(standby);
        if !self.is_switched {
            return (Arc::new(queue), time);
        }
        let (primary, time) = QueueBackend::open(&Memory, config).await;
        queue.switch_to(primary).await.unwrap();
        (Arc::new(queue), time)
    }
}

#[async_trait]
impl CacheBackend for Fallback {
    async fn open(&self, config: gristmill_cache::Config) -> (Arc<dyn Cache>, Arc<dyn Time>) {
        let (standby, time) = CacheBackend::open(&Memory, config.clone()).await;
        let cache = FallbackCache::new(standby);
        if !self.is_switched {
            return (Arc::new(cache), time);
        }
        let (primary, time) = CacheBackend::open(&Memory, config).await;
        cache.switch_to(primary);
        (Arc::new(cache), time)
    }
}

mod queue {
    gristmill_conformance::queue! {
        memory => crate::Memory,
        fallback => crate::Fallback { is_switched: false },
        fallback_switched => crate::Fallback { is_switched: true },
        redis => crate::redis::Redis::of("redis-server"),
        redis_6_2 => crate::redis::Redis::of("redis-server-6.2"),
        valkey => crate::redis::Redis::of("valkey-server"),
    }
}

mod cache {
    gristmill_conformance::cache! {
        memory => crate::Memory,
        fallback_switched => crate::Fallback { is_switched: true },
        redis => crate::redis_cache::Redis::of("redis-server"),
        redis_6_2 => crate::redis_cache::Redis::of("redis-server-6.2"),
        valkey => crate::redis_cache::Redis::of("valkey-server"),
        sqlite => crate::sqlite::Sqlite::default(),
    }
}
