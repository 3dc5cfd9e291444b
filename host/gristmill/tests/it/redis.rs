//! Redis: daemons that keep jobs on it, and commands that go past them.

use gristmill_test_redis::RedisServer;
use serde_json::{Value, json};

use crate::command::{Running, gristmill, run, run_with};
use crate::served::Daemon;

/// Nobody listens on port 1.
const NOWHERE: &str = "redis://127.0.0.1:1";

#[test]
fn a_job_is_enqueued_past_the_daemon_and_runs_on_it() {
    let server = RedisServer::start();
    let url = server.url();
    let redis = |arguments: &[&str]| run(&[arguments, &["--redis-url", &url]].concat());
    let text = |arguments: &[&str]| redis(arguments).completed().trim().to_owned();
    let id = text(&["enqueue", "echo", "--input", "hi"]);
    let daemon = Daemon::tame_with(&["--redis-url", &url, "--require-redis"]);
    assert_eq!(text(&["job", "wait", &id]), "hi");
    assert_eq!(text(&["enqueue", "echo", "--input", "again", "--wait"]), "again");
    // Both doors lead to the same jobs.
    assert_eq!(daemon.json(&["job", "show", &id])["state"], "completed");
    let info = daemon.json(&["info"]);
    assert_eq!((&info["queue"]["backend"], &info["durable"]), (&json!("redis"), &json!(true)));
    assert_eq!(info["degraded"], false);
    let here: Value = serde_json::from_str(redis(&["info", "--json"]).completed()).unwrap();
    assert_eq!(here["queue"]["backend"], "redis");
}

#[test]
fn jobs_outlive_the_daemon() {
    let server = RedisServer::start();
    let url = server.url();
    let first = Daemon::tame_with(&["--redis-url", &url]);
    let id = first.enqueued(&["echo", "--input", "hi", "--delay", "1h"]);
    first.running.signal("TERM");
    assert_eq!(first.end().code, Some(0));
    let second = Daemon::tame_with(&["--redis-url", &url]);
    assert_eq!(second.json(&["job", "show", &id])["state"], "scheduled");
}

#[test]
fn every_command_goes_past_the_daemon() {
    let server = RedisServer::start();
    let url = server.url();
    let redis = |arguments: &[&str]| run(&[arguments, &["--redis-url", &url]].concat());
    let text = |arguments: &[&str]| redis(arguments).completed().trim().to_owned();
    assert_eq!(text(&["queue", "pause", "default"]), "paused");
    assert_eq!(text(&["queue", "resume", "default"]), "resumed");
    let many = "{\"plugin\": \"echo\"}\n".repeat(300);
    let sent = run_with(&["enqueue", "--jsonl", "-", "--redis-url", &url], many.as_bytes());
    assert_eq!(sent.completed().lines().count(), 300);
    assert_eq!(text(&["jobs", "--limit", "250", "--json"]).lines().count(), 250);
    let id = text(&["enqueue", "echo", "--delay", "1h", "--unique-key", "k"]);
    redis(&["enqueue", "echo", "--unique-key", "k"]).refused(1, &id);
    assert_eq!(text(&["job", "cancel", &id]), "cancelled");
    redis(&["job", "cancel", &id]).refused(1, "is cancelled: only jobs that wait or run");
    assert_eq!(text(&["job", "retry", &id]), "queued");
    assert_eq!(redis(&["job", "wait", &id, "--timeout", "50ms"]).code, Some(124));
    assert_eq!(text(&["job", "logs", &id]), "");
    assert_eq!(text(&["job", "remove", &id]), "queued");
    redis(&["job", "show", &id]).refused(1, "there is no job");
    redis(&["job", "logs", &id]).refused(1, "there is no job");
    let queue: Value =
        serde_json::from_str(&text(&["queue", "show", "default", "--json"])).unwrap();
    assert_eq!((&queue["queued"], &queue["totals"]["enqueued"]), (&json!(300), &json!(301)));
    assert!(text(&["queue", "list"]).contains("default"));
    assert_eq!(text(&["queue", "clear-failed", "default"]), "0");
    assert_eq!(text(&["queue", "requeue-failed", "default"]), "0");
}

