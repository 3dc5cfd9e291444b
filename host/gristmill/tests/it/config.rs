//! The daemon's configuration: file, environment, flags, and how their faults are told.

use std::path::Path;

use crate::command::{Running, gristmill, run};
use crate::served::{folder, get};

/// A file with this text, in a folder of its own.
fn a_file(text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mill.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

fn plugins(dir: &Path) -> String {
    format!("[plugins]\nplugins = {:?}\n", dir.to_str().unwrap())
}

#[test]
fn all_faults_are_told_at_once_before_anything_is_started() {
    let (_dir, path) = a_file("[worker]\nspeed = 9\nlease = \"1ms\"\n[backends]\nredis-url = 7\n");
    let mut command = gristmill(&["serve", "--config", &path, "--check-config"]);
    let output = command.env("GRISTMILL_CONCURRENCY", "many").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!((output.status.code(), lines.len()), (Some(2), 4), "{stderr}");
    assert!(lines.iter().all(|line| line.starts_with("gristmill: ")), "{stderr}");
    let says = |line: usize, text: &str| assert!(lines[line].contains(text), "{stderr}");
    says(0, "GRISTMILL_CONCURRENCY: invalid digit");
    says(1, "mill.toml:2: worker.speed: this key isn't known");
    says(2, "mill.toml:3: worker.lease: the shortest lease is 1s");
    says(3, "mill.toml:5: backends.redis-url: expected a string, got the integer 7");
}

#[test]
fn what_would_keep_a_daemon_from_starting_is_told_without_starting_it() {
    let (_dir, path) = a_file(
        "[server]\nlisten = \"nonsense\"\n[plugins]\nplugins = \"no/such\"\n\
         limit = { memory = \"2GiB\" }\n[backends]\nredis-url = \"http://host\"\n\
         [worker]\nqueue-concurrency = { nobody = 2 }\n",
    );
    let ran = run(&["serve", "--config", &path, "--check-config"]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 5), "{}", ran.stderr);
    for says in [
        "--listen nonsense",
        "no/such can't be read",
        "--limit and --limit-max: memory",
        "is no address such as redis://",
        "no jobs are taken from queue nobody",
    ] {
        assert!(ran.stderr.contains(says), "no {says:?} in {}", ran.stderr);
    }
}

#[test]
fn a_configuration_without_faults_is_told_to_be_fine() {
    let dir = folder(&["plugins/echo.wasm"]);
    let (_dir, path) = a_file(&plugins(dir.path()));
    let ran = run(&["serve", "--config", &path, "--check-config"]);
    assert_eq!(ran.completed(), "the configuration is fine\n");
    run(&["serve", "--config", "no/such.toml"]).refused(2, "no/such.toml can't be read");
}

#[test]
fn a_flag_comes_before_the_environment_and_that_before_the_file() {
    let dir = folder(&["plugins/echo.wasm"]);
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n[worker]\nconcurrency = 3\n";
    let (_dir, path) = a_file(&format!("{text}{}", plugins(dir.path())));
    let slots = |flags: &[&str], environment: &[(&str, &str)]| {
        let mut command = gristmill(&[&["serve", "--config", &path], flags].concat());
        command.envs(environment.iter().copied());
        let mut running = Running::launch(command);
        let url = running.url();
        // By then the worker has had a round.
        run(&["enqueue", "echo", "--wait", "--server", &url]).completed();
        let (_, metrics) = get(&url, "/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix("gristmill_worker_slots "));
        line.unwrap().to_owned()
    };
    assert_eq!(slots(&[], &[]), "3");
    assert_eq!(slots(&[], &[("GRISTMILL_CONCURRENCY", "5")]), "5");
    assert_eq!(slots(&["--concurrency", "7"], &[("GRISTMILL_CONCURRENCY", "5")]), "7");
}

#[test]
fn a_file_of_the_usual_name_is_read_where_the_daemon_starts() {
    let (dir, path) = a_file("[worker]\nspeed = 9\n");
    std::fs::rename(&path, dir.path().join("gristmill.toml")).unwrap();
    let mut command = gristmill(&["serve", "--check-config"]);
    let output = command.current_dir(dir.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("gristmill.toml:2: worker.speed"), "{stderr}");
}
