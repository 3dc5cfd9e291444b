//! Components that call the host more than is good, and for more than it gives.

use gristmill_job::Gauge;
use gristmill_tests::{peak, resident};

use super::{Completed, Limited, TimedOut, Trapped, expect};

#[tokio::test]
pub(super) async fn loop_in_host_calls() {
    expect("loop_in_host_calls", Limited("host_calls")).await;
}

#[tokio::test]
pub(super) async fn remember_for_ever() {
    expect("remember_for_ever", Completed).await;
}

#[tokio::test]
pub(super) async fn list_to_an_inert_function() {
    expect("list_to_an_inert_function", Limited("hostcall_bytes")).await;
}

#[tokio::test]
pub(super) async fn loop_of_inert_calls() {
    expect("loop_of_inert_calls", TimedOut).await;
}

#[tokio::test]
pub(super) async fn answer_of_many_parts() {
    expect("answer_of_many_parts", TimedOut).await;
}

#[tokio::test]
pub(super) async fn zeroes_without_end() {
    expect("zeroes_without_end", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn hundred_megabytes_of_chance() {
    expect("hundred_megabytes_of_chance", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn sixty_megabytes_of_chance() {
    expect("sixty_megabytes_of_chance", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn read_without_end() {
    expect("read_without_end", Completed).await;
}

#[tokio::test]
pub(super) async fn exit_in_failure() {
    expect("exit_in_failure", Trapped("exit")).await;
}

#[tokio::test]
pub(super) async fn exit_in_success() {
    expect("exit_in_success", Trapped("exit")).await;
}

/// What an attempt may use is reported as used, and no more of it.
fn check_within(gauge: Gauge) {
    assert!(gauge.used <= gauge.allowed, "{gauge:?}");
}

#[tokio::test]
pub(super) async fn flood_the_log() {
    let trial = expect("flood_the_log", Limited("host_calls")).await;
    check_within(trial.report().usage.log_bytes);
    assert_eq!(trial.sandbox.recorded.messages().len(), 256 + 1, "256 KiB, and that it is full");
}

#[tokio::test]
pub(super) async fn flood_of_log_fields() {
    let trial = expect("flood_of_log_fields", Limited("host_calls")).await;
    let log = trial.sandbox.recorded.log.lock().expect("no panic");
    let most = log.iter().map(|line| line.fields.len()).max().expect("a line");
    assert!(most <= 4 << 10, "{most} fields in one line");
    let total: usize = log.iter().map(|line| line.fields.len()).sum();
    assert!(total <= 128 << 10, "{total} fields in {} lines", log.len());
}

#[tokio::test]
pub(super) async fn flood_the_cache() {
    let trial = expect("flood_the_cache", Limited("host_calls")).await;
    check_within(trial.report().usage.cache_ops);
}

#[tokio::test]
pub(super) async fn flood_the_cache_with_bytes() {
    let trial = expect("flood_the_cache_with_bytes", Limited("host_calls")).await;
    check_within(trial.report().usage.cache_bytes);
}

#[tokio::test]
pub(super) async fn flood_of_progress() {
    let trial = expect("flood_of_progress", Limited("host_calls")).await;
    let progress = trial.sandbox.recorded.progress.lock().expect("no panic");
    assert!(progress.len() < 1_000, "{} of 5,000 were published", progress.len());
    assert!(progress.iter().all(|said| said.note.as_ref().is_some_and(|note| note.len() <= 256)));
}

#[tokio::test]
pub(super) async fn flood_of_checkpoints() {
    expect("flood_of_checkpoints", Limited("host_calls")).await;
}

#[tokio::test]
pub(super) async fn output_without_an_end() {
    let trial = expect("output_without_an_end", Completed).await;
    let lines = trial.sandbox.recorded.messages();
    assert_eq!(lines.len(), 1, "it never ended a line");
    assert!(lines[0].len() <= 8 << 10, "{} bytes", lines[0].len());
}

#[tokio::test]
pub(super) async fn flood_of_outputs() {
    // What the engine itself takes is taken by then.
    expect("trap_at_once", Trapped("unreachable")).await;
    let before = resident();
    let trial = expect("flood_of_outputs", Limited("handles")).await;
    check_within(trial.report().usage.log_bytes);
    // A thousand streams are open at the end, and each was written 60 KB.
    let grown = peak().saturating_sub(before);
    assert!(grown < 40 << 20, "the host kept {} MiB for them", grown >> 20);
}

#[tokio::test]
pub(super) async fn flood_of_lines() {
    let trial = expect("flood_of_lines", Completed).await;
    let lines = trial.sandbox.recorded.messages().len();
    assert_eq!(lines, 2_001);
}
