//! `gristmill doctor` and `gristmill fsck`, on Redis servers.

use gristmill_test_redis::{Fsync, RedisServer, Setup};
use serde_json::{Value, json};

use crate::command::{Ran, gristmill, run};

/// Nobody listens on port 1.
const NOWHERE: &str = "redis://127.0.0.1:1";

fn on(server: &RedisServer, arguments: &[&str]) -> Ran {
    run(&[arguments, &["--redis-url", &server.url()]].concat())
}

fn json(ran: &Ran) -> Value {
    serde_json::from_slice(&ran.stdout).unwrap()
}

#[test]
fn a_durable_server_is_fit() {
    let server = RedisServer::with(Setup::new().append_only(Fsync::EverySecond));
    let told = on(&server, &["doctor"]);
    assert!(told.completed().contains("ok    persistence  an append-only file"), "{told:?}");
    let told = json(&on(&server, &["doctor", "--json"]));
    assert_eq!(told["server"], server.url());
    let version = &told["findings"][0];
    assert_eq!((&version["name"], &version["verdict"]), (&json!("version"), &json!("ok")));
}

#[test]
fn a_server_that_cannot_keep_jobs_fails_with_what_to_do() {
    let primary = RedisServer::start();
    let replica = RedisServer::with(Setup::new().replica_of(primary.port()));
    let told = on(&replica, &["doctor"]);
    assert_eq!(told.code, Some(1));
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(text.contains("fail  role         a replica of 127.0.0.1:"), "{text}");
    assert!(text.contains("> use the address of its primary"), "{text}");
    assert_eq!(json(&on(&replica, &["doctor", "--json"]))["verdict"], "fail");
}

#[test]
fn a_warning_is_no_failure_and_a_password_is_not_shown() {
    let server = RedisServer::with(Setup::new().password("s3cret"));
    let told = on(&server, &["doctor", "--json"]);
    assert!(!told.completed().contains("s3cret"), "{told:?}");
    assert_eq!(json(&told)["verdict"], "warn");
    let stranger = format!("redis://:wr0ng@127.0.0.1:{}", server.port());
    let told = run(&["doctor", "--redis-url", &stranger]);
    told.refused(4, "refuses the login");
    assert!(!told.stderr.contains("wr0ng"), "{told:?}");
}

#[test]
fn both_need_a_server_that_can_be_reached() {
    for command in ["doctor", "fsck"] {
        assert_eq!(run(&[command]).code, Some(2));
        run(&[command, "--redis-url", NOWHERE]).refused(4, "can't be reached");
        run(&[command, "--redis-url", "http://host"]).refused(2, "is no address such as");
        let mut command = gristmill(&[command]);
        let output = command.env("GRISTMILL_REDIS_URL", NOWHERE).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{output:?}");
    }
}

#[test]
fn faults_are_told_until_they_are_repaired() {
    let server = RedisServer::start();
    for queue in ["default", "bulk"] {
        on(&server, &["enqueue", "echo", "--queue", queue]).completed();
    }
    let well = on(&server, &["fsck"]);
    assert_eq!(well.completed(), "bulk: 1 job, no faults\ndefault: 1 job, no faults\n");
    server.command(&["DEL", "gristmill:{default}:ready:1"]).unwrap();

    let found = on(&server, &["fsck"]);
    assert_eq!(found.code, Some(1));
    let text = String::from_utf8_lossy(&found.stdout);
    assert!(text.contains("default: 1 job, 1 fault\n  misplaced  "), "{text}");
    on(&server, &["fsck", "--queue", "bulk"]).completed();

    let repaired = on(&server, &["fsck", "--repair", "--json", "--queue", "default"]);
    let view = &json(&repaired)[0];
    assert_eq!(repaired.code, Some(0), "{repaired:?}");
    assert_eq!(
        (&view["queue"], &view["repaired"], &view["left"]),
        (&json!("default"), &json!(1), &json!(0))
    );
    assert_eq!(view["faults"][0]["kind"], "misplaced");
    on(&server, &["fsck"]).completed();
}
