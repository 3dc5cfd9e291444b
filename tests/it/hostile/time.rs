//! Components that never end by themselves, wherever they may hang.

use super::{Limited, Refused, TimedOut, Trapped, expect};

#[tokio::test]
pub(super) async fn loop_forever() {
    expect("loop_forever", TimedOut).await;
}

#[tokio::test]
pub(super) async fn loop_in_start() {
    expect("loop_in_start", TimedOut).await;
}

#[tokio::test]
pub(super) async fn loop_in_realloc() {
    expect("loop_in_realloc", TimedOut).await;
}

#[tokio::test]
pub(super) async fn loop_in_post_return() {
    expect("loop_in_post_return", TimedOut).await;
}

#[tokio::test]
pub(super) async fn loop_of_tail_calls() {
    expect("loop_of_tail_calls", TimedOut).await;
}

#[tokio::test]
pub(super) async fn fill_memory_forever() {
    expect("fill_memory_forever", TimedOut).await;
}

#[tokio::test]
pub(super) async fn sleep_for_an_hour() {
    expect("sleep_for_an_hour", TimedOut).await;
}

#[tokio::test]
pub(super) async fn sleep_forever() {
    expect("sleep_forever", TimedOut).await;
}

#[tokio::test]
pub(super) async fn sleep_by_moments() {
    expect("sleep_by_moments", TimedOut).await;
}

#[tokio::test]
pub(super) async fn answer_too_late() {
    expect("answer_too_late", TimedOut).await;
}

#[tokio::test]
pub(super) async fn flood_of_clocks() {
    expect("flood_of_clocks", Limited("handles")).await;
}

#[tokio::test]
pub(super) async fn poll_nothing() {
    expect("poll_nothing", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn poll_foreign_handles() {
    expect("poll_foreign_handles", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn wait_on_shared_memory() {
    expect("wait_on_shared_memory", Refused("invalid")).await;
}

#[tokio::test]
pub(super) async fn wait_on_own_memory() {
    expect("wait_on_own_memory", Refused("invalid")).await;
}
