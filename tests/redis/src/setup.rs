//! How a server is set up.

use std::path::Path;

use crate::program::Program;

/// When what was written is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before the client hears of it: a kill loses nothing.
    Always,
    /// Within a second: a kill of the machine loses that much. Killing the server alone loses only
    /// what it had not yet written at all.
    EverySecond,
}

/// How a server is set up; by default it persists nothing, and anybody may connect.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    program: Option<Program>,
    arguments: Vec<String>,
    pub(crate) password: Option<String>,
    pub(crate) socket: bool,
    debug: bool,
}

/// The name of the socket in the server's folder.
pub(crate) const SOCKET: &str = "redis.sock";

impl Setup {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another program than [`Program::default_one`].
    #[must_use]
    pub fn program(mut self, program: &Program) -> Self {
        self.program = Some(program.clone());
        self
    }

    /// Keeps an append-only file, so that a restarted server has its data again.
    #[must_use]
    pub fn append_only(self, sync: Fsync) -> Self {
        let sync = match sync {
            Fsync::Always => "always",
            Fsync::EverySecond => "everysec",
        };
        // A rewrite in the background would outlive a server that is killed.
        self.arguments(&["--appendonly", "yes", "--appendfsync", sync])
            .arguments(&["--auto-aof-rewrite-percentage", "0"])
    }

    /// Lets only clients in that know the password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.arguments(&["--requirepass", password])
    }

    /// Refuses writes beyond this much memory, such as `4mb`, and evicts nothing.
    #[must_use]
    pub fn memory_max(self, amount: &str) -> Self {
        self.arguments(&["--maxmemory", amount, "--maxmemory-policy", "noeviction"])
    }

    /// Listens on a socket in its folder, too: [`RedisServer::socket_url`](crate::RedisServer).
    #[must_use]
    pub fn socket(mut self) -> Self {
        self.socket = true;
        self
    }

    /// Follows the server on this port of this machine.
    #[must_use]
    pub fn replica_of(self, port: u16) -> Self {
        self.arguments(&["--replicaof", "127.0.0.1", &port.to_string()])
    }

    /// Lets clients use `DEBUG`.
    #[must_use]
    pub fn debug(mut self) -> Self {
        self.debug = true;
        self
    }

    /// Any other arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    pub(crate) fn chosen_program(&self) -> Program {
        self.program.clone().unwrap_or_else(Program::default_one)
    }

    /// All arguments; what a caller gave comes last and wins.
    pub(crate) fn command_line(&self, program: &Program, port: u16, dir: &Path) -> Vec<String> {
        let mut line: Vec<String> =
            ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]
                .map(str::to_owned)
                .to_vec();
        line.push(dir.display().to_string());
        if self.socket {
            line.extend(["--unixsocket".to_owned(), dir.join(SOCKET).display().to_string()]);
        }
        if self.debug && program.guards_debug() {
            line.extend(["--enable-debug-command".to_owned(), "local".to_owned()]);
        }
        line.extend(self.arguments.iter().cloned());
        line
    }
}
