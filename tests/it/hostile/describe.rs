//! Components that are asked what they offer, and make trouble instead.

use super::{Refused, expect};

#[tokio::test]
pub(super) async fn trap_in_describe() {
    expect("trap_in_describe", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn loop_in_describe() {
    expect("loop_in_describe", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn grow_in_describe() {
    expect("grow_in_describe", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn describe_garbage() {
    expect("describe_garbage", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn describe_a_schema_elsewhere() {
    let trial = expect("describe_a_schema_elsewhere", Refused("description")).await;
    let why = trial.refusal.expect("it is refused").to_string();
    assert!(why.contains("what f takes") && why.contains("nothing is fetched"), "{why}");
}

#[tokio::test]
pub(super) async fn describe_bad_utf8() {
    expect("describe_bad_utf8", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn describe_two_gibibytes() {
    expect("describe_two_gibibytes", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn describe_megabytes() {
    expect("describe_megabytes", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn describe_depths() {
    expect("describe_depths", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn describe_no_function() {
    expect("describe_no_function", Refused("description")).await;
}

#[tokio::test]
pub(super) async fn describe_a_number() {
    expect("describe_a_number", Refused("description")).await;
}