#[test]
fn a_client_never_falls_back() {
    for arguments in [&["enqueue", "echo"][..], &["jobs"], &["queue", "list"]] {
        let ran = run(&[arguments, &["--redis-url", NOWHERE]].concat());
        ran.refused(4, "Redis at redis://127.0.0.1:1 can't be reached");
        let ran = run(&[arguments, &["--redis-url", "http://me:s3cret@host"]].concat());
        ran.refused(2, "is no address such as redis://");
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
}

#[test]
fn an_address_may_be_given_by_the_environment_and_wins_over_the_server() {
    let server = RedisServer::start();
    let mut command = gristmill(&["queue", "list", "--server", "http://127.0.0.1:1"]);
    let output = command.env("GRISTMILL_REDIS_URL", server.url()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_daemon_whose_redis_is_not_there_says_so_and_keeps_jobs_in_memory() {
    let daemon = Daemon::tame_with(&["--redis-url", NOWHERE]);
    let info = daemon.json(&["info"]);
    assert_eq!((&info["degraded"], &info["durable"]), (&json!(true), &json!(false)));
    let reason = info["degraded_reason"].as_str().unwrap();
    assert!(reason.contains("Redis at redis://127.0.0.1:1 can't be reached"), "{reason}");
    assert_eq!(info["queue"]["backend"], "memory");
    daemon.run(&["enqueue", "echo", "--wait"]).completed();
    let id = daemon.enqueued(&["echo"]);
    assert_eq!(daemon.json(&["job", "show", &id]).get("durable"), None);
    let reply = daemon.json(&["enqueue", "echo"]);
    assert_eq!(reply["durable"], false);
}

#[test]
fn a_daemon_finds_its_redis_and_moves_its_jobs_there() {
    let mut server = RedisServer::start();
    let url = server.url();
    server.kill();
    let mut daemon = Daemon::tame_with(&["--redis-url", &url]);
    let id = daemon.enqueued(&["echo", "--input", "hi", "--delay", "1h"]);
    daemon.run(&["enqueue", "echo", "--input", "early", "--wait"]).completed();
    server.restart();
    let line = daemon.running.until("jobs are kept on it from now on");
    assert!(line.contains("moved=1 left=0"), "{line}");
    let info = daemon.json(&["info"]);
    assert_eq!((&info["queue"]["backend"], &info["durable"]), (&json!("redis"), &json!(true)));
    assert_eq!((&info["degraded"], &info["degraded_reason"]), (&json!(false), &json!(null)));
    let there = run(&["job", "show", &id, "--json", "--redis-url", &url]);
    let job: Value = serde_json::from_str(there.completed()).unwrap();
    assert_eq!(job["state"], "scheduled");
    daemon.run(&["enqueue", "echo", "--input", "late", "--wait"]).completed();
}

#[test]
fn a_warning_names_the_redis_that_is_not_there() {
    let mut running = Running::start(&["serve", "--listen", "127.0.0.1:0", "--redis-url", NOWHERE]);
    let line = running.until("Redis at redis://127.0.0.1:1 can't be reached");
    assert!(line.contains("WARN") && line.contains("in memory instead"), "{line}");
    running.signal("TERM");
    running.end();
}

#[test]
fn a_required_redis_that_is_not_there_is_an_error() {
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["info"]] {
        let required = [command, &["--require-redis"]].concat();
        run(&[&required[..], &["--redis-url", NOWHERE]].concat()).refused(4, "can't be reached");
        run(&required).refused(2, "no address of a server is given");
        let wrong = [command, &["--redis-url", "http://host"]].concat();
        run(&wrong).refused(2, "is no address such as redis://");
    }
}
