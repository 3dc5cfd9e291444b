//! A cache that takes calls and never answers: an attempt ends all the same.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_cache::{
    Cache, Cursor, Entry, Error, Key, Lookup, Page, Reservation, SetOptions, Space, Stats, Version,
};
use gristmill_job::{PluginName, SystemClock};
use gristmill_runtime::{
    Attempt, Config, Limits, NoFollowUps, Occupancy, Report, Runtime, SilentNotes, Stop,
};
use gristmill_tests::hostile;

use super::{DEADLINE, FOREVER, Fate, TimedOut, Trapped, call, fate_of, shares};

/// Gives reservations, and answers nothing else.
struct Hanging;

#[async_trait]
impl Cache for Hanging {
    async fn get(&self, _: &Space, _: &Key) -> Result<Option<Bytes>, Error> {
        pending().await
    }

    async fn get_entry(&self, _: &Space, _: &Key) -> Result<Option<Entry>, Error> {
        pending().await
    }

    async fn exists(&self, _: &Space, _: &Key) -> Result<bool, Error> {
        pending().await
    }

    async fn set(&self, _: &Space, _: &Key, _: Bytes, _: SetOptions) -> Result<bool, Error> {
        pending().await
    }

    async fn compare_and_set(
        &self,
        _: &Space,
        _: &Key,
        _: Option<Version>,
        _: Bytes,
        _: Option<Duration>,
    ) -> Result<bool, Error> {
        pending().await
    }

    async fn delete(&self, _: &Space, _: &Key) -> Result<bool, Error> {
        pending().await
    }

    async fn touch(&self, _: &Space, _: &Key, _: Option<Duration>) -> Result<bool, Error> {
        pending().await
    }

    async fn increment(
        &self,
        _: &Space,
        _: &Key,
        _: i64,
        _: Option<Duration>,
    ) -> Result<i64, Error> {
        pending().await
    }

    async fn get_many(&self, _: &Space, _: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        pending().await
    }

    async fn set_many(
        &self,
        _: &Space,
        _: Vec<(Key, Bytes)>,
        _: Option<Duration>,
    ) -> Result<(), Error> {
        pending().await
    }

    async fn delete_many(&self, _: &Space, _: &[Key]) -> Result<u64, Error> {
        pending().await
    }

    async fn clear(&self, _: &Space, _: &str) -> Result<u64, Error> {
        pending().await
    }

    async fn scan(&self, _: &Space, _: &str, _: Option<Cursor>, _: usize) -> Result<Page, Error> {
        pending().await
    }

    async fn get_or_reserve(
        &self,
        space: &Space,
        key: &Key,
        _: Duration,
        _: Duration,
    ) -> Result<Lookup, Error> {
        let reservation = Reservation { space: space.clone(), key: key.clone(), token: 1 };
        Ok(Lookup::Reserved(reservation))
    }

    async fn fill(&self, _: Reservation, _: Bytes, _: Option<Duration>) -> Result<bool, Error> {
        pending().await
    }

    async fn release(&self, _: Reservation) -> Result<(), Error> {
        pending().await
    }

    async fn stats(&self) -> Result<Stats, Error> {
        pending().await
    }
}

/// Runs the component of a file over the cache that hangs.
async fn expect_over_hanging(component: &str, fate: Fate) {
    let limits = Limits { wall: DEADLINE, ..Limits::default() };
    let config = Config { slots: 2, limits, ..Config::default() };
    let (cache, clock) = (Arc::new(Hanging), Arc::new(SystemClock));
    let settings = gristmill_cache::Config::default();
    let runtime = Runtime::new(config, cache, settings, Arc::new(NoFollowUps), clock);
    let runtime = runtime.expect("an engine");
    let name = PluginName::new("hostile").expect("a name");
    let loaded = runtime.load_with(name, hostile(component).into(), shares()).await;
    let plugin = loaded.expect("it loads");
    let attempt = Attempt {
        job: Arc::new(call("hostile")),
        number: 1,
        enqueued_at: gristmill_job::Timestamp::from_millis(0),
        checkpoint: None,
        stop: Stop::new(),
        notes: Arc::new(SilentNotes),
    };
    let run = tokio::time::timeout(FOREVER, runtime.run(&plugin, attempt)).await;
    let report: Report = run.expect("it ends").expect("the host is well");
    assert_eq!(fate_of(&report), fate, "{:?}", report.outcome);
    assert_eq!(runtime.occupancy().unwrap_or_default(), Occupancy::default());
}

#[tokio::test]
async fn a_call_that_hangs_ends_at_the_deadline() {
    expect_over_hanging("flood_the_cache", TimedOut).await;
}

#[tokio::test]
async fn a_reservation_that_cannot_be_given_back_holds_nobody_up() {
    let fate = Trapped("integer-division-by-zero");
    expect_over_hanging("trap_while_holding_a_reservation", fate).await;
}
