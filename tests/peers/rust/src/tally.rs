//! What a worker writes down for the measurement, in a file that only grows.
//!
//! `ready NS` is its first line. `r NUMBER NS` says that the job of this number was run, and is how the
//! measurement knows that each was run once. `s COUNT NS` says that by then the queue had so many jobs
//! settled; a worker that writes such lines says so by `settles` behind its first one.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use crate::clock;

/// How often lines are written: a system call for each would be most of what a job costs.
const WRITE_INTERVAL: Duration = Duration::from_millis(5);

/// Lines that aren't written yet, and the file that they go to.
pub(crate) struct Tally {
    pending: Mutex<Pending>,
}

struct Pending {
    file: File,
    lines: String,
    settled: usize,
    settled_at: u64,
    settled_written: usize,
}

impl Tally {
    pub(crate) fn create(path: &Path) -> Result<Arc<Self>> {
        let file = File::create(path)?;
        let (settled, settled_at, settled_written) = (0, 0, 0);
        let lines = String::new();
        let pending = Pending { file, lines, settled, settled_at, settled_written };
        Ok(Arc::new(Self { pending: Mutex::new(pending) }))
    }

    pub(crate) fn ready(&self) -> Result<()> {
        self.with(|pending| writeln!(pending.lines, "ready {} settles", clock::now()))?;
        self.write()
    }

    /// A job with this payload was run.
    pub(crate) fn ran(&self, payload: &str) {
        let number = payload.get(..8).and_then(|digits| digits.parse::<usize>().ok());
        let number = number.unwrap_or(usize::MAX);
        // Writing to memory can't fail.
        let _ = self.with(|pending| writeln!(pending.lines, "r {number} {}", clock::now()));
    }

    /// One more job is settled.
    pub(crate) fn settled_one(&self) {
        self.with(|pending| {
            pending.settled += 1;
            pending.settled_at = clock::now();
        });
    }

    /// So many jobs are settled, by the queue's own count.
    pub(crate) fn settled_so_far(&self, count: usize) {
        self.with(|pending| {
            if count > pending.settled {
                pending.settled = count;
                pending.settled_at = clock::now();
            }
        });
    }

    pub(crate) fn write(&self) -> Result<()> {
        self.with(|pending| {
            if pending.settled > pending.settled_written {
                let (count, at) = (pending.settled, pending.settled_at);
                writeln!(pending.lines, "s {count} {at}")?;
                pending.settled_written = count;
            }
            pending.file.write_all(pending.lines.as_bytes())?;
            pending.lines.clear();
            Ok(())
        })
    }

    /// Writes what comes, for as long as it is polled.
    pub(crate) async fn keep_writing(&self) -> Result<()> {
        let mut ticks = tokio::time::interval(WRITE_INTERVAL);
        loop {
            ticks.tick().await;
            self.write()?;
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Pending) -> T) -> T {
        change(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
