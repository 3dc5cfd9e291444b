//! `gristmill queue`, through a daemon.

use serde_json::json;

use crate::command::run;
use crate::served::Daemon;

#[test]
fn a_paused_queue_starts_nothing_until_it_is_resumed() {
    let daemon = Daemon::tame();
    assert_eq!(daemon.run(&["queue", "pause", "default"]).completed(), "paused\n");
    let id = daemon.enqueued(&["echo", "--input", "hi"]);
    assert_eq!(daemon.run(&["job", "wait", &id, "--timeout", "50ms"]).code, Some(124));
    let queue = daemon.json(&["queue", "show", "default"]);
    assert_eq!((&queue["paused"], &queue["queued"]), (&json!(true), &json!(1)));
    assert_eq!(queue["totals"]["enqueued"], 1);
    assert_eq!(daemon.run(&["queue", "resume", "default"]).completed(), "resumed\n");
    assert_eq!(daemon.run(&["job", "wait", &id]).completed(), "hi");
    let shown = daemon.run(&["queue", "show", "default"]);
    assert!(shown.completed().contains("completed  1, 1 ever\n"), "{shown:?}");
}

#[test]
fn queues_are_listed() {
    let daemon = Daemon::tame();
    daemon.enqueued(&["echo", "--queue", "bulk"]);
    daemon.enqueued(&["echo", "--delay", "1h"]);
    let queues = daemon.json(&["queue", "list"]);
    let scheduled: Vec<_> =
        queues.as_array().unwrap().iter().map(|q| (&q["name"], &q["scheduled"])).collect();
    assert_eq!(scheduled, [(&json!("bulk"), &json!(0)), (&json!("default"), &json!(1))]);
    let listed = daemon.run(&["queue", "list"]);
    assert!(listed.completed().starts_with("NAME     SCHEDULED  QUEUED"), "{listed:?}");
}

#[test]
fn failed_jobs_run_again_or_are_cleared() {
    let daemon = Daemon::wild(&[]);
    let id = daemon.failed(&[]);
    let again = daemon.run(&["queue", "requeue-failed", "default", "--plugin", "echo"]);
    assert_eq!(again.completed(), "0\n");
    let again = daemon.run(&["queue", "requeue-failed", "default"]);
    assert_eq!(again.completed(), "1\n");
    assert_eq!(daemon.run(&["job", "wait", &id]).code, Some(1));
    assert_eq!(daemon.json(&["job", "show", &id])["attempt"], 2);
    assert_eq!(daemon.json(&["queue", "clear-failed", "default"]), json!({"cleared": 1}));
    daemon.run(&["job", "show", &id]).refused(1, "there is no job");
}

#[test]
fn a_failed_job_whose_key_is_taken_stays_and_is_told() {
    let daemon = Daemon::wild(&[]);
    daemon.failed(&["--unique-key", "k"]);
    daemon.enqueued(&["trap", "--unique-key", "k", "--delay", "1h"]);
    let again = daemon.run(&["queue", "requeue-failed", "default", "--json"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("1 stay failed"), "{again:?}");
    let all: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(all, json!({"requeued": 0, "conflicts": 1}));
}

#[test]
fn a_name_that_no_queue_can_have_is_wrong_use() {
    assert_eq!(run(&["queue", "show", "a b"]).code, Some(2));
}
