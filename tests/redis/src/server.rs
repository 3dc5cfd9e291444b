//! A server: a process on a port of its own, gone with its handle.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::command;
use crate::log::{Log, Started};
use crate::program::Program;
use crate::setup::{SOCKET, Setup};

/// Ports tried before a test gives up: another process may take one between its choice and its use.
const PORTS_TRIED_MAX: usize = 20;

/// How a server says that its port is another's.
const PORT_TAKEN: &str = "Address already in use";

/// The file in its folder that takes what it prints before it has a log.
const STDERR: &str = "stderr.txt";

/// How long a server may take to start: it loads its append-only file, on a machine that may be
/// busy with other tests.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs, with an empty data set at first.
#[derive(Debug)]
pub struct RedisServer {
    setup: Setup,
    program: Program,
    port: u16,
    dir: TempDir,
    process: Process,
}

/// One run of a server's program.
#[derive(Debug)]
struct Process {
    child: Child,
    log: Log,
}

impl RedisServer {
    /// Starts a server without persistence.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Setup::new())
    }

    /// Starts a server with these arguments beside those that place it.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::with(Setup::new().arguments(arguments))
    }

    /// Starts a server that is set up like this.
    ///
    /// # Panics
    /// If it doesn't start.
    #[must_use]
    pub fn with(setup: Setup) -> Self {
        let (program, dir) = (setup.chosen_program(), TempDir::new().unwrap());
        for _ in 0..PORTS_TRIED_MAX {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            match Process::launch(&program, &setup, port, dir.path()) {
                Ok(process) => return Self { setup, program, port, dir, process },
                Err(said) if said.contains(PORT_TAKEN) => {}
                Err(said) => panic!("{} can't be started:\n{said}", program.version),
            }
        }
        panic!("{} finds no free port", program.version);
    }

    /// The server's address, with its password.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// The server's address as it is reached through another port, such as a proxy's.
    #[must_use]
    pub fn url_through(&self, port: u16) -> String {
        let password = self.setup.password.iter().map(|password| format!(":{password}@"));
        format!("redis://{}127.0.0.1:{port}", password.collect::<String>())
    }

    /// The address of its socket.
    ///
    /// # Panics
    /// If it wasn't set up to have one.
    #[must_use]
    pub fn socket_url(&self) -> String {
        assert!(self.setup.socket, "the server was set up without a socket");
        let password = self.setup.password.iter().map(|password| format!("?pass={password}"));
        let path = self.dir.path().join(SOCKET);
        format!("unix://{}{}", path.display(), password.collect::<String>())
    }

    /// The port that it listens on, of this machine alone.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// The folder of its files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The program that runs.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The last lines that it printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log.text()
    }

    /// Kills it without a word. Its port and its files stay its own.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Kills it, if that isn't done yet, and starts it with the same port and files.
    ///
    /// # Panics
    /// If it doesn't start.
    pub fn restart(&mut self) {
        self.kill();
        match Process::launch(&self.program, &self.setup, self.port, self.dir.path()) {
            Ok(process) => self.process = process,
            Err(said) => panic!("{} can't be started again:\n{said}", self.program.version),
        }
    }

    /// Stops it where it stands: its port is open, and nothing is answered.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.pid().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Sends a command on a connection of its own and answers with what came back as text: the
    /// elements of an array one a line.
    ///
    /// # Errors
    /// What the server said against it, or that it can't be reached.
    pub fn command(&self, words: &[&str]) -> Result<String, String> {
        command::send(self.port, self.setup.password.as_deref(), words)
    }
}

impl Process {
    /// A server that is ready, or what it said before it ended, as where the port is taken.
    fn launch(program: &Program, setup: &Setup, port: u16, dir: &Path) -> Result<Self, String> {
        let mut child = Command::new(&program.path)
            .args(setup.command_line(program, port, dir))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(dir.join(STDERR)).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{} can't be run: {error}", program.path.display()));
        let (log, ready) = Log::read(child.stdout.take().unwrap());
        let mut process = Self { child, log };
        let started = ready.wait(START_PATIENCE);
        if started == Started::Ready {
            return Ok(process);
        }
        process.kill();
        let stderr = std::fs::read_to_string(dir.join(STDERR)).unwrap();
        Err(format!("{}{stderr}({started:?} within {START_PATIENCE:?})", process.log.text()))
    }

    fn kill(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.log.end();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests;
