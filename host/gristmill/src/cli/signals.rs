//! Ctrl-C and its like: the first asks to stop, the second insists.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gristmill::CancellationToken;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::error::Error;

/// How long the process has to end by itself after the second signal.
const ABORT_PATIENCE: Duration = Duration::from_secs(1);
/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// What signals were heard. From [`Signals::listen`] on, none of them ends the process by itself, so
/// whoever listens must act on them.
pub(crate) struct Signals {
    was: Arc<OnceLock<Heard>>,
    listener: JoinHandle<()>,
}

/// Which signal was first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Ctrl-C.
    Interrupt,
    /// What supervisors send.
    Terminate,
}

impl Signals {
    /// Begins to listen: the first signal cancels `stop`, the second `abort`.
    pub(crate) fn listen(stop: CancellationToken, abort: CancellationToken) -> Result<Self, Error> {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Threads)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Error::Threads)?;
        let was = Arc::new(OnceLock::new());
        let heard = Arc::clone(&was);
        let listener = tokio::runtime::Handle::current().spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = interrupt.recv() => Heard::Interrupt,
                    _ = terminate.recv() => Heard::Terminate,
                }
            };
            let signal = next().await;
            heard.get_or_init(|| signal);
            stop.cancel();
            next().await;
            abort.cancel();
            tokio::time::sleep(ABORT_PATIENCE).await;
            // Something hangs where nothing can reach it, such as in writing to a pipe that nobody
            // reads.
            std::process::exit(INTERRUPTED);
        });
        Ok(Self { was, listener })
    }

    /// Which signal was first, if there was one.
    pub(crate) fn heard(&self) -> Option<Heard> {
        self.was.get().copied()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
