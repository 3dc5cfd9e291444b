//! The cache: through a daemon, past it, and while its server is away.

use gristmill_test_redis::RedisServer;
use serde_json::{Value, json};

use crate::command::{run, run_with};
use crate::served::{Daemon, folder};

/// Nobody listens on port 1.
const NOWHERE: &str = "redis://127.0.0.1:1";

/// All commands on one cache, which is reached by these flags.
fn check_all_commands(flags: &[&str], backend: &str) {
    let cache = |arguments: &[&str]| run(&[&["cache"], arguments, flags].concat());
    let set = [&["cache", "set", "--plugin", "echo", "k", "--input-file", "-"][..], flags].concat();
    run_with(&set, b"raw \xff bytes").completed();
    cache(&["set", "page:1", "--input", "one", "--ttl", "1h"]).completed();
    cache(&["set", "--bucket", "default", "page:2", "--input", "two"]).completed();
    assert_eq!(cache(&["get", "--plugin", "echo", "k"]).stdout, b"raw \xff bytes");
    assert_eq!(cache(&["get", "page:1"]).completed(), "one");
    cache(&["get", "k"]).refused(1, "there is no entry \"k\" in bucket:default");
    cache(&["get", ".."]).refused(1, "there is no entry \"..\"");
    let long = "x".repeat(513);
    cache(&["get", &long]).refused(2, "513 bytes");
    let stats: Value = serde_json::from_str(cache(&["stats", "--json"]).completed()).unwrap();
    assert_eq!((&stats["backend"], &stats["entries"]), (&json!(backend), &json!(3)));
    assert_eq!(cache(&["clear", "--prefix", "page:"]).completed().trim(), "2");
    cache(&["delete", "--plugin", "echo", "k"]).completed();
    cache(&["delete", "--plugin", "echo", "k"]).refused(1, "there is no entry \"k\"");
}

#[test]
fn every_command_goes_through_a_daemon() {
    let daemon = Daemon::tame();
    check_all_commands(&["--server", &daemon.url], "memory");
    let stats = daemon.json(&["cache", "stats"]);
    assert_eq!((&stats["hits"], &stats["misses"]), (&json!(2), &json!(2)));
}

#[test]
fn every_command_goes_past_the_daemon_to_redis() {
    let server = RedisServer::start();
    check_all_commands(&["--redis-url", &server.url()], "redis");
    run(&["cache", "stats", "--redis-url", NOWHERE]).refused(4, "can't be reached");
}

#[test]
fn every_command_works_on_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/cache.db", dir.path().display());
    check_all_commands(&["--cache-url", &url], "sqlite");
    let foreign = dir.path().join("notes.txt");
    std::fs::write(&foreign, "no database at all, but somebody's notes").unwrap();
    let wrong = format!("sqlite:{}", foreign.display());
    run(&["cache", "stats", "--cache-url", &wrong]).refused(2, "it is no SQLite database");
    run(&["cache", "stats", "--cache-url", "memory:"]).refused(2, "use --server");
}

#[test]
fn a_daemon_keeps_its_cache_where_its_jobs_are_unless_it_is_told_otherwise() {
    let server = RedisServer::start();
    let url = server.url();
    let daemon = Daemon::tame_with(&["--redis-url", &url]);
    daemon.run(&["cache", "set", "k", "--input", "v"]).completed();
    assert_eq!(run(&["cache", "get", "k", "--redis-url", &url]).completed(), "v");
    let apart = Daemon::tame_with(&["--redis-url", &url, "--cache-url", "memory:"]);
    apart.run(&["cache", "get", "k"]).refused(1, "there is no entry");
}

#[test]
fn a_cache_whose_server_is_away_is_in_the_state_folder_until_it_is_there() {
    let mut server = RedisServer::start();
    let url = server.url();
    server.kill();
    let state = tempfile::tempdir().unwrap();
    let dir = state.path().to_str().unwrap();
    let plugins = folder(&["plugins/echo.wasm"]);
    let mut daemon = Daemon::start(plugins, &["--cache-url", &url, "--state-dir", dir]);
    let info = daemon.json(&["info"]);
    assert_eq!((&info["cache"]["backend"], &info["degraded"]), (&json!("sqlite"), &json!(true)));
    assert!(state.path().join("cache.sqlite").exists());
    server.restart();
    daemon.running.until("it is the cache from now on");
    let info = daemon.json(&["info"]);
    assert_eq!((&info["cache"]["backend"], &info["degraded"]), (&json!("redis"), &json!(false)));
}
