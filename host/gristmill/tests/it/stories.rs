//! What becomes of jobs when a daemon or its Redis ends in the middle of the work.

use gristmill_test_redis::RedisServer;
use serde_json::{Value, json};

use crate::command::{run, run_with};
use crate::served::Daemon;

/// Jobs of a load: more than a daemon holds at one time.
const JOBS: usize = 400;

/// Enqueues a load past any daemon.
fn enqueue(url: &str) {
    let lines = "{\"plugin\": \"echo\", \"input\": \"hi\"}\n".repeat(JOBS);
    let sent = run_with(&["enqueue", "--jsonl", "-", "--redis-url", url], lines.as_bytes());
    assert_eq!(sent.completed().lines().count(), JOBS);
}

/// How the default queue stands.
fn queue(url: &str) -> Value {
    let shown = run(&["queue", "show", "default", "--json", "--redis-url", url]);
    serde_json::from_str(shown.completed()).unwrap()
}

/// Waits for the newest job that is still on its way, until there is none.
fn wait_for_all(url: &str) {
    for state in ["scheduled", "queued", "running"] {
        loop {
            let jobs = ["jobs", "--state", state, "--limit", "1", "--json", "--redis-url", url];
            let listed = run(&jobs);
            let Some(line) = listed.completed().lines().next() else { break };
            let job: Value = serde_json::from_str(line).unwrap();
            run(&["job", "wait", job["id"].as_str().unwrap(), "--redis-url", url]);
        }
    }
}

#[track_caller]
fn check_all_completed(url: &str) {
    wait_for_all(url);
    let queue = queue(url);
    let totals = &queue["totals"];
    assert_eq!((&totals["completed"], &totals["failed"]), (&json!(JOBS), &json!(0)), "{queue}");
    assert_eq!((&queue["queued"], &queue["running"]), (&json!(0), &json!(0)), "{queue}");
}

#[test]
fn a_daemon_that_is_drained_under_load_loses_nothing() {
    let server = RedisServer::start();
    let url = server.url();
    let mut first =
        Daemon::tame_with(&["--redis-url", &url, "--concurrency", "2", "--log", "debug"]);
    enqueue(&url);
    first.running.until("settled");
    first.running.signal("TERM");
    let ended = first.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(queue(&url)["running"], 0, "what wasn't done was given back");
    let _second = Daemon::tame_with(&["--redis-url", &url]);
    check_all_completed(&url);
    assert_eq!(queue(&url)["totals"]["reaped"], 0, "and not left to a lease");
}

#[test]
fn after_a_daemons_death_another_goes_on() {
    let server = RedisServer::start();
    let url = server.url();
    let arguments = ["--redis-url", &url, "--lease", "1s"];
    let mut first = Daemon::tame_with(&[&arguments[..], &["--log", "debug"]].concat());
    enqueue(&url);
    first.running.until("settled");
    first.running.signal("KILL");
    assert_eq!(first.end().code, None);
    let _second = Daemon::tame_with(&arguments);
    check_all_completed(&url);
}

#[test]
fn jobs_wait_while_redis_is_gone_and_go_on_when_it_is_back() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let url = server.url();
    let mut daemon = Daemon::tame_with(&["--redis-url", &url, "--require-redis"]);
    daemon.run(&["enqueue", "echo", "--wait"]).completed();
    assert_eq!(daemon.get("/readyz").0, 200);
    enqueue(&url);
    server.kill();
    daemon.running.until("the queue can't be reached");
    let (status, body) = daemon.get("/readyz");
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/unavailable")), "{body}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("queue default can't be reached: "), "{detail}");
    assert_eq!(daemon.get("/healthz").0, 200, "restarting the daemon would do no good");
    assert!(daemon.get("/metrics").1.contains("\ngristmill_backend_up{part=\"queue\"} 0\n"));
    server.restart();
    daemon.running.until("the queue can be reached again");
    let jobs = JOBS + 1;
    wait_for_all(&url);
    let queue = queue(&url);
    assert_eq!(queue["totals"]["completed"], jobs, "{queue}");
    assert_eq!(daemon.get("/readyz").0, 200);
    assert!(daemon.get("/metrics").1.contains("\ngristmill_queue_outages_total 1\n"));
}

#[test]
fn one_daemon_takes_jobs_and_another_runs_them() {
    let server = RedisServer::start();
    let url = server.url();
    let desk = Daemon::tame_with(&["--redis-url", &url, "--api-only"]);
    let id = desk.enqueued(&["echo", "--input", "hi"]);
    assert_eq!(desk.run(&["job", "wait", &id, "--timeout", "300ms"]).code, Some(124));
    let worker = Daemon::tame_with(&["--redis-url", &url, "--workers-only"]);
    assert_eq!(desk.run(&["job", "wait", &id]).completed(), "hi");
    assert_eq!(worker.get("/v1/jobs").0, 404);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(worker.get(path).0, 200, "{path}");
    }
    desk.running.signal("TERM");
    assert_eq!(desk.end().code, Some(0));
    worker.running.signal("TERM");
    assert_eq!(worker.end().code, Some(0));
    run(&["serve", "--api-only", "--listen", "127.0.0.1:0"]).refused(2, "--api-only");
    let both = run(&["serve", "--api-only", "--workers-only"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn in_strict_order_the_first_queue_is_served_first() {
    let server = RedisServer::start();
    let url = server.url();
    let enqueue = |queue: &str| {
        let line = format!("{{\"plugin\": \"echo\", \"queue\": \"{queue}\"}}\n");
        let lines = line.repeat(20);
        run_with(&["enqueue", "--jsonl", "-", "--redis-url", &url], lines.as_bytes()).completed();
    };
    enqueue("bulk");
    enqueue("critical");
    let queues = ["--queue", "critical", "--queue", "bulk", "--queue-order", "strict"];
    let one = ["--concurrency", "1", "--log", "debug", "--redis-url", &url];
    let mut daemon = Daemon::tame_with(&[&queues[..], &one].concat());
    let mut next = |_| {
        let line = daemon.running.until("an attempt begins");
        line.split("job=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    };
    let begun: Vec<String> = (0..40).map(&mut next).collect();
    daemon.running.signal("TERM");
    assert_eq!(daemon.end().code, Some(0));
    // Only now nothing moves from state to state while it is listed.
    let listed = run(&["jobs", "--queue", "critical", "--limit", "100", "--redis-url", &url]);
    let critical = listed.completed();
    let is_critical: Vec<bool> = begun.iter().map(|id| critical.contains(id.as_str())).collect();
    assert_eq!(is_critical, [vec![true; 20], vec![false; 20]].concat());
}
