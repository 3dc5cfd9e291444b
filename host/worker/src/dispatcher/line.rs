//! What the dispatcher knows of one queue.

use std::collections::HashMap;
use std::time::Duration;

use gristmill_job::{QueueName, WorkerId};
use gristmill_queue::{Cycle, Held};
use gristmill_runtime::Stop;

use crate::config::{self, Share};
use crate::event::Event;
use crate::settle::Pending;

/// What the dispatcher knows of one queue.
pub(crate) struct Line {
    pub(crate) queue: QueueName,
    pub(super) weight: u32,
    pub(super) concurrency: Option<usize>,
    /// What it had of the worker, in parts of its share: see `turns.rs`.
    pub(super) had: u64,
    /// It had no jobs when it was last asked.
    pub(super) is_empty: bool,
    pub(super) held: HashMap<Held, Holding>,
    /// Settlements that wait for their cycle.
    pub(super) pending: Vec<Pending>,
    pub(super) notes: Vec<gristmill_queue::Note>,
    /// The cycle that is on its way, kept until its reply so that it can be sent again.
    pub(crate) cycle: Cycle,
    /// What is told of each of its settlements.
    pub(super) events: Vec<(Held, Event)>,
    /// There may be jobs to lease.
    pub(crate) more: bool,
    /// When the next scheduled job is due, as an uptime.
    pub(crate) due: Option<Duration>,
    /// When the lease was last renewed, as of the sending; an uptime too.
    pub(crate) renewed: Option<Duration>,
    /// The queue couldn't be reached; how long to wait before the next try.
    pub(crate) unreachable: Option<Duration>,
    /// The queue and this worker must agree on what is held before the next cycle.
    pub(crate) must_resync: bool,
}

pub(super) struct Holding {
    pub(super) stop: Stop,
    pub(super) cancel_requested: bool,
    /// Why the worker itself interrupted it.
    pub(super) interrupted: Option<&'static str>,
}

impl Line {
    pub(super) fn new(share: &Share, worker: WorkerId, lease: Duration) -> Self {
        let queue = &share.queue;
        Self {
            queue: queue.clone(),
            weight: share.weight.max(1),
            concurrency: share.concurrency,
            had: 0,
            is_empty: false,
            held: HashMap::new(),
            pending: Vec::new(),
            notes: Vec::new(),
            cycle: Cycle {
                want_bytes: config::BATCH_BYTES_MAX,
                assignable: true,
                ..Cycle::new(queue.clone(), worker, lease)
            },
            events: Vec::new(),
            // A new worker doesn't know yet what is there.
            more: true,
            due: None,
            renewed: None,
            unreachable: None,
            must_resync: false,
        }
    }

    /// The share that it was made for.
    pub(super) fn share(&self) -> Share {
        let (queue, weight) = (self.queue.clone(), self.weight);
        Share { queue, weight, concurrency: self.concurrency }
    }

    /// How many more of its jobs may be held than are.
    pub(super) fn space(&self) -> usize {
        self.concurrency.map_or(usize::MAX, |most| most.saturating_sub(self.held.len()))
    }

    pub(super) fn has_news(&self) -> bool {
        let unsent = !self.pending.is_empty() || !self.notes.is_empty();
        unsent || !self.cycle.settlements.is_empty() || !self.cycle.notes.is_empty()
    }
}
