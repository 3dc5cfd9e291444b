//! Components that use, lose and multiply what they were given.

use std::time::Duration;

use gristmill_cache::{Cache as _, Key, Lookup, Space};

use super::{Fate, Limited, TimedOut, Trapped, expect};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
pub(super) async fn drop_a_foreign_handle() {
    expect("drop_a_foreign_handle", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn use_a_foreign_handle() {
    expect("use_a_foreign_handle", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn use_after_enqueue() {
    expect("use_after_enqueue", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn enqueue_twice_at_once() {
    expect("enqueue_twice_at_once", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn trap_after_enqueue() {
    expect("trap_after_enqueue", Trapped("unreachable")).await;
}

#[tokio::test]
pub(super) async fn trap_while_enqueuing() {
    expect("trap_while_enqueuing", Trapped("unreachable")).await;
}

#[tokio::test]
pub(super) async fn flood_of_jobs() {
    expect("flood_of_jobs", Limited("handles")).await;
}

#[tokio::test]
pub(super) async fn flood_of_large_jobs() {
    expect("flood_of_large_jobs", Limited("follow_up_bytes")).await;
}

#[tokio::test]
pub(super) async fn flood_of_headers() {
    expect("flood_of_headers", Limited("follow_up_bytes")).await;
}

#[tokio::test]
pub(super) async fn flood_of_own_handles() {
    expect("flood_of_own_handles", Limited("handles")).await;
}

/// After whatever ended the attempt, the next caller needn't wait for a reservation's lease.
async fn expect_free(name: &str, fate: Fate) {
    let trial = Box::pin(expect(name, fate)).await;
    let space = Space::Bucket("shared".parse().expect("a name"));
    let key = Key::new("wanted", &gristmill_cache::Config::default()).expect("a key");
    let found = trial.sandbox.cache.get_or_reserve(&space, &key, HOUR, Duration::ZERO).await;
    let found = found.expect("the cache is well");
    assert!(!matches!(found, Lookup::Busy), "a reservation was left behind");
}

#[tokio::test]
pub(super) async fn trap_while_holding_a_reservation() {
    expect_free("trap_while_holding_a_reservation", Trapped("integer-division-by-zero")).await;
}

#[tokio::test]
pub(super) async fn hang_while_holding_a_reservation() {
    expect_free("hang_while_holding_a_reservation", TimedOut).await;
}

#[tokio::test]
pub(super) async fn trap_while_reserving() {
    expect_free("trap_while_reserving", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn fill_twice() {
    expect_free("fill_twice", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn drop_twice() {
    expect_free("drop_twice", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn wait_for_itself() {
    expect_free("wait_for_itself", TimedOut).await;
}
