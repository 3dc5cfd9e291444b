//! Which faults happen when: a pure function of a seed, so that a run can be repeated.

use std::fmt;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A worker is killed, and started again at the end.
    WorkerKilled(usize),
    /// A worker stands still, for longer than its lease.
    WorkerStopped(usize),
    /// The server is killed, and started again at the end with what it had on disk.
    ServerKilled,
    /// The server stands still.
    ServerAsleep,
    /// The server takes no commands from anybody.
    ClientsPaused,
    /// The server ends all its connections.
    ClientsKilled,
    /// The server forgets all scripts.
    ScriptsFlushed,
    /// Connections are cut.
    Cut(Way),
    /// Nothing is delivered, and nobody is told.
    Swallowed(Way),
    /// Nothing is delivered, and connections are refused.
    Refused(Way),
    /// Everything is delivered late.
    Late(Way),
}

/// A way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A worker's.
    Worker(usize),
    /// The producers'.
    Producers,
    /// All of them.
    All,
}

/// A fault in its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// How long nothing goes wrong before it.
    pub calm: Duration,
    /// What goes wrong.
    pub fault: Fault,
    /// How long it lasts.
    pub hold: Duration,
    /// Whether everybody is given time to recover before the next. If not, it meets a system that is
    /// still at work on this one.
    pub recover: bool,
}

/// Faults without an end: a killed worker, every kind once in an order by chance, then all again.
#[derive(Debug)]
pub struct Plan {
    rng: SmallRng,
    workers: usize,
    lease: Duration,
    hand: Vec<Fault>,
}

impl Plan {
    /// The faults of this seed for so many workers, whose lease is this long.
    #[must_use]
    pub fn new(seed: u64, workers: usize, lease: Duration) -> Self {
        let rng = SmallRng::seed_from_u64(seed);
        let mut plan = Self { rng, workers, lease, hand: Vec::new() };
        // The shortest run has seen a worker die.
        plan.hand = plan.deal();
        let first = plan.worker();
        plan.hand.push(Fault::WorkerKilled(first));
        plan
    }

    /// Every kind of fault once.
    fn deal(&mut self) -> Vec<Fault> {
        let mut hand = vec![
            Fault::WorkerKilled(self.worker()),
            Fault::WorkerKilled(self.worker()),
            Fault::WorkerStopped(self.worker()),
            Fault::ServerKilled,
            Fault::ServerAsleep,
            Fault::ClientsPaused,
            Fault::ClientsKilled,
            Fault::ScriptsFlushed,
            Fault::Cut(Way::All),
            Fault::Swallowed(Way::Worker(self.worker())),
            Fault::Swallowed(self.way()),
            Fault::Refused(self.way()),
            Fault::Late(self.way()),
        ];
        hand.shuffle(&mut self.rng);
        hand
    }

    fn worker(&mut self) -> usize {
        self.rng.random_range(0..self.workers)
    }

    fn way(&mut self) -> Way {
        match self.rng.random_range(0..3) {
            0 => Way::Worker(self.worker()),
            1 => Way::Producers,
            _ => Way::All,
        }
    }

    /// How long a fault lasts: a standing worker always outlives its lease, others sometimes, and
    /// some outlast the patience of whoever waits for an answer.
    fn hold(&mut self, fault: Fault) -> Duration {
        let lease = self.lease.as_secs_f64();
        let seconds = match fault {
            Fault::WorkerStopped(_) => self.rng.random_range(1.1..1.6) * lease,
            Fault::WorkerKilled(_) => self.rng.random_range(0.0..0.8) * lease,
            Fault::ServerKilled => self.rng.random_range(0.0..1.5) * lease,
            Fault::Swallowed(_) | Fault::Refused(_) => self.rng.random_range(0.2..2.4) * lease,
            Fault::ServerAsleep | Fault::ClientsPaused | Fault::Late(_) => {
                self.rng.random_range(0.1..0.7) * lease
            }
            Fault::ClientsKilled | Fault::ScriptsFlushed | Fault::Cut(_) => 0.0,
        };
        Duration::from_secs_f64(seconds)
    }
}

impl Iterator for Plan {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        if self.hand.is_empty() {
            self.hand = self.deal();
        }
        let fault = self.hand.pop()?;
        let calm = Duration::from_millis(self.rng.random_range(50..400));
        let hold = self.hold(fault);
        Some(Planned { calm, fault, hold, recover: self.rng.random_bool(0.7) })
    }
}

impl Fault {
    /// The fault's kind, without who is struck by it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::WorkerKilled(_) => "worker killed (-9)",
            Self::WorkerStopped(_) => "worker stopped beyond its lease",
            Self::ServerKilled => "server killed (-9)",
            Self::ServerAsleep => "DEBUG SLEEP",
            Self::ClientsPaused => "CLIENT PAUSE",
            Self::ClientsKilled => "CLIENT KILL",
            Self::ScriptsFlushed => "SCRIPT FLUSH",
            Self::Cut(_) => "connections cut",
            Self::Swallowed(_) => "packets swallowed",
            Self::Refused(_) => "connections refused",
            Self::Late(_) => "packets late",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::WorkerKilled(worker) | Self::WorkerStopped(worker) => {
                write!(f, "{kind}: worker {worker}")
            }
            Self::Cut(way) | Self::Swallowed(way) | Self::Refused(way) | Self::Late(way) => {
                write!(f, "{kind}: {way:?}")
            }
            _ => f.write_str(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LEASE: Duration = Duration::from_secs(2);

    fn faults(seed: u64, count: usize) -> Vec<Planned> {
        Plan::new(seed, 3, LEASE).take(count).collect()
    }

    #[test]
    fn a_seed_gives_the_same_faults_again() {
        assert_eq!(faults(1, 100), faults(1, 100));
        assert_ne!(faults(1, 100), faults(2, 100));
    }

    #[test]
    fn every_kind_comes_before_any_comes_again() {
        for seed in 0..20 {
            let faults = faults(seed, 14);
            assert!(matches!(faults[0].fault, Fault::WorkerKilled(_)));
            let kinds: BTreeSet<_> = faults[1..].iter().map(|p| p.fault.kind()).collect();
            assert_eq!(kinds.len(), 11, "{kinds:?}");
        }
    }

    #[test]
    fn a_stopped_worker_outlives_its_lease_and_nothing_lasts_for_ever() {
        for planned in faults(3, 1_000) {
            if matches!(planned.fault, Fault::WorkerStopped(_)) {
                assert!(planned.hold > LEASE, "{planned:?}");
            }
            assert!(planned.hold < 3 * LEASE, "{planned:?}");
        }
    }

    #[test]
    fn every_worker_has_its_turn() {
        let struck: BTreeSet<_> = faults(4, 500)
            .iter()
            .filter_map(|planned| match planned.fault {
                Fault::WorkerKilled(worker) => Some(worker),
                _ => None,
            })
            .collect();
        assert_eq!(struck, BTreeSet::from([0, 1, 2]));
    }
}
