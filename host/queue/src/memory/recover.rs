//! Jobs that come back from workers that died or forgot them.

use std::collections::HashSet;

use gristmill_job::{ErrorReport, Event, JobState, OutcomeKind, QueueName, WorkerId, codes};

use super::jobs::Slot;
use super::line::LineKey;
use super::record::Lapse;
use super::state::State;
use crate::{Error, Held, Reaped, Resynced};

impl State {
    pub(super) fn resync(
        &mut self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        self.admit(queue, worker, !held.is_empty())?;
        let key = self.line(queue);
        let known: HashSet<Held> = held.iter().copied().collect();
        let lost = held.iter().filter(|&&held| self.held_slot(key, worker, held).is_none());
        let mut resynced = Resynced { returned: 0, lost: lost.copied().collect() };
        let (line, jobs, mut step) = self.parts(key);
        let in_hand: Vec<Slot> = line
            .leases
            .get(worker)
            .into_iter()
            .flat_map(|lease| lease.held.slots())
            .filter(|&slot| {
                !known.contains(&Held { id: jobs[slot].spec.id, attempt: jobs[slot].attempt })
            })
            .collect();
        for slot in in_hand {
            jobs[slot].uncount_attempt();
            if let Ok(JobState::Queued) = line.shift(jobs, slot, Event::Release, &mut step) {
                line.totals.released += 1;
                resynced.returned += 1;
            }
        }
        Ok(resynced)
    }

    pub(super) fn reap(&mut self, queue: &QueueName, worker: WorkerId) -> Reaped {
        let Some(&key) = self.names.get(queue) else { return Reaped::default() };
        let (now, limit) = (self.now, self.config.batch_items_max);
        let Some(slots) = self.lines[key.0].leases.fence(worker, now, limit) else {
            return Reaped::default();
        };
        let mut reaped = Reaped::default();
        for slot in slots {
            self.take_back(key, slot, &mut reaped);
        }
        reaped.more =
            self.lines[key.0].leases.get(worker).is_some_and(|lease| !lease.held.is_empty());
        if !reaped.more {
            self.lines[key.0].leases.forget(worker);
            self.forget_idle_bell(worker);
        }
        reaped
    }

    pub(super) fn absolve(
        &mut self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<usize, Error> {
        self.check_batch("jobs", held.len())?;
        let Some(&key) = self.names.get(queue) else { return Ok(0) };
        let mut corrected = 0;
        for &Held { id, attempt } in held {
            let Some(slot) = self.jobs.slot(id) else { continue };
            let record = &mut self.jobs[slot];
            let lapse = Lapse { worker, attempt };
            corrected += usize::from(record.line == key && record.uncount_crash(&lapse));
        }
        Ok(corrected)
    }

    /// Takes one job from a worker whose process died while it held the job.
    fn take_back(&mut self, key: LineKey, slot: Slot, reaped: &mut Reaped) {
        let (line, jobs, mut step) = self.parts(key);
        let record = &mut jobs[slot];
        record.count_crash();
        let cancelling = record.state == JobState::Running { cancel_requested: true };
        let event = if record.crashes >= step.config.crashes_max && !cancelling {
            let message = format!("its worker died {} times while it ran", record.crashes);
            let last = record.last_mut();
            last.outcome = Some(OutcomeKind::Failed);
            last.error = Some(Box::new(ErrorReport::new(codes::POISONED, message)));
            last.usage = None;
            Event::Poison
        } else {
            Event::Lapse
        };
        line.totals.reaped += 1;
        match line.shift(jobs, slot, event, &mut step) {
            Ok(JobState::Failed) => reaped.poisoned += 1,
            Ok(JobState::Cancelled) => reaped.cancelled += 1,
            // What is held is running, and a running job can take both events.
            Ok(_) | Err(_) => reaped.returned += 1,
        }
    }
}
