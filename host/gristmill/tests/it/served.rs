//! A daemon on a free port.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Ran, Running, root, run, run_with};

/// A daemon on a free port.
pub(crate) struct Daemon {
    pub(crate) running: Running,
    pub(crate) url: String,
    pub(crate) plugins: TempDir,
}

/// What a path of a server answers: status and body.
#[track_caller]
pub(crate) fn get(url: &str, path: &str) -> (u16, String) {
    get_with(url, path, "")
}

/// The same, with these lines in the head.
#[track_caller]
pub(crate) fn get_with(url: &str, path: &str, head: &str) -> (u16, String) {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    // An older HTTP, whose answers end with their connection and come in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {host}\r\n{head}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A folder with these components alone, so that no test waits for others to be compiled.
pub(crate) fn folder(components: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for component in components {
        let from = root().join("target").join(component);
        std::fs::copy(&from, dir.path().join(from.file_name().unwrap())).unwrap();
    }
    dir
}

impl Daemon {
    /// With the plugins that end by themselves.
    pub(crate) fn tame() -> Self {
        Self::tame_with(&[])
    }

    pub(crate) fn tame_with(arguments: &[&str]) -> Self {
        Self::start(folder(&["plugins/echo.wasm", "plugins/wordcount.wasm"]), arguments)
    }

    /// With the guests that don't.
    pub(crate) fn wild(arguments: &[&str]) -> Self {
        Self::start(folder(&["test-guests/spin.wasm", "test-guests/trap.wasm"]), arguments)
    }

    pub(crate) fn start(plugins: TempDir, arguments: &[&str]) -> Self {
        let dir = plugins.path().to_str().unwrap();
        let serve = ["serve", "--listen", "127.0.0.1:0", "--plugins", dir];
        let mut running = Running::start(&[&serve[..], arguments].concat());
        let url = running.url();
        Self { running, url, plugins }
    }

    /// What a path answers: status and body.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        get(&self.url, path)
    }

    pub(crate) fn end(self) -> Ran {
        self.running.end()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&[arguments, &["--server", &self.url]].concat())
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        run_with(&[arguments, &["--server", &self.url]].concat(), stdin.as_bytes())
    }

    /// Runs to a good end, and answers with the JSON object that is printed.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(ran.completed()).unwrap()
    }

    #[track_caller]
    pub(crate) fn enqueued(&self, arguments: &[&str]) -> String {
        let ran = self.run(&[&["enqueue"], arguments].concat());
        ran.completed().trim().to_owned()
    }

    /// The id of a job that failed for good.
    #[track_caller]
    pub(crate) fn failed(&self, arguments: &[&str]) -> String {
        let id = self.enqueued(&[&["trap", "--max-attempts", "1"], arguments].concat());
        assert_eq!(self.run(&["job", "wait", &id]).code, Some(1));
        id
    }
}
