//! Jobs that come back from workers that died or forgot them.

use std::collections::BTreeSet;

use gristmill_job::{JobState, OutcomeKind, StateName, WorkerId, codes};
use gristmill_queue::{Error, Held, Reaped, Resynced, Settled};

use super::fixture::{MILLISECOND, QueueFixture, a_job, done, seconds};
use super::worker::{AWorker, LEASE, complete, past_the_lease, release, retry};

/// Lets a worker's lease lapse and reaps it.
async fn bury(q: &QueueFixture, worker: &AWorker) -> Reaped {
    q.advance(past_the_lease()).await;
    worker.reap(worker.id).await
}

fn assert_reaped<T: std::fmt::Debug>(result: Result<T, Error>, worker: WorkerId) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::WorkerReaped(reaped) if reaped == worker), "{error}");
}

pub(super) async fn a_lapsed_lease_returns_the_job_to_the_head_of_its_line(q: QueueFixture) {
    let ids = q.enqueue_some(3).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    assert_eq!(bury(&q, &worker).await, Reaped { returned: 1, ..Reaped::default() });
    let job = q.job(ids[0]).await;
    assert_eq!(job.state, JobState::Queued);
    assert_eq!((job.attempt, job.failures, job.crashes), (1, 0, 1));
    let again = q.worker().lease(3).await;
    assert_eq!(again[0].held(), Held { id: ids[0], attempt: 2 });
    assert_eq!(again[0].crashes, 1);
    assert_eq!(q.status().await.totals.reaped, 1);
}

pub(super) async fn a_running_lease_is_not_reaped(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (mut worker, other) = (q.worker(), q.worker());
    let leased = worker.lease_one().await;
    q.advance(LEASE - MILLISECOND).await;
    assert_eq!(other.reap(worker.id).await, Reaped::default());
    assert_eq!(q.state(id).await, StateName::Running);
    worker.end(complete(&leased)).await;
}

pub(super) async fn a_lease_lapses_at_its_very_end(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    q.advance(LEASE).await;
    assert_eq!(q.worker().renew().await.lapsed, [worker.id]);
    assert_eq!(worker.reap(worker.id).await.returned, 1);
}

pub(super) async fn a_reaping_is_bounded_and_goes_on(q: QueueFixture) {
    let q = q.with(|config| config.batch_items_max = 2).await;
    let ids = q.enqueue_some(5).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    for _ in 0..3 {
        worker.lease(2).await;
    }
    let reaped = bury(&q, &worker).await;
    assert_eq!((reaped.returned, reaped.more), (2, true));
    assert_eq!(other.renew().await.lapsed, [worker.id], "there are jobs left with it");
    assert_reaped(worker.cycle(|_| {}).await, worker.id);
    assert_eq!(other.reap(worker.id).await.returned, 2);
    let reaped = other.reap(worker.id).await;
    assert_eq!((reaped.returned, reaped.more), (1, false));
    assert_eq!(other.renew().await.lapsed, []);
    let mut again = BTreeSet::new();
    for _ in 0..3 {
        again.extend(other.lease_ids(2).await);
    }
    assert_eq!(again, ids.into_iter().collect());
}

pub(super) async fn a_reaped_worker_is_refused_for_ever(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    bury(&q, &worker).await;
    for _ in 0..2 {
        assert_reaped(worker.cycle(|cycle| cycle.want = 1).await, worker.id);
        assert_reaped(worker.resync().await, worker.id);
        worker.held.clear();
        q.advance(seconds(100_000)).await;
    }
    assert_eq!(q.counts().await.queued, 1);
    assert_eq!(worker.reap(worker.id).await, Reaped::default());
}

pub(super) async fn a_reaped_workers_settlement_changes_nothing(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    let stale = worker.lease_one().await;
    bury(&q, &worker).await;
    let leased = other.lease_one().await;
    assert_reaped(worker.cycle(|cycle| cycle.settlements.push(complete(&stale))).await, worker.id);
    assert_eq!(q.state(id).await, StateName::Running);
    assert_eq!(q.status().await.totals.completed, 0);
    assert_eq!(other.settle(complete(&stale)).await, Settled::LeaseLost);
    other.end(complete(&leased)).await;
    assert_eq!(q.status().await.totals.completed, 1);
}

