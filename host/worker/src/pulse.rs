//! How a worker is, for whoever watches it: whether its loop goes on, and what its queues answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gristmill_job::QueueName;

/// How a worker is, told by it once for each of its steps. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Vitals>>);

/// How a worker is. Times are uptimes of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vitals {
    /// When its loop last took a step; none before it has begun.
    pub beat: Option<Duration>,
    /// How long a lease runs.
    pub lease: Duration,
    /// How many attempts may run at one time.
    pub slots: usize,
    /// How many jobs it holds: they run, or soon will.
    pub held: usize,
    /// Whether it takes no more jobs for now.
    pub quiet: bool,
    /// Its queues.
    pub lines: Vec<LineVitals>,
}

/// How a worker and one of its queues stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineVitals {
    /// The queue.
    pub queue: QueueName,
    /// When a cycle last came back; none before the first one.
    pub cycled: Option<Duration>,
    /// How many cycles came back; each renews the lease.
    pub cycles: u64,
    /// How many didn't.
    pub failures: u64,
    /// Why the queue can't be reached, while it can't.
    pub unavailable: Option<String>,
}

/// A loop's step is bounded by the lease that has to be renewed meanwhile; this many leases without one are
/// no work but a standstill. A machine that was suspended for as long has lost its leases too.
const STANDSTILL_LEASES: u32 = 3;

impl Vitals {
    /// Whether the loop goes on, or hasn't begun.
    #[must_use]
    pub fn is_alive(&self, now: Duration) -> bool {
        let bound = self.lease * STANDSTILL_LEASES;
        self.beat.is_none_or(|beat| now.saturating_sub(beat) <= bound)
    }

    /// What hinders the worker from taking jobs, if anything: a queue that can't be reached, or that
    /// hasn't answered for as long as a lease runs. None before the worker has begun.
    #[must_use]
    pub fn fault(&self, now: Duration) -> Option<String> {
        let beat = self.beat?;
        if !self.is_alive(now) {
            let stands = now.saturating_sub(beat);
            return Some(format!("the worker's loop has stood for {stands:.0?}"));
        }
        self.lines.iter().find_map(|line| {
            let name = line.queue.as_str();
            if let Some(why) = &line.unavailable {
                return Some(format!("queue {name} can't be reached: {why}"));
            }
            let silent = now.saturating_sub(line.cycled.unwrap_or(beat));
            (silent > self.lease)
                .then(|| format!("queue {name} hasn't answered the worker for {silent:.0?}"))
        })
    }
}

impl Pulse {
    /// How the worker is.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        self.lock().clone()
    }

    pub(crate) fn begin(&self, lease: Duration, queues: impl Iterator<Item = QueueName>) {
        let line =
            |queue| LineVitals { queue, cycled: None, cycles: 0, failures: 0, unavailable: None };
        let mut vitals = self.lock();
        vitals.lease = lease;
        vitals.lines = queues.map(line).collect();
    }

    pub(crate) fn beat(&self, now: Duration) {
        self.lock().beat = Some(now);
    }

    pub(crate) fn round(&self, slots: usize, held: usize, quiet: bool) {
        let mut vitals = self.lock();
        (vitals.slots, vitals.held, vitals.quiet) = (slots, held, quiet);
    }

    pub(crate) fn cycled(&self, line: usize, now: Duration) {
        let mut vitals = self.lock();
        if let Some(line) = vitals.lines.get_mut(line) {
            line.cycled = Some(now);
            line.cycles += 1;
            line.unavailable = None;
        }
    }

    pub(crate) fn failed(&self, line: usize, why: &str) {
        let mut vitals = self.lock();
        if let Some(line) = vitals.lines.get_mut(line) {
            line.failures += 1;
            line.unavailable = Some(why.to_owned());
        }
    }

    /// Nothing is left half done by a panic in these short sections.
    fn lock(&self) -> MutexGuard<'_, Vitals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn a_pulse() -> Pulse {
        let pulse = Pulse::default();
        pulse.begin(SECOND * 10, std::iter::once(QueueName::default()));
        pulse.beat(SECOND * 100);
        pulse
    }

    #[test]
    fn a_worker_that_has_not_begun_is_no_fault() {
        assert_eq!(Pulse::default().vitals().fault(SECOND * 100), None);
        assert!(Pulse::default().vitals().is_alive(SECOND * 100));
    }

    #[test]
    fn a_queue_that_fails_or_is_silent_is_named_until_it_answers() {
        let pulse = a_pulse();
        assert_eq!(pulse.vitals().fault(SECOND * 101), None);
        pulse.failed(0, "refused");
        let fault = pulse.vitals().fault(SECOND * 101).unwrap();
        assert_eq!(fault, "queue default can't be reached: refused");
        pulse.cycled(0, SECOND * 101);
        assert_eq!(pulse.vitals().fault(SECOND * 111), None);
        let fault = pulse.vitals().fault(SECOND * 112).unwrap();
        assert_eq!(fault, "queue default hasn't answered the worker for 11s");
    }

    #[test]
    fn a_loop_that_takes_no_step_stands() {
        let vitals = a_pulse().vitals();
        assert!(vitals.is_alive(SECOND * 130));
        assert!(!vitals.is_alive(SECOND * 131));
        assert_eq!(vitals.fault(SECOND * 131).unwrap(), "the worker's loop has stood for 31s");
    }
}
