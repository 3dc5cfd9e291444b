//! What goes well.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use gristmill_job::wire::JobView;
use gristmill_job::{JobId, Payload, StateName};
use serde_json::json;
use tokio::time::Instant;

use super::fixture::{Server, expect, json};
use crate::WAIT_MAX;
use crate::jobs::show;

const ID: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

#[tokio::test]
async fn a_job_is_taken_over_with_its_function_filled_in_and_is_found_again() {
    let server = Server::start().await;
    let body = json!({"plugin": "wordcount", "input": "a b", "id": ID}).to_string();
    let response = expect(server.post(body), 201).await;
    assert_eq!(response.headers()["location"], format!("/v1/jobs/{ID}"));
    let job: serde_json::Value = response.json().await.unwrap();
    assert_eq!((&job["state"], &job["function"]), (&json!("queued"), &json!("count")));
    let found = json(server.get(&format!("/v1/jobs/{ID}")), 200).await;
    assert_eq!((&found["id"], &found["function"]), (&json!(ID), &json!("count")));
}

#[tokio::test]
async fn a_job_with_a_delay_is_scheduled() {
    let server = Server::start().await;
    let body = json!({"plugin": "echo", "delay_ms": 60_000}).to_string();
    assert_eq!(json(server.post(body), 201).await["state"], "scheduled");
}

#[tokio::test]
async fn the_same_job_twice_is_answered_with_the_job_that_is_there() {
    let server = Server::start().await;
    let body = json!({"plugin": "echo", "id": ID}).to_string();
    expect(server.post(body.clone()), 201).await;
    assert_eq!(json(server.post(body), 200).await["id"], ID);
}

#[tokio::test]
async fn a_batch_has_a_verdict_for_each_job_in_its_order() {
    let server = Server::start().await;
    let batch = json!([
        {"plugin": "echo", "id": ID},
        {"plugin": "echo", "inptu": 1},
        {"plugin": "echo", "id": ID},
        {"plugin": "echo", "unique_key": "k"},
        {"plugin": "echo", "unique_key": "k"},
        {"plugin": "echo", "priority": 9},
        {"plugin": "nope"},
        7,
    ]);
    let verdicts = json(server.post(batch.to_string()), 200).await;
    let named: Vec<&str> =
        verdicts.as_array().unwrap().iter().map(|v| v["verdict"].as_str().unwrap()).collect();
    let (created, rejected) = ("created", "rejected");
    let expected =
        [created, rejected, "duplicate", created, "unique_conflict", rejected, rejected, rejected];
    assert_eq!(named, expected);
    assert_eq!(verdicts[0]["id"], ID);
    assert!(verdicts[1]["message"].as_str().unwrap().contains("inptu"));
    assert_eq!(verdicts[4]["owner_id"], verdicts[3]["id"]);
    assert_eq!(
        (&verdicts[5]["field"], &verdicts[5]["code"]),
        (&json!("priority"), &json!("invalid"))
    );
    assert_eq!(verdicts[6]["code"], "unknown-plugin");
}

#[tokio::test]
async fn an_empty_batch_has_no_verdicts() {
    let server = Server::start().await;
    assert_eq!(json(server.post("[]"), 200).await, json!([]));
}

/// The handler itself, so that a test knows when it waits.
async fn wait(server: &Server, id: JobId, patience: &str) -> JobView {
    let query = format!("/?wait={patience}").parse().unwrap();
    let query = Query::try_from_uri(&query);
    show(State(server.front.clone()), Path(id.to_string()), query).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_job() {
    let server = Server::start().await;
    let (id, begun) = (server.enqueued().await, Instant::now());
    let (job, ()) = tokio::join!(wait(&server, id, "60s"), server.complete(Payload::text("done")));
    assert_eq!((job.state, job.result), (StateName::Completed, Some(json!("done"))));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_desk() {
    let server = Server::start().await;
    let (id, begun) = (server.enqueued().await, Instant::now());
    let closing = async { server.front.closing.cancel() };
    let (job, ()) = tokio::join!(wait(&server, id, "60s"), closing);
    assert_eq!((job.state, begun.elapsed()), (StateName::Queued, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_no_longer_than_its_bound() {
    let server = Server::start().await;
    let (id, begun) = (server.enqueued().await, Instant::now());
    assert_eq!(wait(&server, id, "5h").await.state, StateName::Queued);
    assert_eq!(begun.elapsed().as_secs(), WAIT_MAX.as_secs());
}

#[tokio::test]
async fn a_wait_without_patience_answers_at_once() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    let job = json(server.get(&format!("/v1/jobs/{id}?wait=0ms")), 200).await;
    assert_eq!(job["state"], "queued");
}

#[tokio::test]
async fn a_result_comes_byte_for_byte_and_never_as_a_page() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    let content_type = "text/html".to_owned();
    server.complete(Payload { content_type, data: "<script>\u{0}".into() }).await;
    let response = expect(server.get(&format!("/v1/jobs/{id}/result")), 200).await;
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.headers()["content-security-policy"], "sandbox");
    assert_eq!(&response.bytes().await.unwrap()[..], b"<script>\0");
}

#[tokio::test]
async fn a_media_type_that_is_none_does_not_keep_the_result_back() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    server.complete(Payload { content_type: "a\nb".to_owned(), data: "x".into() }).await;
    let response = expect(server.get(&format!("/v1/jobs/{id}/result")), 200).await;
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
}
