//! What a server prints: read to its end, since a full pipe would stop the server.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Lines that are kept to be shown with a failure.
const LINES_KEPT_MAX: usize = 100;

/// The log line by which a server says that its data is loaded and its port is open.
const READY: &str = "ready to accept connections";

/// A thread that reads what one run of a server prints.
#[derive(Debug)]
pub(crate) struct Log {
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: Option<JoinHandle<()>>,
}

/// How a start went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Started {
    Ready,
    Ended,
    TooSlow,
}

/// Hears once that a server is ready, or that it has ended before.
#[derive(Debug)]
pub(crate) struct Ready(Receiver<()>);

impl Ready {
    pub(crate) fn wait(self, patience: Duration) -> Started {
        match self.0.recv_timeout(patience) {
            Ok(()) => Started::Ready,
            Err(RecvTimeoutError::Disconnected) => Started::Ended,
            Err(RecvTimeoutError::Timeout) => Started::TooSlow,
        }
    }
}

impl Log {
    pub(crate) fn read(stdout: ChildStdout) -> (Self, Ready) {
        let lines = Arc::default();
        let (tell_ready, ready) = sync_channel(1);
        let kept = Arc::clone(&lines);
        let reader = std::thread::spawn(move || read_to_end(stdout, &kept, &tell_ready));
        (Self { lines, reader: Some(reader) }, Ready(ready))
    }

    /// The last lines.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect()
    }

    /// Waits for the last line of a server that has ended.
    pub(crate) fn end(&mut self) {
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has nothing more to say.
            let _ = reader.join();
        }
    }
}

fn read_to_end(stdout: ChildStdout, kept: &Mutex<VecDeque<String>>, tell_ready: &SyncSender<()>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    while stdout.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line.to_ascii_lowercase().contains(READY) {
            // Said once for each socket; whoever waits needs it once.
            let _ = tell_ready.try_send(());
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == LINES_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(std::mem::take(&mut line));
    }
}
