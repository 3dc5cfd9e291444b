//! The checker is shown a history for each promise, broken in that one, and finds it.

use std::time::Duration;

use gristmill_job::{JobId, QueueName, StateName};
use gristmill_queue::{Counts, QueueStatus, Totals};

use super::{Findings, Rule, check};
use crate::history::{Accepted, History, ProcessNumber, Record, Seen, Standing, What};

const COMPLETED: What = What::Settled(StateName::Completed);
const RETRIED: What = What::Settled(StateName::Scheduled);

/// A history of one job that was accepted, tried as told, and ended as recorded.
struct Told {
    id: JobId,
    history: History,
}

impl Told {
    fn completed(attempt: u32) -> Self {
        let (id, queue) = (JobId::random(), QueueName::default());
        let mut told = Self { id, history: History::default() };
        told.history.accepted.push(Accepted { id, queue, at: Duration::ZERO });
        told.recorded(StateName::Completed, attempt, 0, 0)
    }

    fn recorded(mut self, state: StateName, attempt: u32, failures: u32, crashes: u32) -> Self {
        self.history.records.insert(self.id, Record { state, attempt, failures, crashes });
        let mut status = QueueStatus::empty(QueueName::default());
        let count = |wanted| u64::from(state == wanted);
        status.counts = Counts {
            queued: count(StateName::Queued),
            completed: count(StateName::Completed),
            failed: count(StateName::Failed),
            ..Counts::default()
        };
        status.totals = Totals {
            enqueued: 1,
            completed: count(StateName::Completed),
            failed: count(StateName::Failed),
            ..Totals::default()
        };
        self.history.queues = vec![Standing { status, listed: vec![(state, self.id)] }];
        self
    }

    fn seen(mut self, process: usize, attempt: u32, what: What) -> Self {
        let at = Duration::from_secs(self.history.seen.len() as u64 + 1);
        let process = ProcessNumber(process);
        self.history.seen.push(Seen { at, process, job: self.id, attempt, what });
        self
    }

    fn run(self, process: usize, attempt: u32, what: What) -> Self {
        self.seen(process, attempt, What::Begun).seen(process, attempt, what)
    }

    fn and(mut self, change: impl FnOnce(&mut History)) -> Self {
        change(&mut self.history);
        self
    }

    #[track_caller]
    fn keeps_all(&self) {
        let Findings { breaches, forgiven } = check(&self.history);
        assert!(breaches.is_empty() && forgiven.is_empty(), "{breaches:?} {forgiven:?}");
    }

    #[track_caller]
    fn breaks(&self, rule: Rule) {
        let found = check(&self.history).breaches;
        assert!(found.iter().any(|breach| breach.rule == rule), "{found:?}");
    }
}

#[test]
fn a_history_that_keeps_all_promises_has_no_breach() {
    Told::completed(1).run(0, 1, COMPLETED).keeps_all();
    // Nobody heard of the settlement, since its worker was killed with the reply on its way.
    Told::completed(1).seen(0, 1, What::Begun).keeps_all();
    // A retry, a release, a crash, and an attempt whose worker learned late that it was in vain.
    Told::completed(3)
        .recorded(StateName::Completed, 3, 1, 1)
        .run(0, 1, RETRIED)
        .run(0, 2, What::Released)
        .seen(1, 2, What::Begun)
        .run(2, 3, COMPLETED)
        .seen(1, 2, What::Lost)
        .keeps_all();
    // Its third worker died under it, and nobody tries again.
    let begun = |told: Told, attempt| told.seen(attempt as usize, attempt, What::Begun);
    let poisoned = Told::completed(3).recorded(StateName::Failed, 3, 0, 3);
    (1..=3).fold(poisoned, begun).keeps_all();
}

#[test]
fn a_lost_job_is_found() {
    let told = Told::completed(1).run(0, 1, COMPLETED);
    told.and(|history| history.records.clear()).breaks(Rule::NoneLost);
}

#[test]
fn a_job_that_is_left_over_is_found() {
    Told::completed(1).recorded(StateName::Queued, 0, 0, 0).breaks(Rule::NoneLeft);
}

#[test]
fn a_job_that_nobody_enqueued_is_found() {
    let told = Told::completed(1).run(0, 1, COMPLETED);
    told.and(|history| history.accepted.clear()).breaks(Rule::NoneMadeUp);
    let told = Told::completed(1).run(0, 1, COMPLETED);
    let nothing_known = |history: &mut History| {
        history.accepted.clear();
        history.records.clear();
    };
    told.and(nothing_known).breaks(Rule::NoneMadeUp);
}

