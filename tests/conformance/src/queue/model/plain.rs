//! The model: what the rules come to when nothing has to be fast.

use std::collections::BTreeMap;
use std::time::Duration;

use gristmill_job::{Event, JobId, JobState, StateName, Timestamp, Verdict, WorkerId};
use gristmill_queue::{Config, Counts, Held, Reaped, Resynced, Totals};

use super::End;

/// What the model knows of a job.
#[derive(Debug, Clone)]
pub(super) struct PlainJob {
    pub(super) key: Option<u8>,
    pub(super) state: JobState,
    pub(super) attempt: u32,
    pub(super) failures: u32,
    pub(super) crashes: u32,
    pub(super) run_at: Timestamp,
    pub(super) worker: Option<WorkerId>,
    /// Whose reaping was the last to count as a crash.
    lapse: Option<(WorkerId, u32)>,
    expires_at: Option<Timestamp>,
}

/// The model of one queue.
#[derive(Debug, Default)]
pub(super) struct Plain {
    pub(super) config: Config,
    pub(super) now: Timestamp,
    pub(super) jobs: BTreeMap<JobId, PlainJob>,
    pub(super) leases: BTreeMap<WorkerId, Timestamp>,
    pub(super) reaped: Vec<WorkerId>,
    pub(super) paused: bool,
    pub(super) totals: Totals,
}

impl Plain {
    pub(super) fn pass(&mut self, by: Duration) {
        self.now = self.now.after(by);
        let now = self.now;
        self.jobs.retain(|_, job| job.expires_at.is_none_or(|expires_at| expires_at > now));
    }

    pub(super) fn owner(&self, key: u8) -> Option<JobId> {
        let mut owners = self.jobs.iter().filter(|(_, job)| !job.state.is_final());
        owners.find(|(_, job)| job.key == Some(key)).map(|(id, _)| *id)
    }

    pub(super) fn enqueue(&mut self, id: JobId, key: Option<u8>, delay: Duration) -> Verdict {
        if self.jobs.contains_key(&id) {
            return Verdict::Duplicate;
        }
        if let Some(owner) = key.and_then(|key| self.owner(key)) {
            return Verdict::UniqueConflict(owner);
        }
        self.totals.enqueued += 1;
        let state = if delay.is_zero() { JobState::Queued } else { JobState::Scheduled };
        let job = PlainJob {
            key,
            state,
            attempt: 0,
            failures: 0,
            crashes: 0,
            run_at: self.now.after(delay),
            worker: None,
            lapse: None,
            expires_at: None,
        };
        self.jobs.insert(id, job);
        Verdict::Created
    }

    /// What the queue holds for this worker.
    pub(super) fn held_by(&self, worker: WorkerId) -> Vec<Held> {
        let held = self.jobs.iter().filter(|(_, job)| job.worker == Some(worker));
        held.map(|(&id, job)| Held { id, attempt: job.attempt }).collect()
    }

    pub(super) fn cancelling(&self, worker: WorkerId) -> Vec<Held> {
        let asked = JobState::Running { cancel_requested: true };
        let held = self.held_by(worker).into_iter();
        held.filter(|held| self.jobs[&held.id].state == asked).collect()
    }

    pub(super) fn lapsed(&self) -> Vec<WorkerId> {
        let lapsed = self.leases.iter().filter(|(_, ends)| **ends <= self.now);
        lapsed.map(|(&worker, _)| worker).collect()
    }

    /// Whether a settlement of this worker is recorded, and if so, what it does.
    pub(super) fn settle(&mut self, worker: WorkerId, held: Held, end: End) -> bool {
        if !self.held_by(worker).contains(&held) {
            return false;
        }
        match end {
            End::Keep => return false,
            End::Complete => drop(self.apply(held.id, Event::Complete)),
            End::Fail => {
                self.count_failure(held.id);
                self.apply(held.id, Event::Fail);
            }
            End::Retry(after) => {
                self.count_failure(held.id);
                if self.apply_later(held.id, Event::Retry, after) {
                    self.totals.retried += 1;
                }
            }
            End::Cancelled => drop(self.apply(held.id, Event::SettleCancelled)),
            End::Release => {
                self.uncount_attempt(held.id);
                self.totals.released +=
                    u64::from(self.apply(held.id, Event::Release) == Some(JobState::Queued));
            }
            End::ReleaseLater(after) => {
                self.uncount_attempt(held.id);
                self.totals.released +=
                    u64::from(self.apply_later(held.id, Event::ReleaseLater, after));
            }
        }
        true
    }

    pub(super) fn promote(&mut self) {
        let due: Vec<JobId> = self.in_state(StateName::Scheduled);
        for id in due {
            if self.jobs[&id].run_at <= self.now {
                self.apply(id, Event::Promote);
            }
        }
    }

