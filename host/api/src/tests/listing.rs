//! Jobs page by page, and their logs.

use gristmill_job::{JobId, LogLevel, LogLine, Timestamp, WorkerId};
use gristmill_queue::Note;
use serde_json::Value;

use super::fixture::{Server, json, problem};
use crate::{JobsPage, Kind};

impl Server {
    async fn page(&self, query: &str) -> JobsPage {
        let page = json(self.get(&format!("/v1/jobs?{query}")), 200).await;
        serde_json::from_value(page).unwrap()
    }

    async fn listed(&self, query: &str) -> Vec<JobId> {
        self.page(query).await.jobs.iter().map(|job| job.id).collect()
    }
}

#[tokio::test]
async fn jobs_are_listed_the_newest_first_and_page_by_page() {
    let server = Server::start().await;
    let ids = [server.enqueued().await, server.enqueued().await, server.enqueued().await];
    assert_eq!(server.listed("").await, [ids[2], ids[1], ids[0]]);
    let page = server.page("limit=2").await;
    assert_eq!(page.jobs.len(), 2);
    let rest = server.page(&format!("limit=2&cursor={}", page.cursor.unwrap())).await;
    assert_eq!((rest.jobs[0].id, rest.jobs.len(), rest.cursor), (ids[0], 1, None));
}

#[tokio::test]
async fn jobs_are_listed_by_queue_state_and_plugin() {
    let server = Server::start().await;
    let failed = server.enqueued().await;
    server.fail().await;
    let other = server.enqueued_with(|job| job.plugin = "other".parse().unwrap()).await;
    let bulk = server.enqueued_with(|job| job.queue = "bulk".parse().unwrap()).await;
    assert_eq!(server.listed("state=failed").await, [failed]);
    assert_eq!(server.listed("plugin=other").await, [other]);
    assert_eq!(server.listed("plugin=other&state=failed").await, []);
    assert_eq!(server.listed("queue=bulk").await, [bulk]);
    assert_eq!(server.listed("queue=unused").await, []);
}

#[tokio::test]
async fn a_page_without_end_has_a_null_cursor() {
    let server = Server::start().await;
    let page = json(server.get("/v1/jobs"), 200).await;
    assert_eq!(page, serde_json::json!({"jobs": [], "cursor": null}));
}

#[tokio::test]
async fn a_parameter_of_a_listing_that_can_not_be_read_is_named() {
    let server = Server::start().await;
    server.enqueued().await;
    for (query, field, detail) in [
        ("queue=a%20b", "queue", "is no queue name"),
        ("state=done", "state", "scheduled, queued, running"),
        ("plugin=A", "plugin", "is no plugin name"),
        ("limit=all", "limit", ""),
        ("cursor=next", "cursor", "none that this queue gave"),
        ("colour=red", "query", "colour"),
    ] {
        let problem = problem(server.get(&format!("/v1/jobs?{query}")), 400).await;
        assert!(problem.is(Kind::InvalidParameter), "{problem:?}");
        assert_eq!(problem.field.as_deref(), Some(field));
        assert!(problem.detail.contains(detail), "{}", problem.detail);
    }
}

#[tokio::test]
async fn a_job_shows_what_it_logged() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    let logs = format!("/v1/jobs/{id}/logs");
    assert_eq!(json(server.get(&logs), 200).await["lines"], Value::Array(Vec::new()));
    let worker = WorkerId::random();
    let leased = server.lease(worker).await;
    let line = LogLine {
        at: Timestamp::from_millis(0),
        attempt: 1,
        level: LogLevel::Warn,
        message: "odd".to_owned(),
        fields: Vec::new(),
    };
    server.turn(worker, |cycle| cycle.notes.push(Note::Log(leased.held(), vec![line]))).await;
    let lines = json(server.get(&logs), 200).await["lines"].take();
    assert_eq!((&lines[0]["level"], &lines[0]["message"]), (&"warn".into(), &"odd".into()));
    let unknown = problem(server.get(&format!("/v1/jobs/{}/logs", JobId::random())), 404).await;
    assert!(unknown.is(Kind::UnknownJob));
}
