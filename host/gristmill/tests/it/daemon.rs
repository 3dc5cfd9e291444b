//! `gristmill serve`, and the commands that speak to it.

use serde_json::Value;

use crate::command::{Running, run};
use crate::served::{Daemon, folder};

#[test]
fn a_job_is_enqueued_waited_for_and_shown() {
    let daemon = Daemon::tame();
    let waited = daemon.run(&["enqueue", "wordcount", "--input", "a b", "--wait"]);
    // Byte for byte what the function gave, in its order of keys.
    assert!(waited.completed().starts_with(r#"{"lines":0,"words":2,"top":["#), "{waited:?}");
    let id = daemon.enqueued(&["echo", "--input", "hi", "--max-attempts", "3"]);
    let json = daemon.run(&["job", "show", &id, "--json"]);
    let job: Value = serde_json::from_str(json.completed()).unwrap();
    assert_eq!((&job["id"], &job["max_attempts"]), (&Value::from(&*id), &Value::from(3)));
    assert!(daemon.run(&["job", "show", &id]).completed().contains("function    echo\n"));
    let info = daemon.run(&["info", "--json"]);
    let info: Value = serde_json::from_str(info.completed()).unwrap();
    assert_eq!(info["plugins"]["count"], 2);
    daemon.running.signal("TERM");
    assert_eq!(daemon.end().code, Some(0));
}

#[test]
fn a_failure_that_was_waited_for_exits_as_run_does() {
    let daemon = Daemon::wild(&[]);
    let trapped = daemon.run(&["enqueue", "trap", "--max-attempts", "1", "--wait"]);
    assert_eq!(trapped.code, Some(1), "{trapped:?}");
    assert!(trapped.stderr.starts_with("gristmill: trap: trapped (unreachable): "), "{trapped:?}");
    let spin = ["enqueue", "spin", "--timeout", "50ms", "--max-attempts", "1", "--wait"];
    assert_eq!(daemon.run(&spin).code, Some(124));
    let spin = ["enqueue", "spin", "--wait", "--wait-timeout", "50ms"];
    let gave_up = daemon.run(&spin);
    assert_eq!(gave_up.code, Some(124));
    assert!(gave_up.stderr.contains("goes on"), "{gave_up:?}");
}

#[test]
fn a_refusal_has_the_exit_code_of_its_kind() {
    let daemon = Daemon::tame();
    daemon.run(&["enqueue", "nope"]).refused(3, "no plugin \"nope\" here; there are echo");
    daemon.run(&["enqueue", "echo", "f"]).refused(2, "no function \"f\"; it has echo");
    daemon.run(&["enqueue", "wordcount"]).refused(2, "none is given");
    let id = daemon.enqueued(&["echo", "--unique-key", "k", "--delay", "1h"]);
    daemon.run(&["enqueue", "echo", "--unique-key", "k"]).refused(1, &id);
    let nobody = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
    daemon.run(&["job", "show", nobody]).refused(1, "there is no job 6f9619ff");
}

#[test]
fn a_server_that_is_not_there_is_exit_code_4() {
    // Port 1 is nobody's.
    let server = ["--server", "http://127.0.0.1:1"];
    let refused = |arguments: &[&str]| {
        let ran = run(&[arguments, &server].concat());
        ran.refused(4, "no server can be reached at http://127.0.0.1:1");
    };
    refused(&["enqueue", "echo"]);
    refused(&["job", "show", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"]);
    refused(&["info"]);
    run(&["enqueue", "echo", "--server", "nonsense"]).refused(2, "is no server's address");
}

#[test]
fn an_interrupted_daemon_gives_back_what_runs() {
    let mut daemon = Daemon::wild(&["--grace", "0s", "--log", "debug"]);
    daemon.enqueued(&["spin"]);
    daemon.running.until("an attempt begins");
    daemon.running.signal("INT");
    let ran = daemon.end();
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(ran.stderr.contains("released=1"), "{}", ran.stderr);
}

#[test]
fn a_second_signal_ends_the_daemon_at_once() {
    let mut daemon = Daemon::wild(&["--grace", "10m", "--log", "debug"]);
    daemon.enqueued(&["spin"]);
    daemon.running.until("an attempt begins");
    daemon.running.signal("TERM");
    daemon.running.until("stopping");
    daemon.running.signal("TERM");
    assert_eq!(daemon.end().code, Some(0));
}

#[test]
fn a_broken_plugin_is_named_and_hinders_no_other() {
    let dir = folder(&["plugins/echo.wasm"]);
    std::fs::write(dir.path().join("broken.wasm"), "dear diary").unwrap();
    let mut running = Running::start(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--plugins",
        dir.path().to_str().unwrap(),
    ]);
    // They are loaded beside each other, while the daemon listens already.
    running.until_all(&[
        "plugin broken can't be used: this is no WebAssembly component",
        "plugin echo sha256:",
        "listening on",
    ]);
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_broken_new_version_is_named_beside_the_one_that_serves() {
    let mut daemon = Daemon::start(folder(&["plugins/echo.wasm"]), &[]);
    let line = daemon.running.until("plugin echo sha256:");
    let digest = line.trim().rsplit(' ').next().unwrap().to_owned();
    let part = daemon.plugins.path().join("part");
    std::fs::write(&part, "dear diary").unwrap();
    std::fs::rename(part, daemon.plugins.path().join("echo.wasm")).unwrap();
    let warning = daemon.running.until("the new version of plugin echo can't be used: this is no");
    assert!(warning.contains(&digest), "{warning}");
    let listed = daemon.json(&["plugin", "list"]);
    for plugin in [&listed[0], &daemon.json(&["plugin", "inspect", "echo"])] {
        assert_eq!(plugin["digest"], *digest);
        assert!(plugin["fault"].as_str().unwrap().contains("but a text file"), "{plugin}");
    }
    let list = daemon.run(&["plugin", "list"]);
    assert!(list.completed().contains("(its new version can't be used: this is no"), "{list:?}");
    let inspected = daemon.run(&["plugin", "inspect", "echo"]);
    assert!(
        inspected.completed().contains("new version  can't be used: this is no"),
        "{inspected:?}"
    );
    let waited = daemon.run(&["enqueue", "echo", "--input", "still here", "--wait"]);
    assert_eq!(waited.completed(), "still here");
}

#[test]
fn a_daemon_that_would_be_open_to_others_does_not_start() {
    let ran = run(&["serve", "--listen", "0.0.0.0:0"]);
    ran.refused(2, "which takes access tokens: give them with --token-file");
}

#[test]
fn a_lease_that_is_too_short_is_refused() {
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--lease", "900ms"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("the shortest lease is 1s"), "{ran:?}");
}

#[test]
fn a_daemon_without_its_plugins_folder_does_not_start() {
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--plugins", "no/such", "--log", "error"]);
    ran.refused(2, "no/such can't be read");
}

#[test]
fn a_ready_file_tells_the_address() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("ready");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let path = pipe.to_str().unwrap();
    let running = Running::start(&["serve", "--listen", "127.0.0.1:0", "--ready-file", path]);
    // Reading a pipe waits for its writer.
    let url = std::fs::read_to_string(&pipe).unwrap();
    assert!(run(&["info", "--server", url.trim()]).completed().starts_with("version"));
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}
