//! Producers of no language in particular: jobs from beginning to end over plain HTTP.

use serde_json::{Value, json};

use crate::served::{Daemon, folder};

/// A daemon, as whoever has an HTTP client sees it.
struct Producer {
    daemon: Daemon,
    http: reqwest::Client,
}

/// The events of a daemon, as they come.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Producer {
    fn new() -> Self {
        let guests = ["test-guests/moody.wasm", "test-guests/spin.wasm", "plugins/wordcount.wasm"];
        // The client wants one even where it never needs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { daemon: Daemon::start(folder(&guests), &["--concurrency", "4"]), http }
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.http.get(format!("{}{path}", self.daemon.url)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    async fn enqueue(&self, key: &str, job: &Value) -> Value {
        let request = self.http.post(format!("{}/v1/jobs", self.daemon.url));
        let request = request.header("idempotency-key", key).json(job);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 201);
        response.json().await.unwrap()
    }

    async fn events(&self, query: &str) -> Events {
        let request = self.http.get(format!("{}/v1/events?{query}", self.daemon.url));
        let response = request.send().await.unwrap();
        let mut events = Events { response, text: String::new() };
        assert!(events.block().await.contains("listening"));
        events
    }
}

impl Events {
    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return block;
            }
            let part = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&part).unwrap());
        }
    }

    async fn next(&mut self) -> Value {
        loop {
            let block = self.block().await;
            if let Some(data) = block.lines().find_map(|line| line.strip_prefix("data: ")) {
                return serde_json::from_str(data).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_job_fails_twice_and_succeeds_while_somebody_listens() {
    let producer = Producer::new();
    let mut events = producer.events("plugin=moody&kind=settled").await;
    let job = json!({
        "plugin": "moody", "function": "later", "input": 2,
        "backoff": {"kind": "fixed", "base_ms": 1},
    });
    let id = producer.enqueue("a", &job).await["id"].as_str().unwrap().to_owned();
    for (attempt, state) in [(1, "scheduled"), (2, "scheduled"), (3, "completed")] {
        let event = events.next().await;
        assert_eq!((&event["job"], &event["attempt"]), (&json!(id), &json!(attempt)));
        assert_eq!(event["state"], state);
        let message = &event["error"]["message"];
        match state {
            "completed" => assert!(message.is_null(), "{event}"),
            _ => assert_eq!(*message, format!("not on attempt {attempt}")),
        }
    }
    let done = producer.get(&format!("/v1/jobs/{id}?wait=30s")).await;
    assert_eq!((&done["state"], &done["result"]), (&json!("completed"), &json!(3)));
    // Whoever didn't hear the answer asks again, and nothing runs twice.
    assert_eq!(producer.enqueue("a", &job).await["id"], id);
    assert_eq!(producer.get("/v1/queues/default").await["totals"]["enqueued"], 1);
}

#[tokio::test]
async fn a_running_job_is_seen_at_its_worker_and_cancelled_from_another_process() {
    let producer = Producer::new();
    let mut events = producer.events("plugin=spin").await;
    let job = producer.enqueue("b", &json!({"plugin": "spin"})).await;
    let id = job["id"].as_str().unwrap();
    assert_eq!(events.next().await["kind"], "attempt_started");
    let workers = producer.get("/v1/workers").await;
    assert_eq!(workers["workers"][0]["running"][0]["job"], id);
    producer.daemon.run(&["job", "cancel", id]).completed();
    let settled = events.next().await;
    assert_eq!((&settled["kind"], &settled["state"]), (&json!("settled"), &json!("cancelled")));
    let done = producer.get(&format!("/v1/jobs/{id}?wait=30s")).await;
    assert_eq!(done["outcome"], "cancelled");
}
