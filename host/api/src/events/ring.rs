//! The last events, and what is known of the attempts that run.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use gristmill_job::{JobId, NewJob, Timestamp, WorkerId};
use gristmill_worker::Event;

use super::view::{EventError, EventKind, EventView};
use crate::limits;
use crate::workers::{RunningView, Working};

/// The last events, and what is known of the attempts that run.
#[derive(Default)]
pub(super) struct Ring {
    /// The number of the oldest event that is kept.
    first: u64,
    events: VecDeque<Arc<EventView>>,
    bytes: usize,
    running: HashMap<JobId, RunningView>,
    workers: Vec<(WorkerId, Timestamp)>,
}

impl Ring {
    /// Keeps an event; the number of the next one.
    pub(super) fn push(&mut self, event: &Event, at: Timestamp) -> u64 {
        if let Some(view) = self.read(event, at) {
            self.bytes += view.bytes();
            self.events.push_back(Arc::new(view));
        }
        while self.events.len() > limits::EVENTS_MAX || self.bytes > limits::EVENTS_BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.first += 1;
        }
        self.next()
    }

    /// The number of the oldest event that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The number of the event that comes next.
    pub(super) fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Some events from this number on; none where it is older than the oldest.
    pub(super) fn from(&self, number: u64) -> Option<impl Iterator<Item = &Arc<EventView>>> {
        let skipped = usize::try_from(number.checked_sub(self.first)?).ok()?;
        Some(self.events.iter().skip(skipped).take(limits::EVENTS_AT_ONCE))
    }

    /// The workers that have begun and not ended. All that runs here is the last one's.
    pub(super) fn workers(&self) -> Vec<Working> {
        let mut running: Vec<RunningView> = self.running.values().cloned().collect();
        running.sort_by_key(|attempt| (attempt.started_at, attempt.job));
        let last = self.workers.len().saturating_sub(1);
        let working = |(index, (id, started_at)): (usize, &(WorkerId, Timestamp))| Working {
            id: *id,
            started_at: *started_at,
            running: if index == last { std::mem::take(&mut running) } else { Vec::new() },
        };
        self.workers.iter().enumerate().map(working).collect()
    }

    fn read(&mut self, event: &Event, at: Timestamp) -> Option<EventView> {
        use EventKind as K;
        let of = |kind| EventView::new(kind, at);
        Some(match event {
            Event::WorkerStarted { worker } => {
                // Under a new id it is the same worker, and holds nothing any more.
                self.workers = vec![(*worker, at)];
                EventView { worker: Some(*worker), ..of(K::WorkerStarted) }
            }
            Event::WorkerStopped { worker } => {
                self.workers.retain(|(id, _)| id != worker);
                self.running.clear();
                EventView { worker: Some(*worker), ..of(K::WorkerStopped) }
            }
            Event::AttemptStarted { job, attempt } => {
                let running = running(job, *attempt, at);
                let view = about(of(K::AttemptStarted), &running);
                if self.running.len() < limits::RUNNING_MAX {
                    self.running.insert(job.id, running);
                }
                view
            }
            Event::Logged { job, line } => {
                let view = self.known(of(K::Logged), *job, Some(line.attempt));
                EventView { level: Some(line.level), message: text(&line.message), ..view }
            }
            Event::Progressed { job, progress } => {
                let view = self.known(of(K::Progressed), *job, None);
                let message = progress.note.as_deref().and_then(text);
                EventView { done: Some(progress.done), total: progress.total, message, ..view }
            }
            Event::Settled { job, attempt, outcome, state, error, usage, .. } => {
                self.running.remove(&job.id);
                let error = error.as_ref().map(|error| EventError {
                    code: cut(&error.code).to_owned(),
                    message: cut(&error.message).to_owned(),
                });
                EventView {
                    outcome: Some(*outcome),
                    state: Some(state.name()),
                    error,
                    wall_us: Some(usage.wall_us.used),
                    ..about(of(K::Settled), &running(job, *attempt, at))
                }
            }
            Event::Released { job, attempt, reason } => {
                self.running.remove(&job.id);
                let view = about(of(K::Released), &running(job, *attempt, at));
                EventView { message: text(reason), ..view }
            }
            Event::Deferred { job, attempt } => self.ended(of(K::Deferred), *job, *attempt),
            Event::Stopped { job, attempt } => self.known(of(K::Stopped), *job, Some(*attempt)),
            Event::LeaseLost { job, attempt } => self.ended(of(K::LeaseLost), *job, *attempt),
            Event::QueueUnavailable { queue, error } => {
                let queue = Some(queue.clone());
                EventView { queue, message: text(error), ..of(K::QueueUnavailable) }
            }
            Event::QueueAvailable { queue } => {
                EventView { queue: Some(queue.clone()), ..of(K::QueueAvailable) }
            }
            // A kind that this API doesn't know yet.
            _ => return None,
        })
    }

    /// An event of an attempt of which only the job is said.
    fn known(&self, view: EventView, job: JobId, attempt: Option<u32>) -> EventView {
        match self.running.get(&job) {
            Some(running) => about(view, running),
            None => EventView { job: Some(job), attempt, ..view },
        }
    }

    /// The last event of an attempt of which only the job is said.
    fn ended(&mut self, view: EventView, job: JobId, attempt: u32) -> EventView {
        let view = self.known(view, job, Some(attempt));
        self.running.remove(&job);
        view
    }
}

/// What is kept of a running attempt: not its input, which may be large.
fn running(job: &NewJob, attempt: u32, at: Timestamp) -> RunningView {
    RunningView {
        job: job.id,
        queue: job.queue.clone(),
        plugin: job.plugin.clone(),
        function: job.function.clone(),
        attempt,
        started_at: at,
    }
}

fn about(view: EventView, running: &RunningView) -> EventView {
    EventView {
        job: Some(running.job),
        queue: Some(running.queue.clone()),
        plugin: Some(running.plugin.clone()),
        function: running.function.clone(),
        attempt: Some(running.attempt),
        ..view
    }
}

fn text(text: &str) -> Option<String> {
    Some(cut(text).to_owned())
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(limits::EVENT_TEXT_BYTES_MAX)]
}
