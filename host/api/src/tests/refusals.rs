//! Every refusal is a problem that says what is wrong and where.

use gristmill_queue::Config;
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Server, expect, http, problem};
use crate::{BODY_BYTES_MAX, Kind};

const ID: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

/// Posts a job and expects a refusal that is about this field.
async fn check_job(server: &Server, job: Value, kind: Kind, field: Option<&str>, detail: &str) {
    let status = if kind == Kind::MalformedBody { 400 } else { 422 };
    let problem = problem(server.post(job.to_string()), status).await;
    assert!(problem.is(kind), "{problem:?}");
    assert_eq!(problem.field.as_deref(), field);
    assert!(problem.detail.contains(detail), "{}", problem.detail);
}

#[tokio::test]
async fn a_job_that_is_not_valid_names_its_field() {
    let server = Server::start().await;
    let refused = async |job, field, detail| {
        check_job(&server, job, Kind::Invalid, Some(field), detail).await;
    };
    refused(json!({"plugin": "echo", "priority": 9}), "priority", "0 (most urgent) to 3").await;
    refused(json!({"plugin": "Echo"}), "plugin", "lower-case letters").await;
    refused(json!({"plugin": "echo", "id": "7"}), "id", "").await;
    refused(json!({"plugin": "echo", "max_attempts": 0}), "max_attempts", "1 to 1000").await;
}

#[tokio::test]
async fn a_job_that_does_not_fit_its_plugin_is_not_queued() {
    let server = Server::start().await;
    let refused = async |job, kind, field, detail| {
        check_job(&server, job, kind, Some(field), detail).await;
    };
    let there = "no plugin \"nope\" here; there are echo, pi, pi-c, subtitles, wordcount";
    refused(json!({"plugin": "nope"}), Kind::UnknownPlugin, "plugin", there).await;
    let digest = gristmill_job::Digest::of(b"other").to_string();
    let pinned = json!({"plugin": "echo", "digest": digest});
    refused(pinned, Kind::UnknownPlugin, "plugin", "not as sha256:").await;
    let job = json!({"plugin": "wordcount", "function": "cuont", "input": "a"});
    refused(job, Kind::UnknownFunction, "function", "no function \"cuont\"; it has count").await;
    let job = json!({"plugin": "wordcount"});
    refused(job, Kind::InvalidInput, "input", "none is given").await;
    let job = json!({"plugin": "subtitles", "input": {"text": "1", "shift_ms": "soon", "form": 1}});
    let faults = "input.shift_ms: expected integer, got \"soon\"; \
                  input.form: this key isn't known; known are shift_ms, stretch, text, to";
    refused(job, Kind::InvalidInput, "input", faults).await;
    let status = server.queue.status(&gristmill_job::QueueName::default()).await.unwrap();
    assert_eq!(status.totals.enqueued, 0);
}

#[tokio::test]
async fn a_body_that_is_no_job_says_which_key_is_wrong() {
    let server = Server::start().await;
    let refused = async |job, field, detail| {
        check_job(&server, job, Kind::MalformedBody, field, detail).await;
    };
    refused(json!({"plugin": "echo", "inptu": 1}), Some("inptu"), "unknown field `inptu`").await;
    refused(json!({"input": 1}), None, "missing field `plugin`").await;
    refused(json!({"plugin": 1}), Some("plugin"), "expected a string").await;
    let backoff = json!({"plugin": "echo", "backoff": {"base_ms": "1s"}});
    refused(backoff, Some("backoff.base_ms"), "expected u64").await;
    refused(json!("echo"), None, "expected struct JobRequest").await;
    let broken = problem(server.post("{\"plugin\": "), 400).await;
    assert!(broken.is(Kind::MalformedBody));
    assert!(problem(server.post("[{]"), 400).await.is(Kind::MalformedBody));
}

#[tokio::test]
async fn a_held_unique_key_names_its_owner() {
    let server = Server::start().await;
    let job = |id| json!({"plugin": "echo", "unique_key": "k", "id": id}).to_string();
    expect(server.post(job(Some(ID))), 201).await;
    let problem = problem(server.post(job(None)), 409).await;
    assert!(problem.is(Kind::UniqueConflict));
    assert_eq!(problem.owner_id.unwrap().to_string(), ID);
}

