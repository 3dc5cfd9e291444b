//! `gristmill run --jsonl`.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Running, run, run_with};

/// A file of lines, as long as the folder beside it lives.
fn file(lines: &[String]) -> (PathBuf, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jobs.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    (path, dir)
}

fn echoes(count: usize) -> Vec<String> {
    (0..count).map(|i| format!(r#"{{"plugin": "echo", "input": "job {i}"}}"#)).collect()
}

fn results(stdout: &[u8]) -> Vec<Value> {
    std::str::from_utf8(stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_job_ends_exactly_once() {
    let (path, _dir) = file(&echoes(1_000));
    let ran = run(&["run", "--jsonl", path.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let results = results(&ran.stdout);
    assert!(results.iter().all(|job| job["state"] == "completed"));
    let distinct: HashSet<&str> =
        results.iter().map(|job| job["result"].as_str().unwrap()).collect();
    assert_eq!((results.len(), distinct.len()), (1_000, 1_000));
    assert!(ran.stderr.starts_with("1000 jobs: 1000 completed, 0 not; "), "{}", ran.stderr);
}

#[test]
fn the_command_names_what_lines_leave_out() {
    let lines = b"{\"input\": \"a b\"}\n\n{\"plugin\": \"echo\", \"queue\": \"bulk\"}\n";
    let ran = run_with(&["run", "wordcount", "count", "--jsonl", "-"], lines);
    ran.completed();
    let called: HashSet<(String, String)> = results(&ran.stdout)
        .iter()
        .map(|job| (job["plugin"].to_string(), job["function"].to_string()))
        .collect();
    let pair = |plugin: &str, function: &str| (format!("{plugin:?}"), format!("{function:?}"));
    assert_eq!(called, HashSet::from([pair("wordcount", "count"), pair("echo", "echo")]));
}

#[test]
fn a_faulty_line_is_named_before_the_first_job_runs() {
    let check = |line: &str, code, says: &str| {
        let mut lines = echoes(2);
        lines.push(line.to_owned());
        let (path, _dir) = file(&lines);
        let ran = run(&["run", "--jsonl", path.to_str().unwrap()]);
        ran.refused(code, says);
        assert!(ran.stderr.contains("jobs.jsonl:3: "), "{}", ran.stderr);
    };
    check(r#"{"plugin": "echo", "inptu": 1}"#, 2, "unknown field `inptu`");
    check(r#"{"plugin": "echo", "priority": 9}"#, 2, "priority: ");
    check(r#"{"plugin": "echo", "function": "f"}"#, 2, "no function \"f\"");
    check(r#"{"plugin": "wordcount"}"#, 2, "none is given");
    check(r#"{"input": 1}"#, 2, "missing field `plugin`");
    check(r#"{"plugin": "#, 2, "column 11");
    check(r#"{"plugin": "nope"}"#, 3, "no plugin \"nope\"");
}

#[test]
fn a_failure_among_them_is_exit_code_1() {
    let lines = br#"{"plugin": "trap"}"#;
    let ran = run_with(&["run", "--jsonl", "-", "--plugins", "target/test-guests"], lines);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(results(&ran.stdout)[0]["outcome"], "trapped");
    assert!(ran.stderr.contains("1 jobs: 0 completed, 1 not"), "{}", ran.stderr);
}

#[test]
fn a_held_unique_key_is_told_and_hinders_nobody_else() {
    let held = r#"{"plugin": "echo", "unique_key": "k", "delay_ms": 200}"#;
    let lines = [held, held, r#"{"plugin": "echo", "input": "free"}"#].join("\n");
    let ran = run_with(&["run", "--jsonl", "-"], lines.as_bytes());
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(results(&ran.stdout).len(), 2);
    assert!(ran.stderr.contains("stdin:2: unique_key: job "), "{}", ran.stderr);
}

/// One job that ends and many that never would, one at a time.
fn hopeless() -> (PathBuf, TempDir) {
    let spin = r#"{"plugin": "spin"}"#.to_owned();
    let mut lines = vec![r#"{"plugin": "trap", "priority": 0}"#.to_owned()];
    lines.extend(std::iter::repeat_n(spin, 300));
    file(&lines)
}

fn start_hopeless(path: &str, grace: &str) -> Running {
    let plugins = ["--plugins", "target/test-guests", "--log", "debug"];
    let arguments = ["run", "--jsonl", path, "--concurrency", "1", "--grace", grace];
    let mut running = Running::start(&[&arguments[..], &plugins[..]].concat());
    running.until("outcome=trapped");
    running
}

#[test]
fn an_interrupt_prints_what_has_ended_and_gives_the_rest_back() {
    let (path, _dir) = hopeless();
    let running = start_hopeless(path.to_str().unwrap(), "0s");
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert_eq!(results(&ran.stdout).len(), 1);
    assert!(ran.stderr.contains("300 given back or not begun"), "{}", ran.stderr);
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_grace() {
    let (path, _dir) = hopeless();
    let mut running = start_hopeless(path.to_str().unwrap(), "10m");
    running.signal("INT");
    running.until("interrupt again to end at once");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let (path, _dir) = file(&echoes(5_000));
    let mut running = Running::start(&["run", "--jsonl", path.to_str().unwrap()]);
    running.close_stdout();
    let ran = running.end();
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
}
