//! What attempts may use of the cache, and values that one of them computes for all.

use gristmill_job::{Outcome, Payload};
use gristmill_runtime::{Limits, Report};
use gristmill_tests::{Sandbox, a_job};
use serde_json::{Value, json};

/// Runs the guest of many calls in its own space, and answers with what came of each.
async fn calls(sandbox: &Sandbox, calls: Value) -> (Report, Vec<Value>) {
    let plan = Payload::json(&json!({"bucket": "", "calls": calls}));
    let report = sandbox.run(a_job("cache-calls", "", plan)).await;
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("the job doesn't go on: {:?}", report.outcome)
    };
    let answers = serde_json::from_slice(&result.data).expect("JSON");
    (report, answers)
}

#[track_caller]
fn check_spent(answer: &Value, budget: &str) {
    let error = answer["Err"].as_str().unwrap_or_else(|| panic!("allowed: {answer}"));
    assert!(error.starts_with(&format!("quota exceeded: {budget}: ")), "{error}");
}

#[tokio::test]
async fn a_job_whose_operations_are_spent_goes_on_without_the_cache() {
    let limits = Limits { cache_ops_max: 3, ..Limits::default() };
    let sandbox = Sandbox::with_limits(limits);
    let plan = json!([["set", "k", "v"], ["get-many", "k l m"], ["get-many", "k l"], ["get", "k"]]);
    let (report, answers) = calls(&sandbox, plan).await;
    assert_eq!(answers[0], json!({"Ok": null}));
    check_spent(&answers[1], "cache_ops");
    assert_eq!(answers[2], json!({"Ok": ["v", null]}), "a refused call takes nothing");
    check_spent(&answers[3], "cache_ops");
    assert_eq!(report.usage.cache_ops.used, 3);
    let (_, again) = calls(&sandbox, json!([["get", "k"]])).await;
    assert_eq!(again, [json!({"Ok": "v"})], "the next attempt has a budget of its own");
}

#[tokio::test]
async fn a_job_whose_bytes_are_spent_goes_on_without_the_cache() {
    let limits = Limits { cache_bytes_max: 100, ..Limits::default() };
    let sandbox = Sandbox::with_limits(limits);
    let (half, too_much) = ("x".repeat(49), "x".repeat(100));
    let plan = json!([["set", "k", too_much], ["set", "k", half], ["get", "k"], ["exists", "k"]]);
    let (report, answers) = calls(&sandbox, plan).await;
    check_spent(&answers[0], "cache_bytes");
    assert_eq!(answers[1], json!({"Ok": null}));
    assert_eq!(answers[2], json!({"Ok": half}));
    check_spent(&answers[3], "cache_bytes");
    assert_eq!(report.usage.cache_bytes.used, 100);
}

#[tokio::test]
async fn a_batch_of_more_bytes_than_are_left_is_not_given() {
    let limits = Limits { cache_bytes_max: 1 << 20, ..Limits::default() };
    let sandbox = Sandbox::with_limits(limits);
    let value = "x".repeat(600 << 10);
    for key in ["k", "l"] {
        assert_eq!(calls(&sandbox, json!([["set", key, value]])).await.1, [json!({"Ok": null})]);
    }
    let (_, answers) = calls(&sandbox, json!([["get-many", "k l"], ["get-many", "k"]])).await;
    check_spent(&answers[0], "cache_bytes");
    assert_eq!(answers[1], json!({"Ok": [value]}));
}
