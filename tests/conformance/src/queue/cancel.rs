//! Jobs that somebody wants the end of.

use gristmill_job::{JobId, JobState, OutcomeKind, StateName};
use gristmill_queue::{Changed, Settlement};

use super::fixture::{QueueFixture, a_job, done, refused, seconds};
use super::worker::{cancelled, complete, fail, release, release_later, retry};

const CANCELLING: JobState = JobState::Running { cancel_requested: true };

pub(super) async fn a_waiting_job_is_cancelled_at_once(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let job = done(q.cancel(id).await);
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(job.completed_at, Some(q.now().await));
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(job.completed_at, Some(q.now().await));
    assert_eq!(job.outcome, None, "no attempt came to anything");
    assert_eq!(q.status().await.totals.cancelled, 1);
}

pub(super) async fn a_scheduled_job_is_cancelled_at_once(q: QueueFixture) {
    let id = q.enqueue(a_job().delay(seconds(5))).await;
    done(q.cancel(id).await);
    q.advance(seconds(6)).await;
    assert!(q.worker().lease(1).await.is_empty());
    assert_eq!(q.state(id).await, StateName::Cancelled);
}

pub(super) async fn a_cancelled_job_is_never_leased(q: QueueFixture) {
    let ids = q.enqueue_some(5).await;
    for i in [0, 2, 4] {
        done(q.cancel(ids[i]).await);
    }
    assert_eq!(q.worker().lease_ids(9).await, [ids[1], ids[3]]);
}

pub(super) async fn a_running_job_is_cancelled_by_its_worker(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    assert_eq!(worker.renew().await.cancel, []);
    assert_eq!(done(q.cancel(id).await).state, CANCELLING);
    assert_eq!(worker.renew().await.cancel, [leased.held()]);
    worker.end(cancelled(&leased)).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(job.outcome, Some(OutcomeKind::Cancelled));
    assert_eq!(job.completed_at, Some(q.now().await));
    assert_eq!(worker.renew().await.cancel, []);
}

pub(super) async fn a_cancel_request_is_repeated_until_it_is_settled(q: QueueFixture) {
    let ids = q.enqueue_some(3).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    let leased = worker.lease(2).await;
    other.lease_one().await;
    done(q.cancel(ids[1]).await);
    for _ in 0..3 {
        assert_eq!(worker.renew().await.cancel, [leased[1].held()]);
        assert_eq!(other.renew().await.cancel, [], "it is another worker's");
    }
    worker.end(cancelled(&leased[1])).await;
    assert_eq!(worker.renew().await.cancel, []);
}

pub(super) async fn cancelling_twice_is_harmless(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    assert_eq!(done(q.cancel(id).await).state, CANCELLING);
    assert_eq!(done(q.cancel(id).await).state, CANCELLING);
    assert_eq!(worker.renew().await.cancel, [leased.held()]);
    worker.end(cancelled(&leased)).await;
    assert_eq!(refused(q.cancel(id).await).state, JobState::Cancelled);
    assert_eq!(q.status().await.totals.cancelled, 1);
}

pub(super) async fn a_release_of_a_job_that_is_being_cancelled_ends_it(q: QueueFixture) {
    let ids = q.enqueue_some(2).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    for id in &ids {
        done(q.cancel(*id).await);
    }
    worker.end(release(&leased[0])).await;
    worker.end(release_later(&leased[1], seconds(60))).await;
    for id in ids {
        let job = q.job(id).await;
        assert_eq!(job.state, JobState::Cancelled);
        assert_eq!(job.run_at, job.enqueued_at, "it doesn't run again");
    }
}

pub(super) async fn a_retry_of_a_job_that_is_being_cancelled_ends_it(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    done(q.cancel(id).await);
    worker.end(retry(&leased, seconds(0))).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(job.failures, 1);
    assert_eq!(job.outcome, Some(OutcomeKind::Trapped), "that is what its attempt came to");
    let totals = q.status().await.totals;
    assert_eq!((totals.cancelled, totals.failed, totals.retried), (1, 0, 0));
}

pub(super) async fn a_job_that_completes_before_it_is_cancelled_is_completed(q: QueueFixture) {
    let ids = q.enqueue_some(2).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    for id in &ids {
        done(q.cancel(*id).await);
    }
    worker.end(complete(&leased[0])).await;
    worker.end(fail(&leased[1])).await;
    assert_eq!(q.state(ids[0]).await, StateName::Completed);
    assert_eq!(q.state(ids[1]).await, StateName::Failed);
}

pub(super) async fn a_job_cancelled_before_it_started_counts_no_attempt(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    done(q.cancel(id).await);
    worker.end(Settlement::Cancelled { held: leased.held(), usage: None }).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!((job.attempt, job.started_at), (0, None));
}

pub(super) async fn a_finished_job_refuses_to_be_cancelled(q: QueueFixture) {
    let ids = q.enqueue_some(2).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    worker.end(complete(&leased[0])).await;
    worker.end(fail(&leased[1])).await;
    assert_eq!(refused(q.cancel(ids[0]).await).state, JobState::Completed);
    assert_eq!(refused(q.cancel(ids[1]).await).state, JobState::Failed);
}

pub(super) async fn an_unknown_job_is_not_found(q: QueueFixture) {
    let id = JobId::random();
    assert!(matches!(q.cancel(id).await, Changed::NotFound));
    assert!(matches!(q.requeue(id).await, Changed::NotFound));
    assert!(matches!(q.remove(id).await, Changed::NotFound));
    assert!(q.find(id).await.is_none());
}