    /// Follows a lease that the queue gave, which must have been possible.
    pub(super) fn lease(&mut self, worker: WorkerId, id: JobId) -> &PlainJob {
        assert!(!self.paused, "a paused queue leased {id}");
        assert!(self.apply(id, Event::Lease).is_some(), "{id} was leased, but it doesn't wait");
        let job = self.jobs.get_mut(&id).unwrap();
        job.attempt += 1;
        job.worker = Some(worker);
        job
    }

    pub(super) fn resync(&mut self, worker: WorkerId, known: &[Held]) -> Resynced {
        let held = self.held_by(worker);
        let lost = known.iter().copied().filter(|known| !held.contains(known)).collect();
        let mut resynced = Resynced { returned: 0, lost };
        for held in held.into_iter().filter(|held| !known.contains(held)) {
            self.uncount_attempt(held.id);
            if self.apply(held.id, Event::Release) == Some(JobState::Queued) {
                self.totals.released += 1;
                resynced.returned += 1;
            }
        }
        resynced
    }

    pub(super) fn reap(&mut self, worker: WorkerId) -> Reaped {
        let mut reaped = Reaped::default();
        if !self.lapsed().contains(&worker) {
            return reaped;
        }
        for held in self.held_by(worker) {
            let job = self.jobs.get_mut(&held.id).unwrap();
            job.crashes += 1;
            job.lapse = Some((worker, held.attempt));
            let asked = job.state == JobState::Running { cancel_requested: true };
            let poison = job.crashes >= self.config.crashes_max && !asked;
            let event = if poison { Event::Poison } else { Event::Lapse };
            match self.apply(held.id, event).unwrap().name() {
                StateName::Failed => reaped.poisoned += 1,
                StateName::Cancelled => reaped.cancelled += 1,
                _ => reaped.returned += 1,
            }
            self.totals.reaped += 1;
        }
        self.leases.remove(&worker);
        self.reaped.push(worker);
        reaped
    }

    pub(super) fn absolve(&mut self, worker: WorkerId, held: &[Held]) -> usize {
        let mut corrected = 0;
        for held in held {
            let Some(job) = self.jobs.get_mut(&held.id) else { continue };
            if job.lapse == Some((worker, held.attempt)) && !job.state.is_final() {
                job.crashes -= 1;
                job.lapse = None;
                corrected += 1;
            }
        }
        corrected
    }

    /// Requeues a job; the owner of its key, if that is another.
    pub(super) fn requeue(&mut self, id: JobId) -> Result<Option<JobState>, JobId> {
        let job = self.jobs[&id].clone();
        if job.state.apply(&Event::Requeue).is_err() {
            return Ok(None);
        }
        if let Some(owner) = job.key.and_then(|key| self.owner(key)) {
            return Err(owner);
        }
        let now = self.now;
        let job = self.jobs.get_mut(&id).unwrap();
        (job.failures, job.crashes, job.run_at, job.lapse) = (0, 0, now, None);
        Ok(self.apply(id, Event::Requeue))
    }

    /// Moves a job by what the state table says; none where it says no.
    pub(super) fn apply(&mut self, id: JobId, event: Event) -> Option<JobState> {
        let job = self.jobs.get_mut(&id)?;
        job.state = job.state.apply(&event).ok()?;
        if !job.state.is_running() {
            job.worker = None;
        }
        job.expires_at = job.state.is_final().then(|| self.now.after(self.config.finished_age_max));
        match job.state {
            JobState::Completed => self.totals.completed += 1,
            JobState::Failed => self.totals.failed += 1,
            JobState::Cancelled => self.totals.cancelled += 1,
            _ => {}
        }
        Some(job.state)
    }

    fn apply_later(&mut self, id: JobId, event: Event, after: Duration) -> bool {
        let waits = self.apply(id, event) == Some(JobState::Scheduled);
        if waits {
            self.jobs.get_mut(&id).unwrap().run_at = self.now.after(after);
        }
        waits
    }

    fn count_failure(&mut self, id: JobId) {
        self.jobs.get_mut(&id).unwrap().failures += 1;
    }

    fn uncount_attempt(&mut self, id: JobId) {
        self.jobs.get_mut(&id).unwrap().attempt -= 1;
    }

    pub(super) fn in_state(&self, state: StateName) -> Vec<JobId> {
        let jobs = self.jobs.iter().filter(|(_, job)| job.state.name() == state);
        jobs.map(|(&id, _)| id).collect()
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        let scheduled = self.jobs.values().filter(|job| job.state == JobState::Scheduled);
        scheduled.map(|job| job.run_at.since(self.now)).min()
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |state| self.in_state(state).len() as u64;
        Counts {
            scheduled: count(StateName::Scheduled),
            queued: count(StateName::Queued),
            running: count(StateName::Running),
            completed: count(StateName::Completed),
            failed: count(StateName::Failed),
            cancelled: count(StateName::Cancelled),
        }
    }
}
