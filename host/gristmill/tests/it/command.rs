//! Running the binary.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

/// What a run of the binary left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// The top folder of the checkout, in which the binary is run.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert!(root.join("target/plugins/wordcount.wasm").exists(), "run `make plugins`");
    root
}

/// The binary with these arguments, and nothing of the environment's own wishes.
pub(crate) fn gristmill(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gristmill"));
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    // What is compiled for tests is kept for tests alone.
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("GRISTMILL_") || text.starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs to the end.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    ran(gristmill(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// Runs to the end with something to read from stdin.
pub(crate) fn run_with(arguments: &[&str], stdin: &[u8]) -> Ran {
    let mut command = gristmill(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may say no before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    ran(child)
}

/// Waits for the end.
pub(crate) fn ran(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Ran { code: output.status.code(), stdout: output.stdout, stderr }
}

impl Ran {
    /// Expects the exit code, nothing on stdout, and one line on stderr that says this.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, says: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stdout.is_empty(), "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap();
        assert!(line.starts_with("gristmill: ") && !line.contains('\n'), "{line}");
        assert!(line.contains(says), "{line}");
    }

    /// Expects success, and answers with stdout.
    #[track_caller]
    pub(crate) fn completed(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// A process that is told to go by signals, or is killed where a test ends before it.
pub(crate) struct Running {
    child: Option<Child>,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::launch(gristmill(arguments))
    }

    /// Starts what was prepared.
    pub(crate) fn launch(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child: Some(child), stderr }
    }

    /// Reads stderr up to the first line that says this.
    #[track_caller]
    pub(crate) fn until(&mut self, says: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "no {says:?} in {seen}");
            if line.contains(says) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    /// Reads stderr up to the address that a daemon listens on.
    #[track_caller]
    pub(crate) fn url(&mut self) -> String {
        let line = self.until("listening on http://");
        // What comes after it is the end of the line, or of a text in JSON.
        let url = line[line.find("http://").unwrap()..].split(['"', '\n']).next();
        url.unwrap().trim().to_owned()
    }

    /// Reads stderr until each of these was said, in whatever order.
    #[track_caller]
    pub(crate) fn until_all(&mut self, says: &[&str]) {
        let mut left = says.to_vec();
        while !left.is_empty() {
            let mut line = String::new();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "nobody said {left:?}");
            left.retain(|says| !line.contains(says));
        }
    }

    /// Nobody reads its output any more.
    pub(crate) fn close_stdout(&mut self) {
        drop(self.child.as_mut().unwrap().stdout.take());
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ran {
        let mut stderr = String::new();
        // What tests print on stdout fits into its pipe while stderr is read to its end.
        self.stderr.read_to_string(&mut stderr).unwrap();
        let ran = ran(self.child.take().unwrap());
        Ran { stderr, ..ran }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
