//! `gristmill jobs` and `gristmill job`, through a daemon.

use gristmill_test_redis::RedisServer;
use serde_json::Value;

use crate::command::{Ran, run};
use crate::served::{Daemon, folder};

const NOBODY: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

fn lines(ran: &Ran) -> Vec<Value> {
    ran.completed().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn jobs_are_listed_the_newest_first_up_to_the_limit() {
    let daemon = Daemon::tame();
    daemon.run(&["queue", "pause", "default"]).completed();
    let many = "{\"plugin\": \"echo\"}\n".repeat(120);
    daemon.run_with(&["enqueue", "--jsonl", "-"], &many).completed();
    let last = daemon.enqueued(&["wordcount", "--input", "a"]);
    let listed = lines(&daemon.run(&["jobs", "--limit", "110", "--json"]));
    assert_eq!(listed.len(), 110, "more than a page");
    assert_eq!(listed[0]["id"], *last);
    let found = lines(&daemon.run(&["jobs", "--plugin", "wordcount", "--json"]));
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["id"], &found[0]["state"]), (&last.as_str().into(), &"queued".into()));
    assert!(lines(&daemon.run(&["jobs", "--state", "failed", "--json"])).is_empty());
    assert!(lines(&daemon.run(&["jobs", "--queue", "bulk", "--json"])).is_empty());
    let shown = daemon.run(&["jobs", "--limit", "1"]);
    assert!(shown.completed().starts_with("ID   "), "{shown:?}");
    assert!(shown.completed().contains(&format!("{last}  queued  wordcount  count")));
    assert!(shown.stderr.contains("there are more than 1; --limit shows them"), "{shown:?}");
}

#[test]
fn a_result_that_was_waited_for_comes_as_it_is() {
    let daemon = Daemon::tame();
    let id = daemon.enqueued(&["echo", "--input", "hi"]);
    assert_eq!(daemon.run(&["job", "wait", &id]).completed(), "hi");
    let job: Value = daemon.json(&["job", "wait", &id]);
    assert_eq!((&job["state"], &job["result"]), (&"completed".into(), &"hi".into()));
    let later = daemon.enqueued(&["echo", "--delay", "1h"]);
    let gave_up = daemon.run(&["job", "wait", &later, "--timeout", "50ms"]);
    assert_eq!((gave_up.code, &*gave_up.stdout), (Some(124), &b""[..]));
    assert!(gave_up.stderr.contains("is still scheduled and goes on"), "{gave_up:?}");
}

#[test]
fn nothing_is_kept_of_a_job_whose_result_is_not() {
    let server = RedisServer::start();
    for queue in [&[][..], &["--redis-url", &server.url()]] {
        let daemon = Daemon::tame_with(queue);
        daemon.run(&["queue", "pause", "default"]).completed();
        let kept = |ttl| ["echo", "--input", "hi", "--result-ttl", ttl];
        let gone = daemon.enqueued(&kept("0s"));
        assert_eq!(daemon.json(&["job", "show", &gone])["state"], "queued");
        daemon.run(&["queue", "resume", "default"]).completed();
        // Whoever waited from before its end is told of it, or that it is over.
        let waited = daemon.run(&["job", "wait", &gone]);
        assert!(waited.code == Some(0) || waited.stderr.contains("there is no job"), "{waited:?}");
        assert_eq!(lines(&daemon.run(&["jobs", "--json"])), [Value::Null; 0]);
        let stays = daemon.enqueued(&kept("1h"));
        assert_eq!(daemon.run(&["job", "wait", &stays]).completed(), "hi");
        assert_eq!(lines(&daemon.run(&["jobs", "--json"])).len(), 1);
        let totals = &daemon.json(&["queue", "show", "default"])["totals"];
        assert_eq!(totals["completed"], 2, "{totals}");
    }
}

#[test]
fn a_result_that_is_not_kept_cannot_be_waited_for() {
    let once = ["enqueue", "echo", "--wait", "--result-ttl"];
    run(&[&once[..], &["0s"]].concat()).refused(2, "there is no result to wait for");
    let bare = run(&[&once[..], &["5"]].concat());
    assert_eq!(bare.code, Some(2));
    assert!(bare.stderr.contains("'--result-ttl <DURATION>': \"5\" is no duration"), "{bare:?}");
}

#[test]
fn a_job_is_cancelled_retried_and_removed() {
    let daemon = Daemon::tame();
    let id = daemon.enqueued(&["echo", "--input", "hi", "--delay", "1h"]);
    assert_eq!(daemon.run(&["job", "cancel", &id]).completed(), "cancelled\n");
    daemon.run(&["job", "cancel", &id]).refused(1, "is cancelled: only jobs that wait or run");
    assert_eq!(daemon.run(&["job", "wait", &id]).code, Some(1));
    assert_eq!(daemon.run(&["job", "retry", &id]).completed(), "queued\n");
    assert_eq!(daemon.run(&["job", "wait", &id]).completed(), "hi");
    assert_eq!(daemon.json(&["job", "remove", &id])["state"], "completed");
    for command in ["show", "wait", "logs", "cancel", "retry", "remove"] {
        daemon.run(&["job", command, &id]).refused(1, &format!("there is no job {id}"));
    }
}

#[test]
fn a_running_job_is_cancelled_by_its_worker() {
    let mut daemon = Daemon::wild(&["--log", "debug"]);
    let id = daemon.enqueued(&["spin"]);
    daemon.running.until("an attempt begins");
    daemon.run(&["job", "remove", &id]).refused(1, "is running: a running job can't be removed");
    assert_eq!(daemon.run(&["job", "cancel", &id]).completed(), "running, to be cancelled\n");
    let ended = daemon.run(&["job", "wait", &id]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cancelled"), "{ended:?}");
}

#[test]
fn a_job_shows_what_it_logged() {
    let daemon = Daemon::start(folder(&["test-guests/spin-in-host-calls.wasm"]), &[]);
    let spin = ["spin-in-host-calls", "--timeout", "100ms", "--max-attempts", "1", "--wait"];
    assert_eq!(daemon.run(&[&["enqueue"], &spin[..]].concat()).code, Some(124));
    let id = lines(&daemon.run(&["jobs", "--json"]))[0]["id"].as_str().unwrap().to_owned();
    let logged = lines(&daemon.run(&["job", "logs", &id, "--json"]));
    assert!(logged[0]["message"].as_str().unwrap().contains("left"), "{logged:?}");
    assert_eq!(logged[0]["attempt"], 1);
    let shown = daemon.run(&["job", "logs", &id]);
    assert!(shown.completed().contains("Z 1 "), "{shown:?}");
}

#[test]
fn a_wrong_use_is_told_from_a_job_that_is_not_there() {
    assert_eq!(run(&["job", "cancel", "seven"]).code, Some(2));
    assert_eq!(run(&["jobs", "--state", "done"]).code, Some(2));
    run(&["job", "retry", NOBODY, "--server", "http://127.0.0.1:1"]).refused(4, "no server");
    run(&["jobs", "--server", "http://127.0.0.1:1"]).refused(4, "no server");
}
