//! One queue: its jobs by state, and the way that they move.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{
    Event, FunctionName, InvalidTransition, JobId, JobState, NewJob, PluginName, QueueName,
    Timestamp, UniqueKey, WorkerId,
};
use tokio::sync::Notify;

use super::effects::Effects;
use super::finished::Finished;
use super::index::Index;
use super::jobs::{Jobs, Slot};
use super::leases::Leases;
use super::ready::{Pick, Ready};
use super::record::{Place, Record};
use crate::{Config, Leased, QueueStatus, Totals};

/// Which line; lines are never taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineKey(pub(super) usize);

/// One queue: its jobs by state. Every job is in `index` and in the one other place that its
/// [`Place`] names.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: QueueName,
    pub(super) paused: bool,
    pub(super) ready: Ready,
    pub(super) leases: Leases,
    pub(super) finished: Finished,
    pub(super) index: Index,
    pub(super) unique: HashMap<Unique, JobId>,
    pub(super) totals: Totals,
    /// Workers that found nothing here, the longest waiting ahead.
    pub(super) hungry: VecDeque<(WorkerId, Arc<Notify>)>,
    /// Jobs that became ready in this step.
    pub(super) fresh: usize,
    /// The next scheduled job is due sooner than it was before this step.
    pub(super) is_sooner: bool,
    scheduled: BTreeMap<(Timestamp, u64), Slot>,
    waiting_bytes: u64,
    next_number: u64,
}

/// What one job at a time may hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Unique {
    plugin: PluginName,
    function: Option<FunctionName>,
    key: UniqueKey,
}

impl Unique {
    pub(super) fn of(spec: &NewJob) -> Option<Self> {
        let key = spec.unique_key.clone()?;
        Some(Self { plugin: spec.plugin.clone(), function: spec.function.clone(), key })
    }
}

impl Line {
    pub(super) fn new(name: QueueName) -> Self {
        Self {
            name,
            paused: false,
            ready: Ready::default(),
            leases: Leases::default(),
            finished: Finished::default(),
            index: Index::default(),
            unique: HashMap::new(),
            totals: Totals::default(),
            hungry: VecDeque::new(),
            fresh: 0,
            is_sooner: false,
            scheduled: BTreeMap::new(),
            waiting_bytes: 0,
            next_number: 0,
        }
    }

    pub(super) fn new_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Whether one more job of this weight may wait here.
    pub(super) fn has_room(&self, weight: u64, config: &Config) -> bool {
        let waiting = (self.ready.len() + self.scheduled.len()) as u64;
        waiting < config.waiting_items_max
            && self.waiting_bytes.saturating_add(weight) <= config.waiting_bytes_max
    }

    /// Moves a job to where an event leads it; a job that goes back later has its `run_at` set
    /// already. Leasing is [`Line::lease`], and a cancel request to a running job moves nothing.
    pub(super) fn shift(
        &mut self,
        jobs: &mut Jobs,
        slot: Slot,
        event: Event,
        step: &mut Step<'_>,
    ) -> Result<JobState, InvalidTransition> {
        let record = &mut jobs[slot];
        let next = record.state.apply(&event)?;
        let turn = match record.place {
            Place::Held { turn, .. } => Some(turn),
            _ => None,
        };
        self.depart(record);
        record.state = next;
        self.arrive(slot, record, turn, step);
        if let Some(notes) = record.notes.as_mut().filter(|_| !next.is_final()) {
            notes.progress = None;
        }
        if next.is_final() {
            self.tell_and_trim(jobs, slot, step);
        }
        Ok(next)
    }

    /// Gives a ready job to a worker; to none that has no lease.
    pub(super) fn lease(
        &mut self,
        jobs: &mut Jobs,
        pick: Pick,
        worker: WorkerId,
        now: Timestamp,
    ) -> Option<Leased> {
        let record = &mut jobs[pick.slot];
        let next = record.state.apply(&Event::Lease).ok()?;
        self.leases.get_mut(worker)?.held.insert(record.number, pick.slot);
        self.ready.picked(pick);
        self.depart(record);
        record.state = next;
        record.place = Place::Held { worker, turn: pick.turn, started_before: record.started_at };
        record.attempt += 1;
        record.started_at = Some(now);
        self.index.insert(next.name(), record.number, pick.slot);
        Some(record.leased())
    }

    /// Puts a job that is in no place into the one of its state.
    pub(super) fn arrive(
        &mut self,
        slot: Slot,
        record: &mut Record,
        turn: Option<u64>,
        step: &mut Step<'_>,
    ) {
        self.index.insert(record.state.name(), record.number, slot);
        match record.state {
            JobState::Scheduled => {
                self.waiting_bytes += record.weight;
                let key = (record.run_at, record.number);
                // Whoever waits does so until the next job is due, as far as it knows.
                if self.scheduled.keys().next().is_none_or(|first| key < *first) {
                    step.effects.note_sooner(record.line, self);
                }
                self.scheduled.insert(key, slot);
                record.place = Place::Scheduled;
            }
            JobState::Queued => {
                self.waiting_bytes += record.weight;
                let turn = turn.unwrap_or_else(|| self.ready.new_turn());
                let priority = record.spec.priority;
                self.ready.insert(priority, turn, slot);
                record.place = Place::Ready { priority, turn };
                step.effects.note_ready(record.line, self);
            }
            // A lease alone leads here, and sees to the place itself.
            JobState::Running { .. } => {}
            JobState::Completed | JobState::Failed | JobState::Cancelled => {
                self.finish(slot, record, step);
            }
        }
    }

