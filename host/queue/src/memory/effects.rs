//! What a step does to others once the lock is free again.

use std::sync::Arc;

use gristmill_job::Job;
use tokio::sync::{Notify, oneshot};

use super::line::{Line, LineKey};
use super::record::Record;

/// What a step does to others once the lock is free again: waking a task can cost a system call,
/// and freeing a record a dozen calls of the allocator.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Lines in which jobs became ready, or are due sooner.
    ready: Vec<LineKey>,
    bells: Vec<Arc<Notify>>,
    news: Vec<(Vec<oneshot::Sender<Job>>, Job)>,
    garbage: Vec<Record>,
}

impl Effects {
    /// A job became ready in a line.
    pub(super) fn note_ready(&mut self, key: LineKey, line: &mut Line) {
        if line.fresh == 0 {
            self.ready.push(key);
        }
        line.fresh += 1;
    }

    /// The next scheduled job of a line is due sooner than before.
    pub(super) fn note_sooner(&mut self, key: LineKey, line: &mut Line) {
        if !line.is_sooner {
            self.ready.push(key);
        }
        line.is_sooner = true;
    }

    pub(super) fn ring(&mut self, bell: &Arc<Notify>) {
        self.bells.push(Arc::clone(bell));
    }

    pub(super) fn tell(&mut self, waiters: Vec<oneshot::Sender<Job>>, job: Job) {
        self.news.push((waiters, job));
    }

    /// As many records may be disposed of in this step.
    pub(super) fn expect(&mut self, records: usize) {
        self.garbage.reserve(records);
    }

    pub(super) fn dispose(&mut self, record: Record) {
        self.garbage.push(record);
    }

    /// Chooses who is to be woken for the jobs that became ready in this step and still are: one
    /// hungry worker for each job at most, and one to hear when the next job is due.
    pub(super) fn call_hungry(&mut self, lines: &mut [Line]) {
        for key in std::mem::take(&mut self.ready) {
            let line = &mut lines[key.0];
            let fresh = std::mem::take(&mut line.fresh).min(line.ready.len());
            let sooner = usize::from(std::mem::take(&mut line.is_sooner));
            if line.paused {
                continue;
            }
            let called = fresh.max(sooner).min(line.hungry.len());
            self.bells.extend(line.hungry.drain(..called).map(|(_, bell)| bell));
        }
    }

    /// To be called without the lock.
    pub(super) fn carry_out(self) {
        for bell in self.bells {
            bell.notify_one();
        }
        for (waiters, job) in self.news {
            for waiter in waiters {
                // One who doesn't wait any more need not be told.
                let _ = waiter.send(job.clone());
            }
        }
    }
}
