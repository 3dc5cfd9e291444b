//! Whether a history keeps the queue's promises.
//!
//! Workers' words come in by several pipes, so the order of two workers' words proves nothing. All
//! rules here hold in any order: they compare who settled which attempt with what the queue kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use gristmill_job::{JobId, StateName};

use crate::history::{History, ProcessNumber, Record, Seen, What, is_final};

mod index;

/// How far back a server that writes to disk once a second may forget: it puts a write off for up to
/// two seconds while the last one is still on its way.
const ROLLBACK: Duration = Duration::from_secs(3);

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub rule: Rule,
    /// On which job, if on one.
    pub job: Option<JobId>,
    /// What shows it.
    pub story: String,
}

/// What the queue promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// An accepted job is there.
    NoneLost,
    /// A job comes to its end.
    NoneLeft,
    /// A job that nobody enqueued isn't there.
    NoneMadeUp,
    /// An attempt is settled once, and a job comes to its end once.
    SettledOnce,
    /// Once a job was given to another attempt, no earlier one can settle it.
    Fenced,
    /// An attempt belongs to one worker, who begins it once.
    BegunOnce,
    /// What is completed was run.
    Run,
    /// Attempts, failures and crashes add up.
    Counted,
    /// Counts and lists of a queue agree with its jobs.
    Indexed,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Promises that were broken.
    pub breaches: Vec<Breach>,
    /// What would be breaches if the server had not been allowed to forget the last moment before
    /// it was killed.
    pub forgiven: Vec<Breach>,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let job = self.job.map(|job| format!(" job {job}")).unwrap_or_default();
        write!(f, "{:?}:{job} {}", self.rule, self.story)
    }
}

/// Checks a history against all rules.
#[must_use]
pub fn check(history: &History) -> Findings {
    let lives = Life::of_all(history);
    let mut breaches: Vec<Breach> = lives.values().flat_map(Life::breaches).collect();
    breaches.extend(index::breaches(history));
    let (forgiven, breaches) = breaches.into_iter().partition(|breach| {
        let life = breach.job.and_then(|job| lives.get(&job));
        match life {
            Some(life) => life.touches_a_rollback(&history.rollbacks),
            // Totals of a queue hang on all of its jobs.
            None => !history.rollbacks.is_empty(),
        }
    });
    Findings { breaches, forgiven }
}

/// All that is known of one job.
struct Life<'a> {
    id: JobId,
    accepted: Option<Duration>,
    record: Option<&'a Record>,
    seen: Vec<&'a Seen>,
}

impl<'a> Life<'a> {
    fn of_all(history: &'a History) -> BTreeMap<JobId, Self> {
        let mut lives: BTreeMap<JobId, Self> = BTreeMap::new();
        let new = |id| Life { id, accepted: None, record: None, seen: Vec::new() };
        for accepted in &history.accepted {
            lives.entry(accepted.id).or_insert_with_key(|id| new(*id)).accepted = Some(accepted.at);
        }
        for (id, record) in &history.records {
            lives.entry(*id).or_insert_with_key(|id| new(*id)).record = Some(record);
        }
        for seen in &history.seen {
            lives.entry(seen.job).or_insert_with_key(|id| new(*id)).seen.push(seen);
        }
        lives
    }

    fn touches_a_rollback(&self, rollbacks: &[Duration]) -> bool {
        let times = self.accepted.into_iter().chain(self.seen.iter().map(|seen| seen.at));
        let mut times = times.collect::<Vec<_>>().into_iter();
        times.any(|at| rollbacks.iter().any(|kill| at <= *kill && *kill - at <= ROLLBACK))
    }

    fn breaches(&self) -> Vec<Breach> {
        let Some(record) = self.record else { return self.without_a_record() };
        let mut breaches = Vec::new();
        let mut broken = |rule, faults: Vec<String>| {
            breaches.extend(faults.into_iter().map(|fault| self.breach(rule, &fault)));
        };
        if self.accepted.is_none() {
            broken(Rule::NoneMadeUp, vec!["nobody was told that it is taken over".to_owned()]);
        }
        if !is_final(record.state) {
            broken(Rule::NoneLeft, vec![format!("it is {} at the end", record.state)]);
        }
        broken(Rule::BegunOnce, self.begun_twice());
        broken(Rule::SettledOnce, self.settled_twice());
        broken(Rule::Fenced, self.settled_in_vain(record));
        broken(Rule::Run, self.never_run(record));
        broken(Rule::Counted, self.miscounted(record));
        breaches
    }

    fn without_a_record(&self) -> Vec<Breach> {
        if self.accepted.is_some() {
            vec![self.breach(Rule::NoneLost, "its producer was told that it is taken over")]
        } else {
            vec![self.breach(Rule::NoneMadeUp, "it was run, and there is no record of it")]
        }
    }

