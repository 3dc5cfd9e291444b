//! What a rule is given: an empty cache and its time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_cache::{Cache, Config, Key, Lookup, Reservation, SetOptions, Space};
use gristmill_job::PluginName;

use crate::Time;
use crate::{is_left_out, runtime};

/// A back-end that is to keep the rules.
#[async_trait]
pub trait CacheBackend: Send + Sync + 'static {
    /// An empty cache within these bounds, and its time.
    async fn open(&self, config: Config) -> (Arc<dyn Cache>, Arc<dyn Time>);

    /// What it lacks to be opened here: then its rules are left out, and loudly so.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// Random lives that the model test goes through: fewer, where each step is a round trip.
    fn lives(&self) -> u32 {
        200
    }
}

/// Checks one rule on one back-end.
pub fn check<F: Future<Output = ()>>(
    backend: impl CacheBackend,
    rule: impl FnOnce(CacheFixture) -> F,
) {
    if is_left_out(backend.lacks()) {
        return;
    }
    runtime().block_on(async { rule(CacheFixture::open(Arc::new(backend)).await).await });
}

/// An empty cache and its time.
pub struct CacheFixture {
    backend: Arc<dyn CacheBackend>,
    pub(super) cache: Arc<dyn Cache>,
    time: Arc<dyn Time>,
    pub(super) space: Space,
}

impl CacheFixture {
    pub(super) async fn open(backend: Arc<dyn CacheBackend>) -> Self {
        let (cache, time) = backend.open(Config::default()).await;
        Self { backend, cache, time, space: a_space("own") }
    }

    /// Another empty cache of the same back-end, with other bounds.
    pub(super) async fn with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let (cache, time) = self.backend.open(config).await;
        let space = self.space.clone();
        Self { backend: Arc::clone(&self.backend), cache, time, space }
    }

    pub(super) async fn advance(&self, by: Duration) {
        self.time.advance(by).await;
    }

    pub(super) async fn get(&self, text: &str) -> Option<Bytes> {
        self.cache.get(&self.space, &key(text)).await.unwrap()
    }

    pub(super) async fn set(&self, text: &str, value: impl Into<Bytes>) {
        let options = SetOptions::default();
        assert!(self.cache.set(&self.space, &key(text), value.into(), options).await.unwrap());
    }

    pub(super) async fn set_for(&self, text: &str, value: &'static str, ttl: Duration) {
        let options = SetOptions { ttl: Some(ttl), ..SetOptions::default() };
        let value = Bytes::from_static(value.as_bytes());
        assert!(self.cache.set(&self.space, &key(text), value, options).await.unwrap());
    }

    pub(super) async fn ttl(&self, text: &str) -> Option<Duration> {
        self.cache.get_entry(&self.space, &key(text)).await.unwrap().unwrap().ttl
    }

    pub(super) async fn look(&self, text: &str, wait: Duration) -> Lookup {
        self.cache.get_or_reserve(&self.space, &key(text), LEASE, wait).await.unwrap()
    }

    /// Reserves a key, which must be possible.
    pub(super) async fn reserve(&self, text: &str) -> Reservation {
        match self.look(text, Duration::ZERO).await {
            Lookup::Reserved(reservation) => reservation,
            other => panic!("{text} could not be reserved: {other:?}"),
        }
    }

    pub(super) async fn fill(&self, reservation: Reservation, value: &'static str) -> bool {
        let value = Bytes::from_static(value.as_bytes());
        self.cache.fill(reservation, value, None).await.unwrap()
    }
}

/// How long a reservation lasts.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// Longer than a test may take: who waits this long was never told.
pub(super) const PATIENCE: Duration = Duration::from_secs(3_600);
pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

pub(super) fn a_space(plugin: &str) -> Space {
    Space::Plugin(PluginName::new(plugin).unwrap())
}

pub(super) fn key(text: &str) -> Key {
    Key::new(text, &Config::default()).unwrap()
}

pub(super) fn keys(texts: &[&str]) -> Vec<Key> {
    texts.iter().map(|text| key(text)).collect()
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a future gives, which must come at once.
pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(seconds(10), future).await.expect("it should have come at once")
}