pub(super) async fn a_job_that_killed_three_workers_is_poisoned(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    for crashes in 1..3 {
        let mut worker = q.worker();
        worker.lease_one().await;
        assert_eq!(bury(&q, &worker).await.returned, 1);
        assert_eq!(q.job(id).await.crashes, crashes);
    }
    let mut worker = q.worker();
    assert_eq!(worker.lease_one().await.crashes, 2);
    assert_eq!(bury(&q, &worker).await, Reaped { poisoned: 1, ..Reaped::default() });
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Failed);
    assert_eq!((job.attempt, job.failures, job.crashes), (3, 0, 3));
    assert_eq!(job.outcome, Some(OutcomeKind::Failed));
    assert_eq!(job.error.unwrap().code, codes::POISONED);
    assert_eq!(q.status().await.totals.failed, 1);
}

pub(super) async fn a_poisoned_job_may_be_requeued(q: QueueFixture) {
    let q = q.with(|config| config.crashes_max = 1).await;
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    assert_eq!(bury(&q, &worker).await.poisoned, 1);
    assert_eq!(done(q.requeue(id).await).crashes, 0);
    assert_eq!(q.worker().lease_one().await.held(), Held { id, attempt: 2 });
}

pub(super) async fn a_job_that_is_being_cancelled_ends_when_its_worker_dies(q: QueueFixture) {
    let q = q.with(|config| config.crashes_max = 1).await;
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    done(q.cancel(id).await);
    assert_eq!(bury(&q, &worker).await, Reaped { cancelled: 1, ..Reaped::default() });
    assert_eq!(q.state(id).await, StateName::Cancelled);
}

pub(super) async fn a_reaping_of_a_stranger_does_nothing(q: QueueFixture) {
    let worker = q.worker();
    assert_eq!(worker.reap(WorkerId::random()).await, Reaped::default());
    assert_eq!(q.worker().on("unused").reap(worker.id).await, Reaped::default());
}

pub(super) async fn a_resync_returns_what_the_worker_does_not_know(q: QueueFixture) {
    let ids = q.enqueue_some(3).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    // The reply with the second job was lost.
    worker.held = vec![leased[0].held()];
    assert_eq!(worker.resync().await.unwrap(), Resynced { returned: 1, lost: vec![] });
    let job = q.job(ids[1]).await;
    assert_eq!(job.state, JobState::Queued);
    assert_eq!((job.attempt, job.crashes, job.started_at), (0, 0, None));
    assert_eq!(worker.lease_ids(2).await, [ids[1], ids[2]]);
    worker.end(complete(&leased[0])).await;
}

pub(super) async fn a_resync_names_what_the_worker_lost(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let first = worker.lease_one().await;
    worker.end(retry(&first, seconds(0))).await;
    let second = worker.lease_one().await;
    worker.held = vec![first.held(), second.held()];
    let resynced = worker.resync().await.unwrap();
    assert_eq!(resynced, Resynced { returned: 0, lost: vec![first.held()] });
    assert_eq!(q.state(id).await, StateName::Running);
}

pub(super) async fn a_resync_renews_nothing(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    q.advance(LEASE - MILLISECOND).await;
    worker.resync().await.unwrap();
    q.advance(MILLISECOND).await;
    assert_eq!(q.worker().renew().await.lapsed, [worker.id]);
}

pub(super) async fn a_resync_ends_what_is_being_cancelled(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    done(q.cancel(id).await);
    worker.held.clear();
    worker.resync().await.unwrap();
    assert_eq!(q.state(id).await, StateName::Cancelled);
    assert!(!worker.renew().await.resync);
}

pub(super) async fn a_resync_may_be_repeated(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    assert_eq!(worker.resync().await.unwrap(), Resynced::default(), "it has no lease yet");
    worker.lease_one().await;
    assert_eq!(worker.resync().await.unwrap(), Resynced::default());
    worker.held.clear();
    assert_eq!(worker.resync().await.unwrap().returned, 1);
    assert_eq!(worker.resync().await.unwrap().returned, 0);
    assert_eq!(q.counts().await.queued, 1);
}

pub(super) async fn a_cycle_asks_for_a_resync_where_counts_differ(q: QueueFixture) {
    q.enqueue_some(2).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    assert!(!worker.renew().await.resync);
    worker.held.pop();
    assert!(worker.renew().await.resync);
    worker.resync().await.unwrap();
    assert!(!worker.renew().await.resync);
    worker.end(release(&leased[0])).await;
    assert!(!worker.renew().await.resync);
    worker.held.push(leased[0].held());
    assert!(worker.renew().await.resync);
}
