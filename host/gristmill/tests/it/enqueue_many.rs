//! `gristmill enqueue --jsonl`, through a daemon.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::command::run_with;
use crate::served::Daemon;

#[test]
fn every_line_becomes_a_job_of_its_own() {
    let daemon = Daemon::tame();
    let lines: Vec<String> =
        (0..1_000).map(|i| format!("{{\"plugin\": \"echo\", \"input\": \"job {i}\"}}")).collect();
    let sent = daemon.run_with(&["enqueue", "--jsonl", "-"], &lines.join("\n"));
    let ids: HashSet<&str> = sent.completed().lines().collect();
    assert_eq!(ids.len(), 1_000);
    let summary = "1000 jobs: 1000 created, 0 duplicates, 0 conflicts, 0 rejected; ";
    assert!(sent.stderr.starts_with(summary), "{}", sent.stderr);
    assert_eq!(daemon.json(&["queue", "show", "default"])["totals"]["enqueued"], 1_000);
}

#[test]
fn what_lines_leave_out_the_flags_say() {
    let daemon = Daemon::tame();
    daemon.run(&["queue", "pause", "bulk"]).completed();
    let lines = "{\"input\": \"a\"}\n{\"plugin\": \"echo\", \"priority\": 3, \"max_attempts\": 9}";
    let flags = ["--queue", "bulk", "--priority", "0", "--max-attempts", "2", "--timeout", "7s"];
    let sent = daemon.run_with(
        &[&["enqueue", "wordcount", "count", "--jsonl", "-"], &flags[..]].concat(),
        lines,
    );
    sent.completed();
    let listed = daemon.run(&["jobs", "--queue", "bulk", "--json"]);
    let said: Vec<Value> = listed
        .completed()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|job: Value| json!([job["function"], job["priority"], job["max_attempts"]]))
        .collect();
    assert_eq!(said, [json!(["echo", 3, 9]), json!(["count", 0, 2])]);
}

#[test]
fn what_is_refused_is_told_and_hinders_nobody_else() {
    let daemon = Daemon::tame();
    let id = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
    let held = json!({"plugin": "echo", "unique_key": "k", "delay_ms": 3_600_000, "id": id});
    daemon.run_with(&["enqueue", "--jsonl", "-"], &held.to_string()).completed();
    let lines = [
        held,
        json!({"plugin": "echo", "unique_key": "k"}),
        json!({"plugin": "nope"}),
        json!({"plugin": "echo", "input": "free"}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    let sent = daemon.run_with(&["enqueue", "--jsonl", "-"], &lines);
    assert_eq!(sent.code, Some(1));
    let ids: Vec<&str> = std::str::from_utf8(&sent.stdout).unwrap().lines().collect();
    assert_eq!((ids.len(), ids[0]), (2, id));
    assert!(sent.stderr.contains(&format!("stdin:2: unique_key: job {id} holds it")));
    assert!(sent.stderr.contains("stdin:3: plugin: no plugin \"nope\" here"), "{}", sent.stderr);
    let summary = "4 jobs: 1 created, 1 duplicates, 1 conflicts, 1 rejected; ";
    assert!(sent.stderr.contains(summary), "{}", sent.stderr);
    let verdicts = daemon.run_with(&["enqueue", "--jsonl", "-", "--json"], &lines);
    let named: Vec<Value> = std::str::from_utf8(&verdicts.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["verdict"].take())
        .collect();
    assert_eq!(named, ["duplicate", "unique_conflict", "rejected", "created"]);
}

#[test]
fn a_faulty_line_is_named_before_the_first_job_is_sent() {
    let daemon = Daemon::tame();
    let lines = "{\"plugin\": \"echo\"}\n{\"plugin\": \"echo\", \"inptu\": 1}";
    let refused = daemon.run_with(&["enqueue", "--jsonl", "-"], lines);
    refused.refused(2, "stdin:2: unknown field `inptu`");
    assert_eq!(daemon.json(&["queue", "show", "default"])["totals"]["enqueued"], 0);
}

#[test]
fn a_server_that_is_not_there_leaves_all_jobs_without_an_answer() {
    let lines = b"{\"plugin\": \"echo\"}\n";
    let arguments = ["enqueue", "--jsonl", "-", "--server", "http://127.0.0.1:1"];
    let ran = run_with(&arguments, lines);
    assert_eq!(ran.code, Some(4));
    assert!(ran.stderr.contains("0 rejected, 1 without an answer"), "{}", ran.stderr);
    assert!(ran.stderr.contains("no server can be reached"), "{}", ran.stderr);
    let wait = ["enqueue", "--jsonl", "-", "--wait"];
    run_with(&wait, lines).refused(2, "--wait");
}
