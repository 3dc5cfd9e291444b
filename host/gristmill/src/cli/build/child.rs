//! Programs that build, which end with whoever started them.

use std::process::{ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::cli::error::Error;

/// What a tool that is quiet otherwise may say before the rest is left out.
const SAID_BYTES_MAX: u64 = 1 << 20;

/// A running program with all that it starts: compilers start more of them. Dropped, they are killed.
struct Group {
    child: Child,
    /// Until the program has ended by itself.
    id: Option<Pid>,
}

impl Group {
    fn start(mut command: Command) -> Result<Self, Error> {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        // A group of its own, which a terminal's Ctrl-C doesn't reach: it is ended with this value.
        command.process_group(0).stdin(Stdio::null()).kill_on_drop(true);
        let child = command
            .spawn()
            .map_err(|error| Error::Build(format!("{program} can't be started: {error}")))?;
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, id })
    }

    async fn end(&mut self) -> Result<ExitStatus, Error> {
        let status = self.child.wait().await;
        // What it has left running, such as a compiler's server, is meant to stay.
        self.id = None;
        status.map_err(|error| Error::Build(format!("a program was lost: {error}")))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // It may have ended since.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

/// Runs a program to its end and hands each line of its stdout to `hear`; stderr is this program's.
pub(super) async fn listened(
    mut command: Command,
    mut hear: impl FnMut(&str),
) -> Result<ExitStatus, Error> {
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut group = Group::start(command)?;
    if let Some(stdout) = group.child.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            hear(&line);
        }
    }
    group.end().await
}

/// Runs a program to its end, and keeps the beginning of what it says.
pub(super) async fn quiet(mut command: Command) -> Result<Output, Error> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::start(command)?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let (stdout, stderr) = tokio::join!(said(stdout), said(stderr));
    Ok(Output { status: group.end().await?, stdout, stderr })
}

async fn said(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut data = Vec::new();
    if let Some(mut pipe) = pipe {
        // What can't be read any more is what it said last.
        let _ = (&mut pipe).take(SAID_BYTES_MAX).read_to_end(&mut data).await;
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn what_a_program_says_is_kept_apart() {
        let said = quiet(shell("echo out; echo err >&2; exit 3")).await.unwrap();
        assert_eq!((said.stdout, said.stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
        assert_eq!(said.status.code(), Some(3));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = quiet(Command::new("no-such-program")).await.unwrap_err().to_string();
        assert!(error.starts_with("no-such-program can't be started: "), "{error}");
    }

    /// The pipe closes once its last writer is gone, which is what a program's own child is.
    #[tokio::test]
    async fn what_a_program_has_started_ends_with_it() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("sleep 1000 & echo started; wait");
        command.stderr(writer).stdout(Stdio::piped());
        let mut group = Group::start(command).unwrap();
        let mut lines = BufReader::new(group.child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("started"));
        drop(group);
        let read = tokio::task::spawn_blocking(move || std::io::read_to_string(reader));
        assert_eq!(read.await.unwrap().unwrap(), "");
    }
}
