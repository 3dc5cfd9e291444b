//! What users do to jobs and queues.

use std::sync::Arc;

use gristmill_job::{Event, JobId, QueueName, StateName, WorkerId};

use super::jobs::Slot;
use super::line::{LineKey, Unique};
use super::record::Place;
use super::state::State;
use crate::Changed;

impl State {
    pub(super) fn cancel(&mut self, id: JobId) -> Changed {
        let Some(slot) = self.find(id) else { return Changed::NotFound };
        let key = self.jobs[slot].line;
        if let Place::Held { .. } = self.jobs[slot].place {
            return self.ask_to_cancel(key, slot);
        }
        // Cancelled jobs can be so many that this one is forgotten at once.
        let mut job = self.jobs[slot].view();
        let (line, jobs, mut step) = self.parts(key);
        match line.shift(jobs, slot, Event::Cancel, &mut step) {
            Ok(state) => {
                (job.state, job.completed_at) = (state, Some(step.now));
                Changed::Done(Box::new(job))
            }
            Err(_) => Changed::Refused(Box::new(job)),
        }
    }

    /// Marks a running job and tells its worker.
    fn ask_to_cancel(&mut self, key: LineKey, slot: Slot) -> Changed {
        let (line, jobs, step) = self.parts(key);
        let record = &mut jobs[slot];
        let Ok(state) = record.state.apply(&Event::Cancel) else {
            return Changed::Refused(Box::new(record.view()));
        };
        record.state = state;
        if let Place::Held { worker, .. } = record.place
            && let Some(lease) = line.leases.get_mut(worker)
        {
            lease.cancelling.insert(record.number, slot);
            step.effects.ring(&lease.bell);
        }
        Changed::Done(Box::new(record.view()))
    }

    pub(super) fn requeue(&mut self, id: JobId) -> Changed {
        let Some(slot) = self.find(id) else { return Changed::NotFound };
        let (line, jobs, mut step) = self.parts(self.jobs[slot].line);
        let record = &mut jobs[slot];
        if record.state.apply(&Event::Requeue).is_err() {
            return Changed::Refused(Box::new(record.view()));
        }
        if let Some(unique) = Unique::of(&record.spec) {
            if let Some(&owner) = line.unique.get(&unique) {
                return Changed::UniqueConflict(owner);
            }
            line.unique.insert(unique, id);
        }
        (record.failures, record.crashes, record.run_at) = (0, 0, step.now);
        record.lapse = None;
        // The event was found to be possible above.
        let _ = line.shift(jobs, slot, Event::Requeue, &mut step);
        Changed::Done(Box::new(jobs[slot].view()))
    }

    pub(super) fn remove(&mut self, id: JobId) -> Changed {
        let Some(slot) = self.find(id) else { return Changed::NotFound };
        let job = Box::new(self.jobs[slot].view());
        if job.state.is_running() {
            return Changed::Refused(job);
        }
        let (line, jobs, step) = self.parts(self.jobs[slot].line);
        line.forget(jobs, slot, step.effects);
        Changed::Done(job)
    }

    pub(super) fn clear_failed(&mut self, queue: &QueueName) -> u64 {
        let Some(&key) = self.names.get(queue) else { return 0 };
        let (line, jobs, step) = self.parts(key);
        let mut cleared = 0;
        while let Some(slot) = line.index.first(StateName::Failed) {
            cleared += u64::from(!jobs[slot].is_expired(step.now));
            line.forget(jobs, slot, step.effects);
        }
        cleared
    }

    pub(super) fn set_paused(&mut self, queue: &QueueName, paused: bool) {
        let key = self.line(queue);
        let (line, _, step) = self.parts(key);
        line.paused = paused;
        if !paused {
            for _ in 0..line.ready.len().min(line.hungry.len()) {
                step.effects.note_ready(key, line);
            }
        }
    }

    /// Forgets the bell of a worker that holds no lease and waits nowhere.
    pub(super) fn forget_idle_bell(&mut self, worker: WorkerId) {
        if self.bells.get(&worker).is_some_and(|bell| Arc::strong_count(bell) == 1) {
            self.bells.remove(&worker);
        }
    }
}
