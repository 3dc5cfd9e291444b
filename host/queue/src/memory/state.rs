//! Everything that the lock guards.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gristmill_job::{JobId, JobState, NewJob, QueueName, Timestamp, Verdict, WorkerId};
use tokio::sync::Notify;

use super::effects::Effects;
use super::jobs::{Jobs, Slot};
use super::line::{Line, LineKey, Step, Unique};
use super::record::{Place, Record};
use crate::error::queue_full;
use crate::{Config, Error};

/// Finished jobs that one step forgets because of their age.
pub(super) const TRIM_ITEMS_MAX: usize = 64;

/// Everything that the lock guards.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: Config,
    /// The latest time that the clock ever said: time doesn't go back, whatever the clock does.
    pub(super) now: Timestamp,
    pub(super) jobs: Jobs,
    pub(super) lines: Vec<Line>,
    pub(super) names: BTreeMap<QueueName, LineKey>,
    pub(super) bells: HashMap<WorkerId, Arc<Notify>>,
    pub(super) effects: Effects,
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            now: Timestamp::default(),
            jobs: Jobs::default(),
            lines: Vec::new(),
            names: BTreeMap::new(),
            bells: HashMap::new(),
            effects: Effects::default(),
        }
    }

    /// What is to be done to others for the step that ends here.
    pub(super) fn take_effects(&mut self) -> Effects {
        self.effects.call_hungry(&mut self.lines);
        std::mem::take(&mut self.effects)
    }

    /// The line of a queue, from now on used.
    pub(super) fn line(&mut self, queue: &QueueName) -> LineKey {
        if let Some(&key) = self.names.get(queue) {
            return key;
        }
        let key = LineKey(self.lines.len());
        self.lines.push(Line::new(queue.clone()));
        self.names.insert(queue.clone(), key);
        key
    }

    /// A line, all jobs, and what a step in it needs beside them.
    pub(super) fn parts(&mut self, key: LineKey) -> (&mut Line, &mut Jobs, Step<'_>) {
        let step = Step { now: self.now, config: &self.config, effects: &mut self.effects };
        (&mut self.lines[key.0], &mut self.jobs, step)
    }

    /// The slot of a job, if its record is still to be kept.
    pub(super) fn find(&self, id: JobId) -> Option<Slot> {
        self.jobs.slot(id).filter(|&slot| !self.jobs[slot].is_expired(self.now))
    }

    pub(super) fn check_batch(&self, what: &'static str, items: usize) -> Result<(), Error> {
        let max = self.config.batch_items_max;
        if items > max { Err(Error::TooLarge { what, items, max }) } else { Ok(()) }
    }

    pub(super) fn enqueue(&mut self, batch: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        self.check_batch("jobs", batch.len())?;
        Ok(batch.into_iter().map(|job| self.enqueue_one(job, true)).collect())
    }

    /// Takes one job over. A repeated enqueue is told so before anything else is looked at.
    pub(super) fn enqueue_one(&mut self, mut spec: NewJob, bounded: bool) -> Verdict {
        if let Some(slot) = self.jobs.slot(spec.id) {
            if !self.jobs[slot].is_expired(self.now) {
                return Verdict::Duplicate;
            }
            let key = self.jobs[slot].line;
            let (line, jobs, step) = self.parts(key);
            line.forget(jobs, slot, step.effects);
        }
        let key = self.line(&spec.queue);
        let (line, jobs, mut step) = self.parts(key);
        line.trim(jobs, TRIM_ITEMS_MAX, &mut step);
        let unique = Unique::of(&spec);
        if let Some(owner) = unique.as_ref().and_then(|unique| line.unique.get(unique)) {
            return Verdict::UniqueConflict(*owner);
        }
        let weight = spec.weight() as u64;
        let full = !line.has_room(weight, step.config);
        if (bounded && full) || jobs.len() >= Jobs::ITEMS_MAX {
            return Verdict::Rejected(queue_full(&spec.queue));
        }
        // Thousands of jobs are kept once they have ended: one name is enough for all of a line.
        spec.queue = line.name.clone();
        line.totals.enqueued += 1;
        if let Some(unique) = unique {
            line.unique.insert(unique, spec.id);
        }
        let record = record_of(spec, weight, key, line.new_number(), step.now);
        let slot = jobs.insert(record);
        line.arrive(slot, &mut jobs[slot], None, &mut step);
        Verdict::Created
    }
}

fn record_of(spec: NewJob, weight: u64, line: LineKey, number: u64, now: Timestamp) -> Record {
    let run_at = spec.start.run_at(now);
    Record {
        spec: Arc::new(spec),
        weight,
        line,
        number,
        state: if run_at > now { JobState::Scheduled } else { JobState::Queued },
        place: Place::Scheduled,
        attempt: 0,
        failures: 0,
        crashes: 0,
        enqueued_at: now,
        run_at,
        started_at: None,
        lapse: None,
        last: None,
        notes: None,
        waiters: Vec::new(),
    }
}
