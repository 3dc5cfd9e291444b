//! The workers of several daemons, seen and told from any of them.

use gristmill_test_redis::{Proxy, RedisServer, Traffic};
use serde_json::{Value, json};

use crate::served::{Daemon, folder};

/// A daemon on this server, with guests that run for as long as they may.
fn on(url: &str, arguments: &[&str]) -> Daemon {
    let plugins = folder(&["test-guests/spin.wasm"]);
    Daemon::start(plugins, &[&["--redis-url", url], arguments].concat())
}

fn workers(daemon: &Daemon) -> Vec<Value> {
    let (status, body) = daemon.get("/v1/workers");
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    body["workers"].as_array().unwrap().clone()
}

/// Looks until the workers are as they should be. Each look asks the daemon and the server, so that it is
/// no idle loop; a test that takes too long is ended by its runner.
fn until(daemon: &Daemon, are_they: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    loop {
        let workers = workers(daemon);
        if are_they(&workers) {
            return workers;
        }
    }
}

/// The id of the daemon's own worker.
fn own(daemon: &Daemon) -> String {
    let mine = until(daemon, |all| all.iter().any(|worker| worker["here"] == true));
    let own = mine.iter().find(|worker| worker["here"] == true).unwrap();
    own["id"].as_str().unwrap().to_owned()
}

fn is(workers: &[Value], id: &str, key: &str, value: &Value) -> bool {
    workers.iter().any(|worker| worker["id"] == *id && worker[key] == *value)
}

#[test]
fn the_workers_of_all_daemons_are_listed_by_each_and_told_by_any() {
    let server = RedisServer::start();
    let url = server.url();
    let (here, mut there) = (on(&url, &["--concurrency", "1"]), on(&url, &["--workers-only"]));
    let mine = own(&here);
    let both = until(&here, |all| all.len() == 2);
    let other = both.iter().find(|worker| worker["here"] == false).unwrap();
    let theirs = other["id"].as_str().unwrap().to_owned();
    assert_eq!(other["queues"], json!(["default"]));
    assert!(other["pid"].as_u64().unwrap() > 0 && !other["machine"].as_str().unwrap().is_empty());
    // One that serves health alone hears what is asked of it, too.
    assert_eq!(here.run(&["worker", "quiet", &theirs]).completed(), "asked\n");
    there.running.until("the worker is asked by another daemon: quiet");
    let all = until(&here, |all| is(all, &theirs, "quiet", &json!(true)));
    assert!(is(&all, &mine, "quiet", &json!(false)), "{all:?}");
    here.run(&["worker", "quiet", &mine]).completed();
    assert!(is(&workers(&here), &mine, "quiet", &json!(true)), "one's own at once");
    let id = here.enqueued(&["spin", "--timeout", "60s", "--max-attempts", "1"]);
    let waited = here.run(&["job", "wait", &id, "--timeout", "300ms"]);
    assert_eq!(waited.code, Some(124), "nobody takes it: {waited:?}");
    here.run(&["worker", "resume", &theirs]).completed();
    let runs = |all: &[Value]| {
        let other = all.iter().find(|worker| worker["id"] == *theirs).unwrap();
        other["running"][0]["job"] == *id && other["jobs"] == 1
    };
    let all = until(&here, runs);
    assert!(is(&all, &mine, "jobs", &json!(0)), "{all:?}");
    assert_eq!(
        all.iter().find(|worker| worker["jobs"] == 1).unwrap()["running"][0]["plugin"],
        "spin"
    );
    here.run(&["job", "cancel", &id]).completed();
    here.run(&["worker", "stop", &theirs]).completed();
    let ended = there.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(workers(&here).len(), 1, "it has said that it is gone");
    here.run(&["worker", "stop", &theirs]).refused(2, "there is no worker");
    here.run(&["worker", "stop", &mine]).completed();
    assert_eq!(here.end().code, Some(0));
}

#[test]
fn a_daemon_that_dies_is_listed_no_more_once_its_lease_has_ended() {
    let server = RedisServer::start();
    let url = server.url();
    let (here, there) = (on(&url, &[]), on(&url, &["--lease", "1s"]));
    let theirs = own(&there);
    until(&here, |all| is(all, &theirs, "here", &json!(false)));
    there.running.signal("KILL");
    let left = until(&here, |all| all.len() == 1);
    assert_eq!(left[0]["id"], *own(&here));
    let kept = server.command(&["KEYS", "gristmill:w:*"]).unwrap();
    assert!(!kept.contains(":said:") || kept.matches(":said:").count() == 1, "{kept}");
}

#[test]
fn without_redis_a_daemon_lists_its_own_worker_and_says_what_it_does_not_know() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let daemon = on(&server.url_through(proxy.port()), &[]);
    let mine = own(&daemon);
    proxy.set(Traffic::Refused);
    proxy.cut();
    let ran = daemon.run(&["worker", "list", "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let all: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(all[0]["id"], *mine);
    assert!(ran.stderr.contains("the workers of other daemons aren't known"), "{ran:?}");
    proxy.set(Traffic::Flows);
    let other = on(&server.url(), &[]);
    let theirs = own(&other);
    until(&daemon, |all| is(all, &theirs, "here", &json!(false)));
    until(&other, |all| is(all, &mine, "here", &json!(false)));
}

#[test]
fn a_daemon_with_a_queue_of_its_own_lists_its_worker_and_hears_what_it_is_asked() {
    let daemon = Daemon::tame();
    let mine = own(&daemon);
    daemon.run(&["worker", "quiet", &mine]).completed();
    assert!(is(&workers(&daemon), &mine, "quiet", &json!(true)));
    let list = daemon.run(&["worker", "list"]);
    assert!(list.completed().contains("  quiet  "), "{list:?}");
    daemon.run(&["worker", "resume", &mine]).completed();
    assert!(is(&workers(&daemon), &mine, "quiet", &json!(false)));
    daemon.run(&["worker", "stop", &mine]).completed();
    assert_eq!(daemon.end().code, Some(0));
}
