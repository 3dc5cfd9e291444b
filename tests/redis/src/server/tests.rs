//! What tests may rely on when they start, stop and kill servers.

use std::os::unix::fs::FileTypeExt as _;

use super::RedisServer;
use crate::program::servers;
use crate::setup::{Fsync, Setup};

#[test]
fn every_program_starts_is_killed_and_has_its_data_again() {
    for program in servers() {
        let setup = Setup::new().program(&program).append_only(Fsync::Always).debug();
        let mut server = RedisServer::with(setup);
        let port = server.port();
        server.command(&["SET", "a", "1"]).unwrap();
        server.command(&["DEBUG", "SLEEP", "0"]).unwrap();
        server.kill();
        assert!(server.command(&["GET", "a"]).is_err());
        server.restart();
        assert_eq!(server.command(&["GET", "a"]).unwrap(), "1", "{}", program.version);
        assert_eq!(server.port(), port);
    }
}

#[test]
fn a_server_without_persistence_forgets() {
    let mut server = RedisServer::start();
    server.command(&["SET", "a", "1"]).unwrap();
    server.restart();
    assert_eq!(server.command(&["GET", "a"]).unwrap(), "");
}

#[test]
fn a_paused_server_answers_once_it_goes_on() {
    let server = RedisServer::start();
    server.pause();
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| server.command(&["PING"]));
        assert!(!answer.is_finished());
        server.resume();
        assert_eq!(answer.join().unwrap().unwrap(), "PONG");
    });
}

#[test]
fn a_password_is_asked_for_and_told_by_the_address() {
    let server = RedisServer::with(Setup::new().password("s3cret"));
    assert_eq!(server.url(), format!("redis://:s3cret@127.0.0.1:{}", server.port()));
    assert_eq!(server.command(&["PING"]).unwrap(), "PONG");
    assert!(crate::command::send(server.port(), None, &["PING"]).unwrap_err().contains("NOAUTH"));
}

#[test]
fn writes_beyond_the_memory_are_refused() {
    let server = RedisServer::with(Setup::new().memory_max("1mb"));
    let value = "x".repeat(1 << 20);
    let refused = (0..100).find_map(|n| server.command(&["SET", &n.to_string(), &value]).err());
    assert!(refused.unwrap().starts_with("OOM"));
}

#[test]
fn a_socket_is_there_and_told_by_the_address() {
    let server = RedisServer::with(Setup::new().socket().password("s3cret"));
    let path = server.dir().join("redis.sock");
    assert!(path.metadata().unwrap().file_type().is_socket());
    assert_eq!(server.socket_url(), format!("unix://{}?pass=s3cret", path.display()));
}

#[test]
fn a_replica_follows() {
    let primary = RedisServer::start();
    let replica = RedisServer::with(Setup::new().replica_of(primary.port()));
    assert!(replica.command(&["INFO", "replication"]).unwrap().contains("role:slave"));
    assert!(replica.command(&["SET", "a", "1"]).unwrap_err().starts_with("READONLY"));
}

#[test]
fn a_log_that_nobody_asks_for_hinders_no_server() {
    let server = RedisServer::with(Setup::new().arguments(&["--loglevel", "debug"]));
    // More than a pipe holds.
    let line = "x".repeat(4000);
    for _ in 0..50 {
        server.command(&["EVAL", "redis.log(redis.LOG_WARNING, ARGV[1])", "0", &line]).unwrap();
    }
    assert!(server.log().contains(&line));
}

#[test]
#[should_panic(expected = "no-such-argument")]
fn a_server_that_does_not_start_says_why() {
    drop(RedisServer::start_with(&["--no-such-argument", "1"]));
}
