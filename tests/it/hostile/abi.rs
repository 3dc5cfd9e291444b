//! Components that break the rules by which values are handed over.

use super::{Failed, Limited, Trapped, expect};

#[tokio::test]
pub(super) async fn string_of_bad_utf8() {
    expect("string_of_bad_utf8", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn pointer_out_of_bounds() {
    expect("pointer_out_of_bounds", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn string_of_two_gibibytes() {
    expect("string_of_two_gibibytes", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn misaligned_list() {
    expect("misaligned_list", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn list_of_two_billion() {
    expect("list_of_two_billion", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn list_that_wraps_around() {
    expect("list_that_wraps_around", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn unknown_level() {
    expect("unknown_level", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn fields_that_overlap() {
    expect("fields_that_overlap", Limited("hostcall_bytes")).await;
}

#[tokio::test]
pub(super) async fn result_out_of_bounds() {
    expect("result_out_of_bounds", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn misaligned_result() {
    expect("misaligned_result", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn unknown_result() {
    expect("unknown_result", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn result_of_two_gibibytes() {
    expect("result_of_two_gibibytes", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn hundred_megabytes_of_result() {
    expect("hundred_megabytes_of_result", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn forty_megabytes_of_result() {
    expect("forty_megabytes_of_result", Limited("hostcall_bytes")).await;
}

#[tokio::test]
pub(super) async fn two_megabytes_of_result() {
    expect("two_megabytes_of_result", Limited("result")).await;
}

#[tokio::test]
pub(super) async fn long_media_type() {
    expect("long_media_type", Limited("result")).await;
}

#[tokio::test]
pub(super) async fn realloc_traps() {
    expect("realloc_traps", Trapped("unreachable")).await;
}

#[tokio::test]
pub(super) async fn realloc_out_of_bounds() {
    expect("realloc_out_of_bounds", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn realloc_at_the_edge() {
    expect("realloc_at_the_edge", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn call_host_in_realloc() {
    expect("call_host_in_realloc", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn misaligned_realloc() {
    expect("misaligned_realloc", Trapped("trap")).await;
}

#[tokio::test]
pub(super) async fn trap_in_post_return() {
    expect("trap_in_post_return", Trapped("unreachable")).await;
}

#[tokio::test]
pub(super) async fn long_failure() {
    let trial = expect("long_failure", Failed).await;
    let error = trial.report().outcome.error().expect("an error");
    assert!(error.message.len() <= 4 << 10 && error.code.len() <= 128);
    assert_eq!(error.detail, None, "it is larger than a result may be");
}

#[tokio::test]
pub(super) async fn fail_until_the_end_of_time() {
    expect("fail_until_the_end_of_time", Failed).await;
}
