//! Redis, and daemons that keep jobs on it.

use gristmill_test_redis::RedisServer;
use serde_json::{Value, json};

use crate::command::{Running, run};
use crate::served::Daemon;

/// Nobody listens on port 1.
const NOWHERE: &str = "redis://127.0.0.1:1";

#[test]
fn a_daemon_keeps_jobs_on_redis_and_says_so() {
    let server = RedisServer::start();
    let url = server.url();
    let first = Daemon::tame_with(&["--redis-url", &url, "--require-redis"]);
    let id = first.enqueued(&["echo", "--input", "hi", "--delay", "1h"]);
    first.running.signal("TERM");
    assert_eq!(first.end().code, Some(0));
    let second = Daemon::tame_with(&["--redis-url", &url]);
    assert_eq!(second.json(&["job", "show", &id])["state"], "scheduled");
    let info = second.json(&["info"]);
    assert_eq!((&info["queue"]["backend"], &info["durable"]), (&json!("redis"), &json!(true)));
    assert_eq!(info["degraded"], false);
    let here = run(&["info", "--json", "--redis-url", &url]);
    let here: Value = serde_json::from_str(here.completed()).unwrap();
    assert_eq!(here["queue"]["backend"], "redis");
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
