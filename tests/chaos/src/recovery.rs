//! How long it takes until the work goes on, and how much of it is done for nothing.

use std::time::Duration;

use gristmill_job::{StateName, limits};

use crate::history::{History, Kill, Seen, What};

/// A job whose worker was killed while it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rerun {
    /// How long after the kill it was begun again.
    pub after: Duration,
    /// Nothing else went wrong in the meantime.
    pub alone: bool,
}

/// How long after each kill the jobs that ran there were begun again. Jobs whose settlement was
/// recorded, only that nobody heard of it, aren't.
#[must_use]
pub fn reruns(history: &History) -> Vec<Rerun> {
    history.kills.iter().flat_map(|kill| reruns_after(history, *kill)).collect()
}

fn reruns_after(history: &History, kill: Kill) -> Vec<Rerun> {
    let mine = |seen: &&Seen| seen.process == kill.process;
    let begun = history.seen.iter().filter(mine).filter(|seen| seen.what == What::Begun);
    let held = begun.filter(|begun| {
        let mut ends = history.seen.iter().filter(mine).filter(|seen| seen.what != What::Begun);
        !ends.any(|end| (end.job, end.attempt) == (begun.job, begun.attempt))
    });
    held.filter_map(|held| {
        let again = history.seen.iter().filter(|seen| seen.what == What::Begun);
        let again = again.filter(|seen| seen.job == held.job && seen.attempt > held.attempt);
        let after = again.map(|seen| seen.at).min()?.saturating_sub(kill.at);
        // One that had failed waits for its retry, which is no recovery.
        let record = history.records.get(&held.job)?;
        (record.crashes > 0).then_some(Rerun { after, alone: kill.alone })
    })
    .collect()
}

/// The longest time for which two workers ran one job: the first had lost its lease and went on. It
/// can't be helped for one that was stopped, or whose process was; everybody else ought to know when
/// the lease ends.
#[must_use]
pub fn longest_overlap(history: &History) -> Duration {
    let begun = || history.seen.iter().filter(|seen| seen.what == What::Begun);
    let overlaps =
        begun().filter(|first| !history.stops.contains(&first.process)).filter_map(|first| {
            let next = begun().filter(|next| next.job == first.job && next.attempt > first.attempt);
            let next =
                next.filter(|next| next.process != first.process).map(|next| next.at).min()?;
            let mine = history.seen.iter().filter(|seen| seen.process == first.process);
            let told = mine.filter(|seen| (seen.job, seen.attempt) == (first.job, first.attempt));
            let told = told.filter(|seen| seen.what != What::Begun).map(|seen| seen.at);
            let killed = history.kills.iter().filter(|kill| kill.process == first.process);
            let end = told.chain(killed.map(|kill| kill.at)).min()?;
            Some(end.saturating_sub(next))
        });
    overlaps.max().unwrap_or_default()
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
        assert_eq!(reruns(&history(1, &told)), [Rerun { after, alone: true }]);
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
    fn an_overlap_ends_when_the_first_worker_stops() {
        let told = [(8, 1, 1, What::Begun), (12, 2, 2, What::Begun), (15, 1, 1, What::Lost)];
        assert_eq!(longest_overlap(&history(1, &told)), Duration::from_secs(3));
        // A killed one stopped with its process.
        let told = [(8, 0, 1, What::Begun), (9, 2, 2, What::Begun)];
        assert_eq!(longest_overlap(&history(1, &told)), Duration::from_secs(1));
        let told = [(8, 0, 1, What::Begun), (12, 2, 2, What::Begun)];
        assert_eq!(longest_overlap(&history(1, &told)), Duration::ZERO);
    }

    #[test]
    fn work_is_summed_up() {
        let told = [(9, 0, 1, What::Begun), (13, 1, 2, What::Begun), (14, 0, 1, What::Lost)];
        let expected = Work { completed: 1, begun: 2, in_vain: 1, unheard: 1, ..Work::default() };
        assert_eq!(work(&history(1, &told)), expected);
    }
}
