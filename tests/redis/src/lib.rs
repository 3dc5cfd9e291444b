//! Redis servers for tests: each its own process, on a port of its own, gone with its handle.

#![expect(clippy::unwrap_used, reason = "a test that has no server has failed")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// Names the program to be started instead of `redis-server`, such as `valkey-server`.
pub const PROGRAM_VARIABLE: &str = "GRISTMILL_TEST_REDIS_SERVER";

/// Ports tried before a test gives up: another process may take one between its choice and its use.
const PORTS_TRIED_MAX: usize = 20;

/// A server that runs, with an empty data set.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    port: u16,
    dir: TempDir,
    /// Read no further, but kept open, since the server writes its log to it.
    _log: BufReader<ChildStdout>,
}

impl RedisServer {
    /// Starts a server without persistence.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&["--save", "", "--appendonly", "no"])
    }

    /// Starts a server with these arguments beside those that place it.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        for _ in 0..PORTS_TRIED_MAX {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some((process, log)) = launch(port, &dir, arguments) {
                return Self { process, port, dir, _log: log };
            }
        }
        panic!("{} found no free port, or can't be started", program());
    }

    /// The server's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port that it listens on, of this machine alone.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The folder of its files.
    #[must_use]
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> String {
    std::env::var(PROGRAM_VARIABLE).unwrap_or_else(|_| "redis-server".to_owned())
}

/// A server that is ready, or none where the port is taken.
fn launch(port: u16, dir: &TempDir, arguments: &[&str]) -> Option<(Child, BufReader<ChildStdout>)> {
    let mut process = Command::new(program())
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
        .arg(dir.path())
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} can't be started: {error}", program()));
    let mut log = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while log.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line.to_ascii_lowercase().contains("ready to accept connections") {
            return Some((process, log));
        }
        line.clear();
    }
    let _ = process.wait();
    None
}
