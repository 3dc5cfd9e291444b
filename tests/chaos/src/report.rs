//! What a run came to: figures to read, and promises to be held to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use gristmill_test_redis::Fsync;

use crate::check::{Findings, Rule, check};
use crate::history::History;
use crate::journal::Answers;
use crate::plan::Fault;
use crate::recovery::{Rerun, Work, reruns, work};
use crate::run::Options;

/// How long a worker may take to be at work again once nothing goes wrong any more: a request that
/// was on its way has its time to be given up, and the connection its time to be made anew. Where
/// the worker itself was started again, it has compiled its plugins by then.
const RECOVERY_MAX: Duration = Duration::from_secs(10);

/// How long beyond its lease a killed worker's jobs may wait.
const RERUN_MAX: Duration = Duration::from_secs(2);

/// Breaches that are told in full; a fault of the queue shows in many jobs at once.
const BREACHES_TOLD_MAX: usize = 10;

/// A worker that was at work again after a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recovery {
    pub(crate) fault: Fault,
    pub(crate) worker: usize,
    pub(crate) took: Duration,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    options: Options,
    history: History,
    findings: Findings,
    faults: Vec<Fault>,
    recoveries: Vec<Recovery>,
    reruns: Vec<Rerun>,
    answers: Answers,
}

impl Report {
    pub(crate) fn new(
        options: Options,
        history: History,
        faults: Vec<Fault>,
        recoveries: Vec<Recovery>,
        answers: Answers,
    ) -> Self {
        let (findings, reruns) = (check(&history), reruns(&history));
        Self { options, history, findings, faults, recoveries, reruns, answers }
    }

    /// Every promise that was broken, one a line; none, if all were kept.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let told = self.findings.breaches.iter().take(BREACHES_TOLD_MAX);
        let mut broken: Vec<String> = told.map(ToString::to_string).collect();
        let untold = self.findings.breaches.len().saturating_sub(BREACHES_TOLD_MAX);
        if untold > 0 {
            broken.push(format!("and {untold} breaches more"));
        }
        for Recovery { fault, worker, took } in &self.recoveries {
            if *took > RECOVERY_MAX {
                broken.push(format!("worker {worker} was back {took:.1?} after: {fault}"));
            }
        }
        let max = self.options.lease + RERUN_MAX;
        for Rerun { first, .. } in self.reruns.iter().filter(|r| r.alone && r.first > max) {
            broken.push(format!("a killed worker's jobs waited {first:.1?}, not {max:?}"));
        }
        if self.history.accepted.is_empty() || self.faults.is_empty() {
            broken.push("nothing happened, which proves nothing".to_owned());
        }
        broken
    }

    fn breaches(&self, rules: &[Rule]) -> usize {
        self.findings.breaches.iter().filter(|breach| rules.contains(&breach.rule)).count()
    }

    fn kinds(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for fault in &self.faults {
            *kinds.entry(fault.kind()).or_default() += 1;
        }
        kinds
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { seed, workers, lease, server, fsync, .. } = &self.options;
        let fsync = if *fsync == Fsync::Always { "always" } else { "everysec" };
        writeln!(f, "{}, appendfsync {fsync}, {workers} workers", server.version)?;
        writeln!(f, "lease {lease:?}, seed {seed}\n")?;
        let Work { completed, failed, poisoned, begun, in_vain, unheard } = work(&self.history);
        let Answers { conflicts, duplicates, unknown } = self.answers;
        let mut row = |name: &str, value: String| writeln!(f, "{name:<44}{value:>10}");
        row("jobs accepted", self.history.accepted.len().to_string())?;
        row("  completed", completed.to_string())?;
        row("  failed", failed.to_string())?;
        row("  of which a worker died under too often", poisoned.to_string())?;
        row("refused: unique key held", conflicts.to_string())?;
        row("enqueue requests repeated", unknown.to_string())?;
        row("  of which had arrived", duplicates.to_string())?;
        row("attempts begun", begun.to_string())?;
        row("attempts in vain", in_vain.to_string())?;
        row("completions that nobody heard of", unheard.to_string())?;
        for (kind, count) in self.kinds() {
            row(&format!("fault: {kind}"), count.to_string())?;
        }
        let slowest = self.recoveries.iter().max_by_key(|recovery| recovery.took);
        row("slowest worker back at work", seconds(slowest.map(|recovery| recovery.took)))?;
        if let Some(Recovery { fault, worker, .. }) = slowest {
            row("  which was", format!("worker {worker}, after: {fault}"))?;
        }
        let jobs = self.reruns.iter().map(|rerun| rerun.jobs).sum::<usize>();
        row("killed workers' jobs begun again", jobs.to_string())?;
        let alone = || self.reruns.iter().filter(|rerun| rerun.alone);
        row("  slowest first one, no other fault", seconds(alone().map(|r| r.first).max()))?;
        row("  slowest last one, no other fault", seconds(alone().map(|r| r.last).max()))?;
        row("  slowest of all", seconds(self.reruns.iter().map(|r| r.last).max()))?;
        row("lost", self.breaches(&[Rule::NoneLost, Rule::NoneLeft]).to_string())?;
        row("doubled", self.breaches(&[Rule::SettledOnce, Rule::BegunOnce]).to_string())?;
        row("settled by a fenced worker", self.breaches(&[Rule::Fenced]).to_string())?;
        row("all breaches", self.findings.breaches.len().to_string())?;
        row("forgotten by the server itself", self.findings.forgiven.len().to_string())
    }
}

fn seconds(duration: Option<Duration>) -> String {
    duration
        .map_or_else(|| "none".to_owned(), |duration| format!("{:.2} s", duration.as_secs_f64()))
}
