//! Requests that are repeated with an idempotency key.

use gristmill_job::{Payload, QueueName};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::fixture::{Server, expect, json, problem};
use crate::Kind;

impl Server {
    fn keyed(&self, key: &str, body: &Value) -> RequestBuilder {
        self.post(body.to_string()).header("idempotency-key", key)
    }

    async fn enqueued_ever(&self) -> u64 {
        self.queue.status(&QueueName::default()).await.unwrap().totals.enqueued
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_it_was_at_first() {
    let server = Server::start().await;
    let body = json!({"plugin": "echo", "input": "hi"});
    let first = expect(server.keyed("k1", &body), 201).await;
    let location = first.headers()["location"].clone();
    let first: Value = first.json().await.unwrap();
    // Whatever has become of the job since.
    server.complete(Payload::text("hi")).await;
    let second = expect(server.keyed("k1", &body), 201).await;
    assert_eq!(second.headers()["location"], location);
    assert_eq!(second.json::<Value>().await.unwrap(), first);
    assert_eq!(server.enqueued_ever().await, 1);
    // Another key is another job.
    let other = json(server.keyed("k2", &body), 201).await;
    assert_ne!(other["id"], first["id"]);
}

#[tokio::test]
async fn a_key_that_was_used_with_another_body_is_refused() {
    let server = Server::start().await;
    expect(server.keyed("k", &json!({"plugin": "echo", "input": 1})), 201).await;
    let refused = problem(server.keyed("k", &json!({"plugin": "echo", "input": 2})), 422).await;
    assert!(refused.is(Kind::IdempotencyConflict), "{refused:?}");
    assert_eq!(refused.field.as_deref(), Some("idempotency-key"));
    assert_eq!(server.enqueued_ever().await, 1);
}

#[tokio::test]
async fn a_repeated_batch_is_answered_as_it_was_at_first() {
    let server = Server::start().await;
    let batch = json!([{"plugin": "echo"}, {"plugin": "nope"}, {"plugin": "echo", "input": 1}]);
    let first = json(server.keyed("k", &batch), 200).await;
    assert_eq!(json(server.keyed("k", &batch), 200).await, first);
    assert_eq!(first[0]["verdict"], "created");
    assert_ne!(first[0]["id"], first[2]["id"]);
    let longer = json!([{"plugin": "nope"}, {"plugin": "nope"}, {"plugin": "echo", "input": 1}]);
    let refused = problem(server.keyed("k", &longer), 422).await;
    assert!(refused.is(Kind::IdempotencyConflict), "{refused:?}");
    assert_eq!(server.enqueued_ever().await, 2);
}

#[tokio::test]
async fn a_job_with_an_id_of_its_own_keeps_it() {
    let server = Server::start().await;
    let id = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
    let body = json!({"plugin": "echo", "id": id});
    assert_eq!(json(server.keyed("k", &body), 201).await["id"], id);
    assert_eq!(json(server.keyed("k", &body), 201).await["id"], id);
    let other = json!({"plugin": "echo", "id": id, "input": "another"});
    assert!(problem(server.keyed("k", &other), 422).await.is(Kind::IdempotencyConflict));
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let server = Server::start().await;
    let body = json!({"plugin": "echo"});
    for key in ["", &"k".repeat(256), "ä"] {
        let refused = problem(server.keyed(key, &body), 400).await;
        assert_eq!(refused.field.as_deref(), Some("idempotency-key"));
    }
}