    fn breach(&self, rule: Rule, fault: &str) -> Breach {
        let seen = self.seen.iter().map(|seen| {
            let (at, who) = (seen.at.as_secs_f64(), seen.process.0);
            format!("\n  {at:.3} process {who} attempt {}: {:?}", seen.attempt, seen.what)
        });
        let story = format!(
            "{fault}\n  accepted at {:?}, record {:?}{}",
            self.accepted,
            self.record,
            seen.collect::<String>()
        );
        Breach { rule, job: Some(self.id), story }
    }

    fn of(&self, what: impl Fn(What) -> bool) -> impl Iterator<Item = &&'a Seen> {
        self.seen.iter().filter(move |seen| what(seen.what))
    }

    fn begun(&self) -> impl Iterator<Item = &&'a Seen> {
        self.of(|what| what == What::Begun)
    }

    /// How often a process gave an attempt back, or was told that it isn't its own any more; with an
    /// answer that got lost the one looks like the other. An attempt that was given back counts as
    /// nothing, so the next one has its number.
    fn given_up(&self, attempt: u32, by: ProcessNumber) -> usize {
        self.of(|what| matches!(what, What::Released | What::Lost))
            .filter(|seen| (seen.attempt, seen.process) == (attempt, by))
            .count()
    }

    /// What was settled, and recorded so.
    fn recorded(&self) -> impl Iterator<Item = &&'a Seen> {
        self.of(|what| matches!(what, What::Settled(_)))
    }

    fn begun_twice(&self) -> Vec<String> {
        let mut begun: BTreeMap<u32, BTreeMap<ProcessNumber, usize>> = BTreeMap::new();
        for seen in self.begun() {
            *begun.entry(seen.attempt).or_default().entry(seen.process).or_default() += 1;
        }
        // Whoever began it must have given it up before anybody else may.
        let twice = begun.into_iter().filter(|(attempt, by)| {
            let kept = |(process, times): (&ProcessNumber, &usize)| {
                times.saturating_sub(self.given_up(*attempt, *process))
            };
            by.iter().map(kept).sum::<usize>() > 1
        });
        let who = |by: BTreeMap<ProcessNumber, usize>| by.into_keys().collect::<Vec<_>>();
        twice.map(|(attempt, by)| format!("attempt {attempt} was begun by {:?}", who(by))).collect()
    }

    fn settled_twice(&self) -> Vec<String> {
        let mut attempts = BTreeSet::new();
        let twice = self.recorded().filter(|seen| !attempts.insert(seen.attempt));
        let mut faults: Vec<String> =
            twice.map(|seen| format!("attempt {} was settled twice", seen.attempt)).collect();
        let ends = self.of(|what| what.ended_in().is_some()).count();
        if ends > 1 {
            faults.push(format!("it came to its end {ends} times"));
        }
        faults
    }

    fn settled_in_vain(&self, record: &Record) -> Vec<String> {
        let mut faults = Vec::new();
        for end in &self.seen {
            let Some(state) = end.what.ended_in() else { continue };
            let attempt = end.attempt;
            if self.begun().any(|begun| begun.attempt > attempt) {
                faults.push(format!("attempt {attempt} settled it, and later ones were begun"));
            } else if (state, attempt) != (record.state, record.attempt) {
                faults.push(format!("attempt {attempt} settled it as {state}, and it is not"));
            }
        }
        for settled in self.recorded() {
            let of_it = || self.begun().filter(|begun| begun.attempt == settled.attempt);
            let is_its_own = of_it().any(|begun| begun.process == settled.process);
            if of_it().next().is_some() && !is_its_own {
                faults.push(format!("attempt {} was settled by another worker", settled.attempt));
            }
        }
        faults
    }

    fn never_run(&self, record: &Record) -> Vec<String> {
        let ran = self.begun().any(|begun| begun.attempt == record.attempt);
        if record.state == StateName::Completed && !ran {
            return vec![format!("nobody began its last attempt, which is {}", record.attempt)];
        }
        Vec::new()
    }

    fn miscounted(&self, record: &Record) -> Vec<String> {
        let mut faults = Vec::new();
        let begun: BTreeSet<u32> = self.begun().map(|seen| seen.attempt).collect();
        if begun.last().is_some_and(|last| *last > record.attempt) {
            faults.push(format!("attempts {begun:?} were begun"));
        }
        let ended = u32::from(record.state == StateName::Completed);
        let spent = record.failures + record.crashes + ended;
        if spent > record.attempt {
            faults.push(format!("{spent} attempts have ended"));
        }
        let failed = self.of(|what| matches!(what, What::Settled(StateName::Scheduled))).count();
        if failed > record.failures as usize {
            faults.push(format!("{failed} attempts have failed"));
        }
        faults
    }
}

#[cfg(test)]
mod tests;
