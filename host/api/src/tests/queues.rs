//! Queues, and what is done to a whole one.

use gristmill_job::{QueueName, StateName, UniqueKey};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::fixture::{Server, json, problem};
use crate::{Kind, QueueView};

impl Server {
    fn to_queue(&self, change: &str) -> RequestBuilder {
        self.change(Method::POST, &format!("/v1/queues/default/{change}"))
    }

    async fn failed(&self) -> u64 {
        self.queue.status(&QueueName::default()).await.unwrap().counts.failed
    }
}

#[tokio::test]
async fn a_queue_has_all_its_keys() {
    let server = Server::start().await;
    server.enqueued().await;
    server.fail().await;
    let mut queue = json(server.get("/v1/queues/default"), 200).await;
    queue["latency_ms"] = json!(0);
    insta::assert_json_snapshot!(queue);
    let view: QueueView = serde_json::from_value(queue.clone()).unwrap();
    assert_eq!(view.failed, 1);
    for state in StateName::ALL {
        assert!(queue[state.as_str()].is_u64(), "{state}");
    }
}

#[tokio::test]
async fn queues_are_listed_by_name() {
    let server = Server::start().await;
    assert_eq!(json(server.get("/v1/queues"), 200).await, json!({"queues": []}));
    server.enqueued().await;
    server.enqueued_with(|job| job.queue = "bulk".parse().unwrap()).await;
    let queues = json(server.get("/v1/queues"), 200).await["queues"].take();
    let names: Vec<&Value> = queues.as_array().unwrap().iter().map(|q| &q["name"]).collect();
    assert_eq!(names, ["bulk", "default"]);
}

#[tokio::test]
async fn a_queue_is_paused_and_resumed() {
    let server = Server::start().await;
    assert_eq!(json(server.to_queue("pause"), 200).await["paused"], true);
    assert!(server.queue.status(&QueueName::default()).await.unwrap().paused);
    assert_eq!(json(server.to_queue("resume"), 200).await["paused"], false);
    assert!(!server.queue.status(&QueueName::default()).await.unwrap().paused);
}

#[tokio::test]
async fn failed_jobs_are_cleared() {
    let server = Server::start().await;
    server.enqueued().await;
    server.fail().await;
    assert_eq!(json(server.to_queue("clear-failed"), 200).await, json!({"cleared": 1}));
    assert_eq!(server.failed().await, 0);
}

#[tokio::test]
async fn failed_jobs_are_requeued_but_where_their_key_is_taken() {
    let server = Server::start().await;
    let key = Some(UniqueKey::new("k").unwrap());
    server.enqueued_with(|job| job.unique_key.clone_from(&key)).await;
    server.fail().await;
    server.enqueued().await;
    server.fail().await;
    server.enqueued_with(|job| job.unique_key = key).await;
    let of_another = json(server.to_queue("requeue-failed?plugin=other"), 200).await;
    assert_eq!(of_another, json!({"requeued": 0, "conflicts": 0}));
    let requeued = json(server.to_queue("requeue-failed?plugin=echo"), 200).await;
    assert_eq!(requeued, json!({"requeued": 1, "conflicts": 1}));
    assert_eq!(server.failed().await, 1);
}

#[tokio::test]
async fn a_name_that_no_queue_can_have_is_refused() {
    let server = Server::start().await;
    let bad = problem(server.get("/v1/queues/a%20b"), 400).await;
    assert!(bad.is(Kind::InvalidParameter) && bad.field.as_deref() == Some("queue"), "{bad:?}");
    let bad = problem(server.to_queue("requeue-failed?plugins=echo"), 400).await;
    assert!(bad.detail.contains("plugins"), "{}", bad.detail);
}
