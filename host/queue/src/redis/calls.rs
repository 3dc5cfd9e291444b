//! What a process's workers are told unasked: that a queue has something, or a job itself.
//!
//! A worker that waits is noted by its queue under the ticket of its last cycle. A job that is assigned
//! to it comes by letter, with the ticket. Letters and replies come over two connections; so from the
//! moment at which the next cycle is made, letters with older tickets are passed over: what they would
//! have brought is in that cycle's reply.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gristmill_job::{JobId, QueueName, WorkerId};
use tokio::sync::Notify;

use crate::{Leased, Woken};

/// Under which a worker is noted, and how a letter names it. The lowest bit says whether there is room
/// for more than one job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ticket(u32);

impl Ticket {
    /// For workers that are called, but are assigned nothing.
    pub(super) const CALL: Self = Self(0);

    pub(super) fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(bytes))
    }

    /// Whether there is room for more than one job.
    fn has_more_room(self) -> bool {
        self.0 & 1 == 1
    }
}

/// What came for a worker since its last cycle, for the next.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// The ticket of the cycle before.
    pub(super) previous: Ticket,
    /// The job that came by letter since, whether the worker has it already or not.
    pub(super) known: Option<JobId>,
    /// Jobs that came by letter and that the worker doesn't have yet.
    pub(super) jobs: Vec<Leased>,
}

/// What there is to be told to the workers of this process.
#[derive(Debug, Default)]
pub(super) struct Calls {
    workers: Mutex<HashMap<WorkerId, Called>>,
    /// The next ticket, but for its lowest bit.
    tickets: AtomicU32,
}

/// What there is to be told to one worker.
#[derive(Debug, Default)]
struct Called {
    bell: Arc<Notify>,
    /// Somebody has called it.
    ask: bool,
    queues: HashMap<QueueName, Line>,
}

/// What there is to be told of one queue to one worker.
#[derive(Debug, Default)]
struct Line {
    /// The queue calls the worker when it has something.
    calls: bool,
    ticket: Ticket,
    /// Letters with the ticket are heard.
    is_open: bool,
    known: Option<JobId>,
    assigned: Vec<Leased>,
}

impl Calls {
    /// The bell of a worker; it keeps one ring for a worker that isn't listening.
    pub(super) fn bell(&self, worker: WorkerId) -> Arc<Notify> {
        Arc::clone(&self.workers().entry(worker).or_default().bell)
    }

    /// Forgets a worker that is no more.
    pub(super) fn forget(&self, worker: WorkerId) {
        self.workers().remove(&worker);
    }

    /// A ticket for a worker's next cycle.
    pub(super) fn ticket(&self, has_more_room: bool) -> Ticket {
        let number = self.tickets.fetch_add(2, Ordering::Relaxed).wrapping_add(2);
        // After two thousand million cycles no letter of the first is on its way any more.
        Ticket(number.max(2) | u32::from(has_more_room))
    }

    /// Begins a cycle under a ticket: what came under the one before goes with it.
    pub(super) fn begin(&self, worker: WorkerId, queue: &QueueName, ticket: Ticket) -> Fetched {
        let mut workers = self.workers();
        let line = line(&mut workers, worker, queue);
        line.is_open = ticket != Ticket::CALL;
        line.calls = false;
        Fetched {
            previous: std::mem::replace(&mut line.ticket, ticket),
            known: line.known.take(),
            jobs: std::mem::take(&mut line.assigned),
        }
    }

    /// Whether a queue calls the worker, as its cycle said.
    pub(super) fn expect(&self, worker: WorkerId, queue: &QueueName, calls: bool) {
        line(&mut self.workers(), worker, queue).calls = calls;
    }

    /// Whether a queue calls a worker when it has something.
    pub(super) fn is_expected(&self, worker: WorkerId, queue: &QueueName) -> bool {
        let workers = self.workers();
        workers.get(&worker).and_then(|called| called.queues.get(queue)).is_some_and(|it| it.calls)
    }

    /// The queue and the worker are about to agree on what the worker holds, which is nothing that it
    /// doesn't have yet.
    pub(super) fn close(&self, worker: WorkerId, queue: &QueueName) {
        let mut workers = self.workers();
        let line = line(&mut workers, worker, queue);
        line.is_open = false;
        line.known = None;
        line.assigned.clear();
    }

    /// Takes what there is for a worker.
    pub(super) fn take(&self, worker: WorkerId) -> Woken {
        let mut workers = self.workers();
        let Some(called) = workers.get_mut(&worker) else { return Woken::default() };
        let ask = std::mem::take(&mut called.ask);
        let mut assigned = Vec::new();
        for (queue, line) in &mut called.queues {
            // One of the queues has called, and none calls any more until it is asked again.
            line.calls &= !ask && (line.assigned.is_empty() || line.ticket.has_more_room());
            assigned.extend(line.assigned.drain(..).map(|leased| (queue.clone(), leased)));
        }
        Woken { assigned, ask }
    }

    /// Calls a worker.
    pub(super) fn call(&self, worker: WorkerId) {
        if let Some(called) = self.workers().get_mut(&worker) {
            called.ask = true;
            called.bell.notify_one();
        }
    }

    /// Calls all workers.
    pub(super) fn call_all(&self) {
        for called in self.workers().values_mut() {
            called.ask = true;
            called.bell.notify_one();
        }
    }

    /// A job was assigned under a ticket.
    pub(super) fn assign(&self, worker: WorkerId, ticket: Ticket, leased: Leased) {
        let mut workers = self.workers();
        let Some(called) = workers.get_mut(&worker) else { return };
        let line = called.queues.values_mut().find(|line| line.is_open && line.ticket == ticket);
        if let Some(line) = line {
            line.known = Some(leased.spec.id);
            line.assigned.push(leased);
            called.bell.notify_one();
        }
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<WorkerId, Called>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line<'a>(
    workers: &'a mut HashMap<WorkerId, Called>,
    worker: WorkerId,
    queue: &QueueName,
) -> &'a mut Line {
    workers.entry(worker).or_default().queues.entry(queue.clone()).or_default()
}
