//! A daemon as a process of its own, whose log is read to the last line.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::history::ProcessNumber;
use crate::journal::Journal;

/// How long a daemon may take to start: it compiles its plugins, on a machine that may be busy.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// How long a daemon may take to end that is told to: its running jobs have ten seconds' grace, and
/// its last settlements five more.
const END_PATIENCE: Duration = Duration::from_secs(20);

/// What a daemon says once it works.
const READY: &str = " listening on http://";

/// A daemon that runs.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) number: ProcessNumber,
    child: Child,
    reader: Option<JoinHandle<()>>,
    /// Says that it works, or why it doesn't, and is closed with its log.
    told: Receiver<Result<(), String>>,
}

impl Process {
    /// Starts a daemon and waits until it works.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        journal: &Arc<Journal>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GRISTMILL_") {
                command.env_remove(name);
            }
        }
        if let Some(folder) = program.parent() {
            // What is compiled is kept beside the program, not among its user's own things.
            command.env("XDG_CACHE_HOME", folder.join("cache"));
        }
        let mut child =
            command.spawn().with_context(|| format!("failed to run {}", program.display()))?;
        let stderr = child.stderr.take().context("a pipe was asked for")?;
        let (number, journal) = (journal.new_process(), Arc::clone(journal));
        let (tell, told) = sync_channel(1);
        let reader = std::thread::spawn(move || read_to_end(stderr, number, &journal, &tell));
        let process = Self { number, child, reader: Some(reader), told };
        match process.told.recv_timeout(START_PATIENCE) {
            Ok(Ok(())) => Ok(process),
            Ok(Err(said)) => bail!("a daemon ended instead of starting:\n{said}"),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                bail!("a daemon didn't start within {START_PATIENCE:?}")
            }
        }
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status()?;
        ensure!(sent.success(), "process {id} can't be sent {name}");
        Ok(())
    }

    /// Waits for the end of one that was told to end.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        let ended = self.told.recv_timeout(END_PATIENCE);
        ensure!(
            ended == Err(RecvTimeoutError::Disconnected),
            "a daemon that was told to end goes on after {END_PATIENCE:?}"
        );
        let status = self.child.wait()?;
        ensure!(status.success(), "a daemon that was told to end did so with {status}");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            // A panic there was printed there.
            let _ = reader.join();
        }
    }
}

fn read_to_end(
    stderr: ChildStderr,
    number: ProcessNumber,
    journal: &Journal,
    tell: &SyncSender<Result<(), String>>,
) {
    let mut stderr = BufReader::new(stderr);
    let (mut said, mut line, mut is_ready) = (String::new(), String::new(), false);
    // Half a line was cut off by its writer's death, and tells nothing.
    while stderr.read_line(&mut line).is_ok() && line.ends_with('\n') {
        journal.read(number, &line);
        if !is_ready {
            said.push_str(&line);
        }
        if !is_ready && line.contains(READY) {
            is_ready = true;
            let _ = tell.try_send(Ok(()));
        }
        line.clear();
    }
    if !is_ready {
        let _ = tell.try_send(Err(said));
    }
}
