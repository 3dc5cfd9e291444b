//! Events over HTTP.

use std::sync::Arc;

use gristmill_job::{NewJob, Payload};
use gristmill_worker::{Event, Observer as _};
use reqwest::Response;
use serde_json::Value;

use super::fixture::{Server, expect, json, problem};
use crate::Kind;

/// Reads a stream of events, one after another.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(server: &Server, query: &str, last: Option<&str>) -> Self {
        let mut request = server.get(&format!("/v1/events{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = expect(request, 200).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self { response, text: String::new() };
        assert!(stream.next().await.unwrap().contains(": listening"));
        stream
    }

    /// The next block of lines; none: the stream has ended.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            // One that breaks off is no end.
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn event(&mut self) -> (String, Value) {
        let block = self.next().await.unwrap();
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().to_owned()
        };
        (field("id: "), serde_json::from_str(&field("data: ")).unwrap())
    }
}

fn job(plugin: &str) -> Arc<NewJob> {
    Arc::new(NewJob::new(plugin.parse().unwrap(), Payload::none()))
}

fn begin(server: &Server, job: &Arc<NewJob>) {
    let event = Event::AttemptStarted { job: Arc::clone(job), attempt: 1 };
    server.front.desk.feed.observe(&event);
}

#[tokio::test]
async fn what_happens_is_heard_and_can_be_gone_back_to() {
    let server = Server::start().await;
    let (one, other) = (job("echo"), job("pi"));
    let mut stream = Stream::open(&server, "?plugin=pi&kind=attempt_started,settled", None).await;
    begin(&server, &one);
    begin(&server, &other);
    let (id, event) = stream.event().await;
    assert_eq!((&event["kind"], &event["plugin"]), (&"attempt_started".into(), &"pi".into()));
    assert_eq!(event["job"], other.id.to_string());
    drop(stream);
    begin(&server, &one);
    let mut again = Stream::open(&server, "", Some(&id)).await;
    assert_eq!(again.event().await.1["plugin"], "echo");
}

#[tokio::test]
async fn a_stream_ends_with_the_desk() {
    let server = Server::start().await;
    let mut stream = Stream::open(&server, "", None).await;
    server.front.closing.cancel();
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_filter_that_can_not_be_read_is_named() {
    let server = Server::start().await;
    for (query, field) in
        [("kind=done", "kind"), ("job=7", "job"), ("plugin=A", "plugin"), ("queue=a%20b", "queue")]
    {
        let refused = problem(server.get(&format!("/v1/events?{query}")), 400).await;
        assert!(refused.is(Kind::InvalidParameter));
        assert_eq!(refused.field.as_deref(), Some(field));
    }
}

#[tokio::test]
async fn a_worker_shows_what_it_runs() {
    let server = Server::start().await;
    let nobody = json(server.get("/v1/workers"), 200).await;
    assert_eq!(nobody, serde_json::json!({"workers": []}));
    let (feed, worker, job) =
        (&server.front.desk.feed, gristmill_job::WorkerId::random(), job("echo"));
    feed.observe(&Event::WorkerStarted { worker });
    begin(&server, &job);
    let view = json(server.get("/v1/workers"), 200).await;
    let view = &view["workers"][0];
    assert_eq!(view["id"], worker.to_string());
    assert_eq!(view["running"][0]["job"], job.id.to_string());
    let reason = "the host is unwell".to_owned();
    feed.observe(&Event::Released { job, attempt: 1, reason });
    let view = json(server.get("/v1/workers"), 200).await;
    assert_eq!(view["workers"][0]["running"], Value::Array(Vec::new()));
    feed.observe(&Event::WorkerStopped { worker });
    assert_eq!(json(server.get("/v1/workers"), 200).await, nobody);
}
