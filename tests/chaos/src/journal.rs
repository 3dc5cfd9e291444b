//! Where everybody's words are written down while a run goes on.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gristmill_job::{JobId, NewJob, time};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::history::{Accepted, Kill, ProcessNumber, Seen, What};
use crate::trace;

/// What was told so far.
#[derive(Debug)]
pub(crate) struct Journal {
    start: Instant,
    pages: Mutex<Pages>,
    /// Rings with each line that tells of an attempt.
    bell: Notify,
    /// Where every line is kept, for whoever looks into a failure.
    file: Option<Mutex<File>>,
}

/// What was told, by who told it.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) kills: Vec<Kill>,
    pub(crate) rollbacks: Vec<Duration>,
    pub(crate) answers: Answers,
    processes: usize,
}

/// What producers were answered.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Answers {
    /// Jobs that were refused since their unique key was held.
    pub(crate) conflicts: usize,
    /// Jobs that were there already, by a request whose answer never came.
    pub(crate) duplicates: usize,
    /// Requests that had to be sent again.
    pub(crate) unknown: usize,
}

impl Journal {
    /// A journal that also keeps everything in a file, if one is named.
    pub(crate) fn open(file: Option<&Path>) -> io::Result<Self> {
        let file = file.map(File::create).transpose()?.map(Mutex::new);
        Ok(Self { start: time::monotonic(), pages: Mutex::default(), bell: Notify::new(), file })
    }

    /// Keeps a line.
    pub(crate) fn note(&self, who: &str, line: &str) {
        if let Some(file) = &self.file {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let at = self.now().as_secs_f64();
            // It helps people alone; a full disk is no reason to end the run.
            let _ = writeln!(file, "{at:9.3} {who}: {}", line.trim_end());
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new_process(&self) -> ProcessNumber {
        let mut pages = self.pages();
        pages.processes += 1;
        ProcessNumber(pages.processes - 1)
    }

    /// Takes a line of a worker's log down, if it tells of an attempt.
    pub(crate) fn read(&self, process: ProcessNumber, line: &str) {
        self.note(&format!("process {}", process.0), line);
        if let Some((job, attempt, what)) = trace::read(line) {
            let at = self.now();
            self.pages().seen.push(Seen { at, process, job, attempt, what });
            self.bell.notify_waiters();
        }
    }

    /// Waits for the next word about an attempt; whatever is told from this call on counts.
    pub(crate) fn more(&self) -> Notified<'_> {
        self.bell.notified()
    }

    pub(crate) fn accept(&self, job: &NewJob) {
        let at = self.now();
        self.pages().accepted.push(Accepted { id: job.id, queue: job.queue.clone(), at });
    }

    /// A process is killed now; `alone` if nothing else goes wrong until its jobs run again.
    pub(crate) fn kill(&self, process: ProcessNumber, alone: bool) {
        let at = self.now();
        self.pages().kills.push(Kill { at, process, alone });
    }

    pub(crate) fn roll_back(&self) {
        let at = self.now();
        self.pages().rollbacks.push(at);
    }

    /// The jobs that a process has begun and not told the end of.
    pub(crate) fn held_by(&self, process: ProcessNumber) -> HashSet<JobId> {
        let mut held = HashSet::new();
        // A process holds a job in one attempt at a time.
        for seen in self.pages().seen.iter().filter(|seen| seen.process == process) {
            if seen.what == What::Begun {
                held.insert(seen.job);
            } else {
                held.remove(&seen.job);
            }
        }
        held
    }
}