#[tokio::test]
async fn a_full_queue_asks_for_patience() {
    let server = Server::with(Config { waiting_items_max: 1, ..Config::default() }).await;
    let job = json!({"plugin": "echo"}).to_string();
    expect(server.post(job.clone()), 201).await;
    assert!(problem(server.post(job), 429).await.is(Kind::QueueFull));
}

#[tokio::test]
async fn a_batch_above_the_queues_bound_is_refused_whole() {
    let server = Server::with(Config { batch_items_max: 2, ..Config::default() }).await;
    let batch = json!([{"plugin": "echo"}, {"plugin": "echo"}, {"plugin": "echo"}]);
    let problem = problem(server.post(batch.to_string()), 413).await;
    assert!(problem.detail.contains("more than 2"), "{}", problem.detail);
    let status = server.queue.status(&gristmill_job::QueueName::default()).await.unwrap();
    assert_eq!(status.totals.enqueued, 0);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_its_bound() {
    let server = Server::start().await;
    let problem = problem(server.post(vec![b' '; BODY_BYTES_MAX + 1]), 413).await;
    assert!(problem.is(Kind::BodyTooLarge));
    assert!(problem.detail.contains("8388608 bytes"), "{}", problem.detail);
}

#[tokio::test]
async fn a_form_is_refused_since_any_web_page_could_send_it() {
    let server = Server::start().await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let http = http();
        let request = http.post(format!("{}/v1/jobs", server.url));
        let request = request.header("content-type", media_type).body("{\"plugin\": \"echo\"}");
        let problem = problem(request, 415).await;
        assert_eq!(problem.field.as_deref(), Some("content-type"));
        assert!(problem.detail.contains(media_type));
    }
}

#[tokio::test]
async fn a_change_without_a_body_is_refused_where_any_web_page_could_ask_for_it() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    let http = http();
    for path in [
        format!("jobs/{id}/cancel"),
        format!("jobs/{id}/retry"),
        "queues/default/pause".to_owned(),
        "queues/default/resume".to_owned(),
        "queues/default/clear-failed".to_owned(),
        "queues/default/requeue-failed".to_owned(),
    ] {
        let problem = problem(http.post(format!("{}/v1/{path}", server.url)), 415).await;
        assert_eq!(problem.field.as_deref(), Some("content-type"), "{path}");
        assert!(problem.detail.contains("even without a body"), "{}", problem.detail);
    }
    assert!(!server.queue.status(&Default::default()).await.unwrap().paused);
}

#[tokio::test]
async fn a_wrong_path_and_a_wrong_method_are_problems_too() {
    let server = Server::start().await;
    assert!(problem(server.get("/v2/jobs"), 404).await.is(Kind::UnknownRoute));
    let http = http();
    let delete = || http.request(Method::DELETE, format!("{}/v1/jobs", server.url));
    assert!(problem(delete(), 405).await.is(Kind::MethodNotAllowed));
    let allowed = expect(delete(), 405).await.headers()["allow"].to_str().unwrap().to_owned();
    let allowed: std::collections::BTreeSet<&str> = allowed.split(',').collect();
    assert_eq!(allowed, ["GET", "HEAD", "POST"].into());
}

#[tokio::test]
async fn a_job_that_is_not_there_is_told_from_an_id_that_is_none() {
    let server = Server::start().await;
    assert!(problem(server.get(&format!("/v1/jobs/{ID}")), 404).await.is(Kind::UnknownJob));
    let bad = problem(server.get("/v1/jobs/seven"), 400).await;
    assert_eq!(bad.field.as_deref(), Some("id"));
    assert!(problem(server.get(&format!("/v1/jobs/{ID}/result")), 404).await.is(Kind::UnknownJob));
    let id = server.enqueued().await;
    let pending = problem(server.get(&format!("/v1/jobs/{id}/result")), 404).await;
    assert!(pending.is(Kind::NoResult) && pending.detail.contains("queued"), "{pending:?}");
}

#[tokio::test]
async fn a_parameter_that_can_not_be_read_is_named() {
    let server = Server::start().await;
    let bad = problem(server.get(&format!("/v1/jobs/{ID}?wait=soon")), 400).await;
    assert_eq!(bad.field.as_deref(), Some("wait"));
    let unknown = problem(server.get(&format!("/v1/jobs/{ID}?patience=1s")), 400).await;
    assert!(unknown.detail.contains("patience"), "{}", unknown.detail);
}
