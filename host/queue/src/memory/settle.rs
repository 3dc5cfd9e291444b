//! The ends of attempts.

use std::time::Duration;

use gristmill_job::{
    Digest, ErrorReport, Event, InvalidTransition, JobState, NewJob, OutcomeKind, Payload, Usage,
    WorkerId,
};

use super::jobs::Slot;
use super::line::LineKey;
use super::record::LastAttempt;
use super::state::State;
use crate::{Settled, Settlement};

impl State {
    /// Records the end of an attempt, if the worker holds the job in it.
    pub(super) fn settle(
        &mut self,
        key: LineKey,
        worker: WorkerId,
        settlement: Settlement,
    ) -> Settled {
        let Some(slot) = self.held_slot(key, worker, settlement.held()) else {
            return Settled::LeaseLost;
        };
        let recorded = match settlement {
            Settlement::Complete { digest, result, usage, follow_ups, .. } => {
                self.complete(key, slot, digest, result, usage, follow_ups)
            }
            Settlement::Fail { digest, outcome, error, usage, retry, .. } => {
                self.fail(key, slot, Failure { digest, outcome, error, usage }, retry)
            }
            Settlement::Cancelled { usage, .. } => self.settle_cancelled(key, slot, usage),
            Settlement::Release { delay, .. } => self.release(key, slot, delay),
        };
        // What is held is running, and a running job can take each of these events.
        if recorded.is_ok() { Settled::Recorded } else { Settled::LeaseLost }
    }

    fn complete(
        &mut self,
        key: LineKey,
        slot: Slot,
        digest: Digest,
        result: Option<Payload>,
        usage: Usage,
        follow_ups: Vec<NewJob>,
    ) -> Result<(), InvalidTransition> {
        let (line, jobs, mut step) = self.parts(key);
        let record = &mut jobs[slot];
        *record.last_mut() = LastAttempt {
            digest: Some(digest),
            outcome: Some(OutcomeKind::Completed),
            result,
            error: None,
            usage: Some(usage),
        };
        if let Some(notes) = &mut record.notes {
            notes.checkpoint = None;
        }
        line.shift(jobs, slot, Event::Complete, &mut step)?;
        // The job has given up its unique key by now, so that it can enqueue its successor.
        for job in follow_ups {
            self.enqueue_one(job, false);
        }
        Ok(())
    }

    fn fail(
        &mut self,
        key: LineKey,
        slot: Slot,
        failure: Failure,
        retry: Option<Duration>,
    ) -> Result<(), InvalidTransition> {
        let (line, jobs, mut step) = self.parts(key);
        let record = &mut jobs[slot];
        record.failures += 1;
        let last = record.last_mut();
        last.digest = failure.digest.or(last.digest);
        last.outcome = Some(failure.outcome);
        last.error = Some(Box::new(failure.error));
        last.usage = Some(failure.usage);
        let event = if retry.is_some() { Event::Retry } else { Event::Fail };
        record.put_off(&event, retry, step.now);
        if line.shift(jobs, slot, event, &mut step)? == JobState::Scheduled {
            line.totals.retried += 1;
        }
        Ok(())
    }

    fn settle_cancelled(
        &mut self,
        key: LineKey,
        slot: Slot,
        usage: Option<Usage>,
    ) -> Result<(), InvalidTransition> {
        let (line, jobs, mut step) = self.parts(key);
        let record = &mut jobs[slot];
        if usage.is_some() {
            let last = record.last_mut();
            last.outcome = Some(OutcomeKind::Cancelled);
            last.error = None;
            last.usage = usage;
        } else {
            record.uncount_attempt();
        }
        line.shift(jobs, slot, Event::SettleCancelled, &mut step).map(drop)
    }

    /// Gives a job back as if it had never been leased.
    fn release(
        &mut self,
        key: LineKey,
        slot: Slot,
        delay: Option<Duration>,
    ) -> Result<(), InvalidTransition> {
        let (line, jobs, mut step) = self.parts(key);
        let record = &mut jobs[slot];
        record.uncount_attempt();
        let event = if delay.is_some() { Event::ReleaseLater } else { Event::Release };
        record.put_off(&event, delay, step.now);
        if !line.shift(jobs, slot, event, &mut step)?.is_final() {
            line.totals.released += 1;
        }
        Ok(())
    }
}

/// How an attempt failed.
struct Failure {
    digest: Option<Digest>,
    outcome: OutcomeKind,
    error: ErrorReport,
    usage: Usage,
}
