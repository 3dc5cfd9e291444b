//! Where dispatcher and executors meet: jobs to run on one side, what came of them on the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gristmill_job::{Digest, JobId, RetryPolicy};
use gristmill_queue::{Held, Leased};
use gristmill_runtime::{LoadError, Note, Notes, Report, Stop};
use tokio::sync::Notify;

use crate::config;
use crate::event::{Event, Observer};

/// A leased job on its way through an executor.
pub(crate) struct Task {
    /// The queue that it came from, as the dispatcher numbers them.
    pub(crate) queue: usize,
    pub(crate) leased: Leased,
    /// Ends the attempt.
    pub(crate) stop: Stop,
}

/// What came of a task.
pub(crate) struct Finished {
    pub(crate) queue: usize,
    pub(crate) leased: Leased,
    pub(crate) ended: Ended,
    pub(crate) took: Duration,
}

#[expect(
    clippy::large_enum_variant,
    reason = "most are the large one, and a box would be freed by another thread than made it"
)]
pub(crate) enum Ended {
    /// The attempt came to an outcome, and is tried again by this policy.
    Attempted { digest: Digest, report: Report, retry: RetryPolicy },
    /// It was stopped before it began.
    NotStarted,
    /// As many attempts of its function as may run and wait do so already.
    Busy,
    /// Its plugin can't be had here.
    NoPlugin(LoadError),
    /// The host is unwell.
    HostUnwell(String),
    /// The host panicked in the middle of the attempt. This counts: a job that does it every time
    /// must come to an end.
    HostPanicked,
}

/// What running attempts have to say, by queue.
pub(crate) type NoteBox = Vec<(usize, gristmill_queue::Note)>;

pub(crate) struct Board {
    ready: Apart<Mutex<Ready>>,
    finished: Apart<Mutex<Vec<Finished>>>,
    /// Tasks that wait for an executor; kept beside the lock, so that finishing needn't take it.
    waiting: AtomicUsize,
    /// The dispatcher waits for company of what has finished, or will have.
    is_patient: AtomicBool,
    notes: Mutex<NoteBox>,
    /// Something for the dispatcher to fetch.
    signal: Notify,
    observer: Arc<dyn Observer>,
}

/// Something that has its cache lines for itself: threads that take one lock shouldn't slow those that take
/// another. Processors fetch lines in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Apart<T>(T);

#[derive(Default)]
struct Ready {
    tasks: VecDeque<Task>,
    idle: Vec<Arc<Notify>>,
    closed: bool,
}

impl Board {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Self {
        Self {
            ready: Apart::default(),
            finished: Apart::default(),
            waiting: AtomicUsize::new(0),
            is_patient: AtomicBool::new(false),
            notes: Mutex::default(),
            signal: Notify::new(),
            observer,
        }
    }

    pub(crate) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    /// Gives tasks to the executors. One of them is woken; each wakes the next while there is more,
    /// so that a batch of short jobs doesn't wake more executors than there are threads.
    pub(crate) fn put(&self, tasks: impl Iterator<Item = Task>) {
        let mut ready = lock(&self.ready.0);
        ready.tasks.extend(tasks);
        self.waiting.store(ready.tasks.len(), Ordering::Relaxed);
        let wake = if ready.tasks.is_empty() { None } else { ready.idle.pop() };
        drop(ready);
        if let Some(executor) = wake {
            executor.notify_one();
        }
    }

    /// Takes a task, or waits for one; none: the board is closed.
    pub(crate) async fn take(&self, me: &Arc<Notify>) -> Option<Task> {
        loop {
            {
                let mut ready = lock(&self.ready.0);
                if let Some(task) = ready.tasks.pop_front() {
                    self.waiting.store(ready.tasks.len(), Ordering::Relaxed);
                    let next = if ready.tasks.is_empty() { None } else { ready.idle.pop() };
                    drop(ready);
                    if let Some(executor) = next {
                        executor.notify_one();
                    }
                    return Some(task);
                }
                if ready.closed {
                    return None;
                }
                ready.idle.push(Arc::clone(me));
            }
            me.notified().await;
        }
    }

    /// Takes back what no executor has begun.
    pub(crate) fn take_back(&self) -> Vec<Task> {
        let mut ready = lock(&self.ready.0);
        self.waiting.store(0, Ordering::Relaxed);
        ready.tasks.drain(..).collect()
    }

    /// Ends the executors once they are done with what they have.
    pub(crate) fn close(&self) {
        let mut ready = lock(&self.ready.0);
        ready.closed = true;
        for executor in ready.idle.drain(..) {
            executor.notify_one();
        }
    }

    /// Puts back what came of a task. The dispatcher is told of the first one, unless it waits for company
    /// already, and when waiting makes no sense: there are enough, or executors have run dry.
    pub(crate) fn finish(&self, finished: Finished) {
        let count = {
            let mut all = lock(&self.finished.0);
            all.push(finished);
            all.len()
        };
        let is_first = count == 1 && !self.is_patient.load(Ordering::Relaxed);
        if is_first || count == config::FLUSH_ITEMS || self.runs_dry() {
            self.signal.notify_one();
        }
    }

