//! What a daemon does when it is told to be quiet, to go on, to load again, and what it tells its manager.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::Value;

use crate::command::{Running, gristmill};
use crate::served::{Daemon, folder};

/// How long a manager waits for word from a daemon, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_quiet_daemon_takes_no_jobs_until_it_goes_on() {
    let mut daemon = Daemon::tame();
    daemon.running.signal("TSTP");
    daemon.running.until("quiet: no more jobs are taken");
    let id = daemon.enqueued(&["echo", "--input", "later"]);
    let waited = daemon.run(&["job", "wait", &id, "--timeout", "300ms"]);
    assert_eq!(waited.code, Some(124), "{waited:?}");
    let (status, body) = daemon.get("/readyz");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["quiet"]), (200, &Value::from(true)), "it still serves: {body}");
    assert!(daemon.get("/metrics").1.contains("\ngristmill_worker_quiet 1\n"));
    daemon.running.signal("CONT");
    daemon.running.until("jobs are taken again");
    assert_eq!(daemon.run(&["job", "wait", &id]).completed(), "later");
}

#[test]
fn what_runs_when_a_daemon_becomes_quiet_runs_to_its_end() {
    let mut daemon = Daemon::wild(&["--log", "debug"]);
    let id = daemon.enqueued(&["spin", "--timeout", "1s", "--max-attempts", "1"]);
    daemon.running.until("an attempt begins");
    daemon.running.signal("TSTP");
    daemon.running.until("quiet: no more jobs are taken");
    assert_eq!(daemon.run(&["job", "wait", &id]).code, Some(124));
    let job = daemon.json(&["job", "show", &id]);
    assert_eq!((&job["outcome"], &job["attempt"]), (&"timed_out".into(), &1.into()));
}

#[test]
fn a_quiet_daemon_ends_as_any_other() {
    let mut daemon = Daemon::tame();
    daemon.running.signal("TSTP");
    daemon.running.until("quiet: no more jobs are taken");
    daemon.running.signal("TERM");
    assert_eq!(daemon.end().code, Some(0));
}

#[test]
fn a_daemon_loads_its_configuration_again_unless_it_has_faults() {
    let dir = folder(&["plugins/echo.wasm"]);
    let path = dir.path().join("mill.toml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("[worker]\nconcurrency = 4\nlease = \"10s\"\n");
    let config = path.to_str().unwrap().to_owned();
    let mut daemon = Daemon::start(dir, &["--config", &config]);
    let slots = |daemon: &Daemon, slots: usize| {
        let metrics = daemon.get("/metrics").1;
        assert!(metrics.contains(&format!("\ngristmill_worker_slots {slots}\n")), "{metrics}");
    };
    daemon.run(&["enqueue", "echo", "--wait"]).completed();
    slots(&daemon, 4);
    write("[worker]\nconcurrency = 2\nlease = \"20s\"\n");
    daemon.running.signal("HUP");
    daemon.running.until_all(&[
        "concurrency is [\"2\"] now, was Some([\"4\"]): taken over",
        "lease is [\"20s\"] now, was Some([\"10s\"]): takes effect at the next start",
        "configuration and plugins are loaded again",
    ]);
    // By then a round has begun that obeys.
    daemon.run(&["enqueue", "echo", "--wait"]).completed();
    slots(&daemon, 2);
    write("[worker]\nconcurrency = \"3\"\nspeed = 9\n");
    daemon.running.signal("HUP");
    daemon.running.until("worker.concurrency: expected a number");
    daemon.running.until("worker.speed: this key isn't known");
    daemon.running.until("the configuration stays as it is");
    daemon.run(&["enqueue", "echo", "--wait"]).completed();
    slots(&daemon, 2);
}

#[test]
fn a_reload_changes_what_is_logged() {
    let dir = folder(&["plugins/echo.wasm"]);
    let path = dir.path().join("mill.toml");
    std::fs::write(&path, "").unwrap();
    let config = path.to_str().unwrap().to_owned();
    let mut daemon = Daemon::start(dir, &["--config", &config]);
    std::fs::write(&path, "[log]\nlog = \"debug\"\n").unwrap();
    daemon.running.signal("HUP");
    daemon.running.until("configuration and plugins are loaded again");
    daemon.enqueued(&["echo"]);
    daemon.running.until("an attempt begins");
}

#[test]
fn a_service_manager_is_told_what_the_daemon_does() {
    let dir = folder(&["plugins/echo.wasm"]);
    let socket = dir.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let until = |says: &str| {
        let mut buffer = [0; 512];
        loop {
            let length = manager.recv(&mut buffer).unwrap_or_else(|e| panic!("no {says:?}: {e}"));
            let said = std::str::from_utf8(&buffer[..length]).unwrap();
            if said.starts_with(says) {
                return said.to_owned();
            }
        }
    };
    let plugins = dir.path().to_str().unwrap();
    let mut command = gristmill(&["serve", "--listen", "127.0.0.1:0", "--plugins", plugins]);
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "200000");
    let mut running = Running::launch(command);
    until("READY=1");
    until("WATCHDOG=1");
    running.until("listening on");
    running.signal("HUP");
    let reloading = until("RELOADING=1\nMONOTONIC_USEC=");
    let at = reloading.rsplit('=').next().unwrap().parse::<u64>().unwrap();
    assert!(at > 0, "{reloading}");
    until("READY=1");
    running.signal("TERM");
    until("STOPPING=1");
    assert_eq!(running.end().code, Some(0));
}
