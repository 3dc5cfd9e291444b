//! What producers may write, and what they are told when it doesn't fit.

use serde_json::json;

use super::*;

fn parse(value: Value) -> Result<NewJob, String> {
    let request: JobRequest = serde_json::from_value(value).map_err(|e| e.to_string())?;
    NewJob::try_from(request).map_err(|e| e.to_string())
}

#[track_caller]
fn check_input(value: Value, content_type: &str, data: &[u8]) {
    let job = parse(value).unwrap();
    assert_eq!(job.input.content_type, content_type);
    assert_eq!(job.input.data, data);
}

#[track_caller]
fn check_refused(value: Value, expected: &str) {
    let error = parse(value).unwrap_err();
    assert!(error.contains(expected), "{error:?} should contain {expected:?}");
}

#[test]
fn a_string_is_text_and_any_other_value_json() {
    check_input(json!({"plugin": "p", "input": "a\nb"}), "text/plain", b"a\nb");
    check_input(json!({"plugin": "p", "input": {"a": 1}}), "application/json", br#"{"a":1}"#);
    check_input(json!({"plugin": "p", "input": null}), "application/json", b"null");
    check_input(json!({"plugin": "p", "input_base64": "AAE="}), media::BYTES, &[0, 1]);
    check_input(json!({"plugin": "p"}), "", b"");
}

#[test]
fn a_media_type_goes_with_the_input() {
    let srt = json!({"plugin": "p", "input": "1", "content_type": "text/srt"});
    check_input(srt, "text/srt", b"1");
    let quoted = json!({"plugin": "p", "input": "1", "content_type": "application/json"});
    check_input(quoted, "application/json", b"\"1\"");
    check_refused(
        json!({"plugin": "p", "content_type": "text/plain"}),
        "content_type: there is no",
    );
    check_refused(json!({"plugin": "p", "input": "", "content_type": "text"}), "content_type: not");
}

#[test]
fn every_option_arrives() {
    let job = parse(json!({
        "plugin": "p", "function": "f", "queue": "q", "priority": 0, "delay_ms": 5,
        "max_attempts": 2, "backoff": {"kind": "fixed", "base_ms": 10, "max_ms": 20, "jitter": 0.0},
        "timeout_ms": 7, "unique_key": "k", "result_ttl_ms": 9, "headers": {"Tenant": "acme"},
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "digest": format!("sha256:{}", "0".repeat(64)),
        "id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
    }))
    .unwrap();
    assert_eq!(job.id.to_string(), "6f9619ff-8b86-d011-b42d-00cf4fc964ff");
    assert_eq!(job.function.as_ref().unwrap().as_str(), "f");
    assert_eq!(job.queue.as_str(), "q");
    assert_eq!(job.priority.class(), 0);
    assert_eq!(job.start, Start::After(Duration::from_millis(5)));
    assert_eq!(job.retry_policy().attempts_max, 2);
    assert_eq!(job.retry_policy().backoff.kind, BackoffKind::Fixed);
    assert_eq!(job.timeout, Some(Duration::from_millis(7)));
    assert_eq!(job.unique_key.unwrap().as_str(), "k");
    assert_eq!(job.result_ttl, Duration::from_millis(9));
    assert_eq!(job.headers.get("tenant"), Some("acme"));
    assert!(job.traceparent.is_some() && job.digest.is_some());
}

#[test]
fn the_latest_version_is_asked_for_by_its_name() {
    let job = parse(json!({"plugin": "p", "digest": "latest"})).unwrap();
    assert!(job.latest && job.digest.is_none());
    assert!(!parse(json!({"plugin": "p"})).unwrap().latest);
}

#[test]
fn a_fault_names_its_field() {
    check_refused(json!({"plugin": "p", "inptu": 1}), "unknown field `inptu`");
    check_refused(json!({"input": 1}), "missing field `plugin`");
    check_refused(json!({"plugin": "P"}), "plugin: \"P\" is no plugin name");
    check_refused(json!({"plugin": "p", "priority": 4}), "priority: 4 is no priority");
    check_refused(json!({"plugin": "p", "id": "7"}), "id: ");
    check_refused(json!({"plugin": "p", "run_at": "soon"}), "run_at: \"soon\" is no time");
    check_refused(json!({"plugin": "p", "max_attempts": 0}), "max_attempts: 0 is not within");
    check_refused(json!({"plugin": "p", "timeout_ms": 0}), "timeout_ms: 0 leaves no time");
    check_refused(json!({"plugin": "p", "backoff": {"jitter": 2.0}}), "backoff.jitter: 2");
    check_refused(json!({"plugin": "p", "backoff": {"kind": "linear"}}), "unknown variant");
    check_refused(json!({"plugin": "p", "traceparent": "00-1-2-3"}), "traceparent: ");
    check_refused(json!({"plugin": "p", "digest": "abc"}), "digest: ");
    check_refused(json!({"plugin": "p", "input_base64": "*"}), "input_base64: ");
    let twice = json!({"plugin": "p", "delay_ms": 1, "run_at": "2026-05-01T12:00:00Z"});
    check_refused(twice, "run_at: delay_ms is given too");
    check_refused(json!({"plugin": "p", "input": 1, "input_base64": ""}), "input is given too");
    let large = "x".repeat(limits::PAYLOAD_BYTES_MAX + 1);
    check_refused(json!({"plugin": "p", "input": large}), "input: 1048577 bytes are more than");
}

#[test]
fn two_jobs_without_ids_get_different_ones() {
    let id = || parse(json!({"plugin": "p"})).unwrap().id;
    assert_ne!(id(), id());
}

#[test]
fn what_is_left_out_is_not_written() {
    let request = JobRequest { plugin: "p".to_owned(), ..JobRequest::default() };
    assert_eq!(serde_json::to_value(request).unwrap(), json!({"plugin": "p"}));
}
