//! How long it takes until the work goes on, and how much of it is done for nothing.

use std::time::Duration;

use gristmill_job::{StateName, limits};

use crate::history::{History, Kill, Seen, What};

/// A killed worker, some of whose jobs were begun again elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rerun {
    /// How many jobs.
    pub jobs: usize,
    /// How long after the kill the first of them was begun again.
    pub first: Duration,
    /// And the last: jobs under which a worker died run one at a time, since one of them may be what
    /// killed it.
    pub last: Duration,
    /// Nothing else went wrong in the meantime.
    pub alone: bool,
}

/// How long after each kill the jobs that ran there were begun again. Jobs whose settlement was
/// recorded, only that nobody heard of it, aren't.
#[must_use]
pub fn reruns(history: &History) -> Vec<Rerun> {
    let rerun = |kill: &Kill| {
        let after = begun_again(history, *kill);
        let (first, last) = (*after.iter().min()?, *after.iter().max()?);
        Some(Rerun { jobs: after.len(), first, last, alone: kill.alone })
    };
    history.kills.iter().filter_map(rerun).collect()
}

fn begun_again(history: &History, kill: Kill) -> Vec<Duration> {
    let mine = |seen: &&Seen| seen.process == kill.process;
    let begun = history.seen.iter().filter(mine).filter(|seen| seen.what == What::Begun);
    let held = begun.filter(|begun| {
        let mut ends = history.seen.iter().filter(mine).filter(|seen| seen.what != What::Begun);
        !ends.any(|end| (end.job, end.attempt) == (begun.job, begun.attempt))
    });
    held.filter_map(|held| {
        let again = history.seen.iter().filter(|seen| seen.what == What::Begun);
        let again = again.filter(|seen| seen.job == held.job && seen.attempt > held.attempt);
        let after = again.map(|seen| seen.at).min()?.checked_sub(kill.at)?;
        // One that had failed waits for its retry, which is no recovery.
        let record = history.records.get(&held.job)?;
        (record.crashes > 0).then_some(after)
    })
    .collect()
}

/// Jobs by what they came to, and attempts that nobody needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Completed jobs.
    pub completed: usize,
    /// Failed ones.
    pub failed: usize,
    /// Failed ones under which too many workers died.
    pub poisoned: usize,
    /// Attempts that were begun.
    pub begun: usize,
    /// Settlements that were refused, or never sent, because the job was another worker's.
    pub in_vain: usize,
    /// Jobs that were completed, of which no worker heard so.
    pub unheard: usize,
}

/// Sums up a history.
#[must_use]
pub fn work(history: &History) -> Work {
    let jobs = |state| history.records.values().filter(|record| record.state == state).count();
    let seen = |what| history.seen.iter().filter(|seen| seen.what == what).count();
    let poisoned = history.records.values().filter(|record| {
        record.state == StateName::Failed && record.crashes >= limits::CRASHES_MAX
    });
    let heard = seen(What::Settled(StateName::Completed));
    Work {
        completed: jobs(StateName::Completed),
        failed: jobs(StateName::Failed),
        poisoned: poisoned.count(),
        begun: seen(What::Begun),
        in_vain: seen(What::Lost),
        unheard: jobs(StateName::Completed).saturating_sub(heard),
    }
}

#[cfg(test)]
mod tests {
    use gristmill_job::JobId;

    use super::*;
    use crate::history::{ProcessNumber, Record};

    const KILL: Duration = Duration::from_secs(10);

    fn history(crashes: u32, seen: &[(u64, usize, u32, What)]) -> History {
        let job = JobId::random();
        let seen = seen.iter().map(|(at, process, attempt, what)| Seen {
            at: Duration::from_secs(*at),
            process: ProcessNumber(*process),
            job,
            attempt: *attempt,
            what: *what,
        });
        let mut history = History { seen: seen.collect(), ..History::default() };
        history.kills.push(Kill { at: KILL, process: ProcessNumber(0), alone: true });
        let record = Record { state: StateName::Completed, attempt: 2, failures: 0, crashes };
        history.records.insert(job, record);
        history
    }

    #[test]
    fn a_rerun_is_counted_from_the_kill() {
        let told = [(9, 0, 1, What::Begun), (13, 1, 2, What::Begun)];
        let after = Duration::from_secs(3);
        let expected = Rerun { jobs: 1, first: after, last: after, alone: true };
        assert_eq!(reruns(&history(1, &told)), [expected]);
    }

    #[test]
    fn what_had_ended_before_the_kill_is_no_rerun() {
        let retried = What::Settled(StateName::Scheduled);
        let told = [(8, 0, 1, What::Begun), (9, 0, 1, retried), (13, 1, 2, What::Begun)];
        assert!(reruns(&history(0, &told)).is_empty());
        let told = [(9, 1, 1, What::Begun), (13, 1, 2, What::Begun)];
        assert!(reruns(&history(1, &told)).is_empty());
        let told = [(9, 0, 1, What::Begun)];
        assert!(reruns(&history(0, &told)).is_empty());
    }

    #[test]
    fn work_is_summed_up() {
        let told = [(9, 0, 1, What::Begun), (13, 1, 2, What::Begun), (14, 0, 1, What::Lost)];
        let expected = Work { completed: 1, begun: 2, in_vain: 1, unheard: 1, ..Work::default() };
        assert_eq!(work(&history(1, &told)), expected);
    }
}
