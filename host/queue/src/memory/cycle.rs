//! One turn of a worker: settle, renew, promote, lease.

use std::time::Duration;

use gristmill_job::{QueueName, WorkerId};

use super::jobs::{Jobs, Slot};
use super::line::{Line, LineKey, Step};
use super::state::{State, TRIM_ITEMS_MAX};
use crate::{Cycle, CycleReply, Error, Held, Leased, Note};

impl State {
    pub(super) fn cycle(&mut self, cycle: &mut Cycle) -> Result<CycleReply, Error> {
        self.check_batch("settlements", cycle.settlements.len())?;
        self.check_batch("notes", cycle.notes.len())?;
        let claims = cycle.held > 0 || !cycle.settlements.is_empty() || !cycle.notes.is_empty();
        self.admit(&cycle.queue, cycle.worker, claims)?;
        let key = self.line(&cycle.queue);
        for note in cycle.notes.drain(..) {
            self.note(key, cycle.worker, note);
        }
        self.effects.expect(cycle.settlements.len());
        let verdicts = cycle
            .settlements
            .drain(..)
            .map(|settlement| self.settle(key, cycle.worker, settlement))
            .collect();
        let resync = self.renew(key, cycle.worker, cycle.lease, cycle.held);
        let (line, jobs, mut step) = self.parts(key);
        line.trim(jobs, TRIM_ITEMS_MAX, &mut step);
        line.promote(jobs, step.config.promote_items_max, &mut step);
        let leased =
            line.lease_next(jobs, cycle.worker, cycle.want, cycle.want_bytes as u64, &step);
        Ok(CycleReply {
            jobs: leased,
            verdicts,
            cancel: line.cancelling(jobs, cycle.worker),
            lapsed: line
                .leases
                .lapsed(step.now)
                .filter(|&worker| worker != cycle.worker)
                .take(step.config.batch_items_max)
                .collect(),
            next_due: line.next_due(step.now),
            more: !line.paused && !line.ready.is_empty(),
            resync,
        })
    }

    /// Lets a worker go on under its id, unless it was reaped. A worker that claims to hold
    /// something had a lease here: where there is none, it was reaped.
    pub(super) fn admit(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        claims: bool,
    ) -> Result<(), Error> {
        let leases = self.names.get(queue).map(|key| &self.lines[key.0].leases);
        let admitted = match leases {
            Some(leases) => !leases.is_reaped(worker) && (!claims || leases.get(worker).is_some()),
            None => !claims,
        };
        if admitted { Ok(()) } else { Err(Error::WorkerReaped(worker)) }
    }

    /// Makes or renews the lease, and answers whether the worker miscounts what it holds by it.
    fn renew(&mut self, key: LineKey, worker: WorkerId, lease: Duration, held: usize) -> bool {
        let ends = self.now.after(lease);
        let bells = &mut self.bells;
        let bell = || bells.entry(worker).or_default().clone();
        self.lines[key.0].leases.renew(worker, ends, bell).held.len() != held
    }

    /// Stores what a running attempt has to say; nothing, if the worker doesn't hold it.
    fn note(&mut self, key: LineKey, worker: WorkerId, note: Note) {
        let held = match &note {
            Note::Progress(held, _) | Note::Checkpoint(held, _) | Note::Log(held, _) => *held,
        };
        let Some(slot) = self.held_slot(key, worker, held) else { return };
        let lines_max = self.config.log_lines_max;
        let notes = self.jobs[slot].notes_mut();
        match note {
            Note::Progress(_, progress) => notes.progress = Some(progress),
            Note::Checkpoint(_, checkpoint) => notes.checkpoint = Some(checkpoint),
            Note::Log(_, lines) => {
                // The last lines are those that explain how an attempt ended.
                notes.log.extend(lines);
                let surplus = notes.log.len().saturating_sub(lines_max);
                notes.log.drain(..surplus);
            }
        }
    }

    /// The slot of what a worker holds: the fence that every settlement and note has to pass.
    pub(super) fn held_slot(&self, key: LineKey, worker: WorkerId, held: Held) -> Option<Slot> {
        let slot = self.jobs.slot(held.id)?;
        let record = &self.jobs[slot];
        (record.line == key && record.is_held_by(worker, held.attempt)).then_some(slot)
    }
}

impl Line {
    /// Leases the next jobs to a worker that has a lease, up to `want` of them and `want_bytes` of
    /// input; the first one comes whatever it weighs.
    fn lease_next(
        &mut self,
        jobs: &mut Jobs,
        worker: WorkerId,
        want: usize,
        want_bytes: u64,
        step: &Step<'_>,
    ) -> Vec<Leased> {
        if self.paused {
            return Vec::new();
        }
        let want = want.min(step.config.batch_items_max).min(self.ready.len());
        let mut leased = Vec::with_capacity(want);
        let mut bytes = 0_u64;
        while leased.len() < want {
            let Some(pick) = self.ready.peek(step.config.low_priority_share) else { break };
            bytes = bytes.saturating_add(jobs[pick.slot].weight);
            if bytes > want_bytes && !leased.is_empty() {
                break;
            }
            let Some(job) = self.lease(jobs, pick, worker, step.now) else { break };
            leased.push(job);
        }
        leased
    }

    /// What this worker holds and somebody wants cancelled.
    fn cancelling(&self, jobs: &Jobs, worker: WorkerId) -> Vec<Held> {
        let lease = self.leases.get(worker).into_iter();
        let cancelling = lease.flat_map(|lease| lease.cancelling.slots());
        cancelling
            .map(|slot| Held { id: jobs[slot].spec.id, attempt: jobs[slot].attempt })
            .collect()
    }
}