    /// Whether executors have nothing to take.
    pub(crate) fn runs_dry(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// Whether a cycle is worth its while now.
    pub(crate) fn is_worth_a_cycle(&self) -> bool {
        self.runs_dry() || lock(&self.finished.0).len() >= config::FLUSH_ITEMS
    }

    /// The dispatcher waits for company of what has finished or will have, as long as it holds this: it need
    /// not be told of the first. It looks once more when it holds it no longer.
    pub(crate) fn patience(&self) -> Patience<'_> {
        self.is_patient.store(true, Ordering::Relaxed);
        Patience(self)
    }

    /// Whether something has finished. Whatever does after this was asked is told of: the lock sees to the
    /// order.
    pub(crate) fn has_finished(&self) -> bool {
        !lock(&self.finished.0).is_empty()
    }

    /// Takes what came of tasks, in exchange for a list that is empty and has had room for as many: executors
    /// shouldn't have to make it grow while they hold the lock.
    pub(crate) fn take_finished(&self, empty: Vec<Finished>) -> Vec<Finished> {
        std::mem::replace(&mut *lock(&self.finished.0), empty)
    }

    pub(crate) fn take_notes(&self) -> NoteBox {
        std::mem::take(&mut *lock(&self.notes))
    }

    /// Waits until there may be something to fetch. Safe to drop.
    pub(crate) async fn signalled(&self) {
        self.signal.notified().await;
    }
}

/// See [`Board::patience`].
pub(crate) struct Patience<'a>(&'a Board);

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        self.0.is_patient.store(false, Ordering::Relaxed);
    }
}

/// The notes of one queue's attempts.
pub(crate) struct QueueNotes {
    pub(crate) board: Arc<Board>,
    pub(crate) queue: usize,
}

impl Notes for QueueNotes {
    fn note(&self, job: JobId, attempt: u32, note: Note) {
        let held = Held { id: job, attempt };
        let note = match note {
            Note::Progress(progress) => {
                let event = Event::Progressed { job, progress: progress.clone() };
                self.board.observer().observe(&event);
                gristmill_queue::Note::Progress(held, progress)
            }
            Note::Checkpoint(payload) => gristmill_queue::Note::Checkpoint(held, payload),
            Note::Log(line) => {
                self.board.observer().observe(&Event::Logged { job, line: line.clone() });
                gristmill_queue::Note::Log(held, vec![line])
            }
        };
        let first = {
            let mut notes = lock(&self.board.notes);
            let first = notes.is_empty();
            if matches!(note, gristmill_queue::Note::Checkpoint(..)) {
                // Only the last one counts, and until the queue can be reached there may come as
                // many as a job can call the host.
                notes.retain(|(_, earlier)| {
                    !matches!(earlier, gristmill_queue::Note::Checkpoint(of, _) if *of == held)
                });
            }
            notes.push((self.queue, note));
            first
        };
        if first {
            self.board.signal.notify_one();
        }
    }
}

/// Nothing is left half done by a panic in these short sections.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use gristmill_job::{NewJob, Payload, Progress, Timestamp};

    use super::*;

    fn a_task() -> Task {
        let job = NewJob::new("echo".parse().unwrap(), Payload::none());
        let leased = Leased {
            spec: Arc::new(job),
            attempt: 1,
            failures: 0,
            crashes: 0,
            enqueued_at: Timestamp::from_millis(0),
            checkpoint: None,
        };
        Task { queue: 0, leased, stop: Stop::new() }
    }

    #[test]
    fn a_patient_dispatcher_is_told_when_there_are_enough_or_executors_have_run_dry() {
        let board = Board::new(Arc::new(()));
        let is_told = || board.signalled().now_or_never().is_some();
        let finish = |task: Task| {
            let Task { queue, leased, .. } = task;
            let (ended, took) = (Ended::NotStarted, Duration::ZERO);
            board.finish(Finished { queue, leased, ended, took });
        };
        board.put(std::iter::once(a_task()));
        finish(a_task());
        assert!(is_told(), "of the first");
        drop(board.take_finished(Vec::new()));
        let patience = board.patience();
        for _ in 1..config::FLUSH_ITEMS {
            finish(a_task());
            assert!(!is_told());
        }
        finish(a_task());
        assert!(is_told(), "there are enough");
        drop(board.take_back());
        finish(a_task());
        assert!(is_told(), "nothing is left to take");
        drop(patience);
        drop(board.take_finished(Vec::new()));
        board.put(std::iter::once(a_task()));
        finish(a_task());
        assert!(is_told() && board.has_finished(), "of the first again");
    }

    #[test]
    fn of_an_attempts_checkpoints_only_the_last_waits_for_the_queue() {
        let notes = QueueNotes { board: Arc::new(Board::new(Arc::new(()))), queue: 0 };
        let (one, other) = (JobId::random(), JobId::random());
        notes.note(one, 1, Note::Progress(Progress { done: 1, total: None, note: None }));
        for state in ["a", "b", "c"] {
            notes.note(one, 1, Note::Checkpoint(Payload::text(state)));
            notes.note(other, 1, Note::Checkpoint(Payload::text(state)));
        }
        let kept = notes.board.take_notes();
        let states = kept.iter().filter_map(|(_, note)| match note {
            gristmill_queue::Note::Checkpoint(held, state) => Some((held.id, state.clone())),
            _ => None,
        });
        let last = Payload::text("c");
        assert_eq!(states.collect::<Vec<_>>(), [(one, last.clone()), (other, last)]);
        assert_eq!(kept.len(), 3, "what is no checkpoint is kept");
    }
}
