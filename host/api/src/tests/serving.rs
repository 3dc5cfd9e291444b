//! The desk's own state: information, health, and its end.

use gristmill_queue::Config;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::fixture::{Server, desk, expect, json, problem};
use crate::{BindError, Kind, bind, serve};

#[tokio::test]
async fn information_has_all_its_keys() {
    let server = Server::start().await;
    let mut info = json(server.get("/v1/info"), 200).await;
    info["plugins"]["dir"] = json!("…");
    info["version"] = json!("…");
    insta::assert_json_snapshot!(info);
}

#[tokio::test]
async fn plugins_are_listed_with_their_functions() {
    let server = Server::start().await;
    let plugins = json(server.get("/v1/plugins"), 200).await;
    let names: Vec<&str> = plugins["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plugin| plugin["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["echo", "pi", "pi-c", "subtitles", "wordcount"]);
    assert_eq!(plugins["plugins"][4]["functions"][0]["name"], "count");
    assert!(plugins["plugins"][4]["digest"].as_str().unwrap().starts_with("sha256:"));
}

#[tokio::test]
async fn a_draining_desk_takes_no_jobs_but_still_answers_for_them() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    assert_eq!(json(server.get("/readyz"), 200).await["status"], "ready");
    server.front.draining.cancel();
    let job = json!({"plugin": "echo"}).to_string();
    assert!(problem(server.post(job), 503).await.is(Kind::Stopping));
    assert!(problem(server.get("/readyz"), 503).await.is(Kind::Stopping));
    assert_eq!(json(server.get("/healthz"), 200).await["status"], "ok");
    expect(server.get(&format!("/v1/jobs/{id}")), 200).await;
}

#[tokio::test]
async fn a_closing_desk_ends_its_connections() {
    let server = Server::start().await;
    expect(server.get("/healthz"), 200).await;
    server.front.closing.cancel();
    server.tasks.close();
    server.tasks.wait().await;
    assert!(server.get("/healthz").send().await.is_err());
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    let error = bind("0.0.0.0:0").await.unwrap_err();
    assert!(matches!(error, BindError::Exposed(_)) && error.to_string().contains("--token-file"));
    assert!(matches!(bind("nonsense").await, Err(BindError::Io { .. })));
    let exposed = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (draining, closing) = (CancellationToken::new(), CancellationToken::new());
    let served = serve(exposed, desk(Config::default()), draining, closing).await;
    assert!(matches!(served, Err(BindError::Exposed(_))));
    assert!(bind("localhost:0").await.unwrap().local_addr().unwrap().ip().is_loopback());
}