#[test]
fn a_doubled_settlement_is_found() {
    Told::completed(1).run(0, 1, COMPLETED).seen(0, 1, COMPLETED).breaks(Rule::SettledOnce);
    Told::completed(2).run(0, 1, COMPLETED).run(1, 2, COMPLETED).breaks(Rule::SettledOnce);
    Told::completed(2)
        .recorded(StateName::Completed, 2, 1, 0)
        .run(0, 1, RETRIED)
        .seen(0, 1, RETRIED)
        .run(0, 2, COMPLETED)
        .breaks(Rule::SettledOnce);
}

#[test]
fn a_settlement_of_a_fenced_worker_is_found() {
    // Its job was leased to another worker, who never said how it went.
    Told::completed(2).seen(1, 2, What::Begun).run(0, 1, COMPLETED).breaks(Rule::Fenced);
    // Its settlement overwrote the other's.
    Told::completed(1).run(0, 1, COMPLETED).seen(1, 2, What::Begun).breaks(Rule::Fenced);
    Told::completed(1).seen(0, 1, What::Begun).seen(1, 1, COMPLETED).breaks(Rule::Fenced);
    let failed = Told::completed(1).recorded(StateName::Failed, 1, 1, 0);
    failed.run(0, 1, COMPLETED).breaks(Rule::Fenced);
    // A retry that was recorded after the lease had lapsed: the attempt has ended twice.
    Told::completed(2)
        .recorded(StateName::Completed, 2, 1, 1)
        .run(0, 1, RETRIED)
        .run(1, 2, COMPLETED)
        .breaks(Rule::Counted);
}

#[test]
fn an_attempt_of_two_workers_is_found() {
    let told = Told::completed(1).seen(1, 1, What::Begun);
    told.run(0, 1, COMPLETED).breaks(Rule::BegunOnce);
    // That another one gave up what it never began is no excuse.
    let told = Told::completed(1).seen(1, 1, What::Begun).seen(2, 1, What::Lost);
    told.run(0, 1, COMPLETED).breaks(Rule::BegunOnce);
}

#[test]
fn a_job_that_is_completed_and_was_never_run_is_found() {
    Told::completed(1).breaks(Rule::Run);
    Told::completed(2).seen(0, 1, What::Begun).breaks(Rule::Run);
}

#[test]
fn attempts_that_do_not_add_up_are_found() {
    Told::completed(1).run(0, 2, COMPLETED).breaks(Rule::Counted);
    Told::completed(2).run(0, 1, RETRIED).run(0, 2, COMPLETED).breaks(Rule::Counted);
    let told = Told::completed(1).recorded(StateName::Completed, 1, 0, 1);
    told.run(0, 1, COMPLETED).breaks(Rule::Counted);
}

#[test]
fn an_index_that_does_not_agree_is_found() {
    let told = || Told::completed(1).run(0, 1, COMPLETED);
    told().and(|h| h.queues[0].status.counts.running = 1).breaks(Rule::Indexed);
    told().and(|h| h.queues[0].status.totals.enqueued = 2).breaks(Rule::Indexed);
    told().and(|h| h.queues[0].status.waiting_bytes = 1).breaks(Rule::Indexed);
    told().and(|h| h.queues[0].listed.clear()).breaks(Rule::Indexed);
    told().and(|h| h.queues[0].listed[0].0 = StateName::Failed).breaks(Rule::Indexed);
    told()
        .and(|h| h.queues[0].listed.push((StateName::Completed, JobId::random())))
        .breaks(Rule::Indexed);
}

#[test]
fn what_the_server_may_forget_is_told_apart() {
    let forgotten = |accepted: u64| {
        let told = Told::completed(1).and(|history| {
            history.records.clear();
            history.queues.clear();
            history.accepted[0].at = Duration::from_secs(accepted);
            history.rollbacks.push(Duration::from_secs(10));
        });
        let found = check(&told.history);
        (found.breaches.len(), found.forgiven.len())
    };
    assert_eq!(forgotten(9), (0, 1), "a moment before");
    assert_eq!(forgotten(5), (1, 0), "long before");
    assert_eq!(forgotten(11), (1, 0), "afterwards");
}