    fn finish(&mut self, slot: Slot, record: &mut Record, step: &Step<'_>) {
        let kept_for = match record.state {
            JobState::Completed => record.spec.result_ttl,
            _ => step.config.finished_age_max,
        };
        let expires_at = step.now.after(kept_for);
        self.finished.insert(record.state, expires_at, record.number, slot);
        record.place = Place::Finished { at: step.now, expires_at };
        match record.state {
            JobState::Completed => self.totals.completed += 1,
            JobState::Failed => self.totals.failed += 1,
            _ => self.totals.cancelled += 1,
        }
        self.give_up_unique(&record.spec);
    }

    /// Takes a job out of the place that it is in.
    fn depart(&mut self, record: &Record) {
        self.index.remove(record.state.name(), record.number);
        match record.place {
            Place::Scheduled => {
                self.waiting_bytes -= record.weight;
                self.scheduled.remove(&(record.run_at, record.number));
            }
            Place::Ready { priority, turn } => {
                self.waiting_bytes -= record.weight;
                self.ready.remove(priority, turn);
            }
            Place::Held { worker, .. } => {
                if let Some(lease) = self.leases.get_mut(worker) {
                    lease.held.remove(record.number);
                    lease.cancelling.remove(record.number);
                }
            }
            Place::Finished { expires_at, .. } => {
                self.finished.remove(record.state, expires_at, record.number);
            }
        }
    }

    /// Forgets a job that no worker holds.
    pub(super) fn forget(&mut self, jobs: &mut Jobs, slot: Slot, effects: &mut Effects) {
        let record = jobs.remove(slot);
        self.depart(&record);
        if !record.state.is_final() {
            self.give_up_unique(&record.spec);
        }
        effects.dispose(record);
    }

    /// Tells whoever waits for this job that it came to its end, and makes room for it.
    fn tell_and_trim(&mut self, jobs: &mut Jobs, slot: Slot, step: &mut Step<'_>) {
        let record = &mut jobs[slot];
        if !record.waiters.is_empty() {
            step.effects.tell(std::mem::take(&mut record.waiters), record.view());
        }
        if jobs[slot].is_expired(step.now) {
            self.forget(jobs, slot, step.effects);
        }
        if let Some(surplus) = self.finished.surplus(step.config.finished_items_max) {
            self.forget(jobs, surplus, step.effects);
        }
    }

    /// Forgets up to `limit` jobs whose time to be kept is over.
    pub(super) fn trim(&mut self, jobs: &mut Jobs, limit: usize, step: &mut Step<'_>) {
        for _ in 0..limit {
            let Some(slot) = self.finished.expired(step.now) else { return };
            self.forget(jobs, slot, step.effects);
        }
    }

    /// Readies up to `limit` scheduled jobs whose time has come.
    pub(super) fn promote(&mut self, jobs: &mut Jobs, limit: usize, step: &mut Step<'_>) {
        for _ in 0..limit {
            let Some((&(run_at, _), &slot)) = self.scheduled.first_key_value() else { return };
            if run_at > step.now || self.shift(jobs, slot, Event::Promote, step).is_err() {
                return;
            }
        }
    }

    /// How long until the next scheduled job is due.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Duration> {
        self.scheduled.keys().next().map(|(run_at, _)| run_at.since(now))
    }

    /// Whether a cycle may find something to lease.
    pub(super) fn has_work(&self, now: Timestamp) -> bool {
        !self.paused && (!self.ready.is_empty() || self.next_due(now) == Some(Duration::ZERO))
    }

    pub(super) fn status(&self, jobs: &Jobs, now: Timestamp) -> QueueStatus {
        let ready = self.ready.heads().map(|head| jobs[head.slot].run_at);
        let due = self.scheduled.keys().next().map(|&(run_at, _)| run_at);
        QueueStatus {
            queue: self.name.clone(),
            paused: self.paused,
            counts: self.index.counts(),
            totals: self.totals,
            latency: ready.chain(due).min().map_or(Duration::ZERO, |oldest| now.since(oldest)),
            waiting_bytes: self.waiting_bytes,
        }
    }

    fn give_up_unique(&mut self, spec: &NewJob) {
        if let Some(unique) = Unique::of(spec)
            && self.unique.get(&unique) == Some(&spec.id)
        {
            self.unique.remove(&unique);
        }
    }
}

/// What one step knows and leaves behind.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) now: Timestamp,
    pub(super) config: &'a Config,
    pub(super) effects: &'a mut Effects,
}
