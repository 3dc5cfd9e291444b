//! The ends of attempts.

use gristmill_job::{Digest, JobId, JobState, OutcomeKind, Payload, StateName};
use gristmill_queue::{Error, Held, Settled, Settlement};

use super::fixture::{QueueFixture, a_job, seconds};
use super::worker::{
    a_digest, a_usage, an_error, complete, fail, fail_with, release, release_later, retry,
};

pub(super) async fn a_completed_job_shows_what_it_came_to(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    q.advance(seconds(2)).await;
    worker.end(complete(&leased)).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Completed);
    assert_eq!(job.outcome, Some(OutcomeKind::Completed));
    assert_eq!(job.result, Some(Payload::text("result")));
    assert_eq!(job.digest, Some(a_digest()));
    assert_eq!(job.usage, Some(a_usage()));
    assert_eq!((job.attempt, job.failures, job.crashes), (1, 0, 0));
    assert_eq!(job.completed_at, Some(q.now().await));
    assert_eq!(job.started_at, Some(job.enqueued_at));
    assert!(job.error.is_none());
}

pub(super) async fn a_failed_job_shows_why(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(fail(&leased)).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(job.outcome, Some(OutcomeKind::Trapped));
    assert_eq!(job.error, Some(an_error()));
    assert_eq!(job.usage, Some(a_usage()));
    assert_eq!((job.attempt, job.failures), (1, 1));
    assert_eq!(job.completed_at, Some(q.now().await));
}

pub(super) async fn a_retried_job_waits_and_counts_a_failure(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(retry(&leased, seconds(5))).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Scheduled);
    assert_eq!(job.run_at, q.now().await.after(seconds(5)));
    assert_eq!((job.attempt, job.failures), (1, 1));
    assert_eq!(job.error, Some(an_error()));
    assert!(worker.lease(1).await.is_empty());
    q.advance(seconds(5)).await;
    let again = worker.lease_one().await;
    assert_eq!((again.attempt, again.failures), (2, 1));
}

pub(super) async fn a_retry_without_a_wait_runs_in_the_same_cycle(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    let reply = worker
        .turn(|cycle| {
            cycle.settlements.push(retry(&leased, seconds(0)));
            cycle.want = 1;
        })
        .await;
    assert_eq!(reply.jobs[0].held(), Held { id, attempt: 2 });
}

pub(super) async fn a_job_that_is_completed_after_all_shows_no_error(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(retry(&leased, seconds(0))).await;
    let leased = worker.lease_one().await;
    worker.end(complete(&leased)).await;
    let job = q.job(id).await;
    assert_eq!((job.attempt, job.failures), (2, 1));
    assert_eq!((job.outcome, job.error), (Some(OutcomeKind::Completed), None));
}

pub(super) async fn a_release_counts_as_nothing(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(release(&leased)).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Queued);
    assert_eq!((job.attempt, job.failures, job.crashes), (0, 0, 0));
    assert_eq!((job.started_at, job.outcome), (None, None));
    assert_eq!(worker.lease_one().await.attempt, 1);
}

pub(super) async fn a_late_release_waits(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(release_later(&leased, seconds(9))).await;
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Scheduled);
    assert_eq!(job.run_at, q.now().await.after(seconds(9)));
    assert_eq!((job.attempt, job.failures), (0, 0));
    q.advance(seconds(9)).await;
    assert_eq!(worker.lease_one().await.attempt, 1);
}

pub(super) async fn a_job_is_settled_once(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(complete(&leased)).await;
    assert_eq!(worker.settle(complete(&leased)).await, Settled::LeaseLost);
    assert_eq!(worker.settle(fail(&leased)).await, Settled::LeaseLost);
    assert_eq!(q.state(id).await, StateName::Completed);
    assert_eq!(q.status().await.totals.completed, 1);
}

pub(super) async fn a_settlement_twice_in_a_cycle_counts_once(q: QueueFixture) {
    q.enqueue(a_job()).await;
    q.enqueue(a_job().result_ttl(seconds(0))).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    let twice = leased.iter().chain(&leased).map(complete);
    let reply = worker.turn(|cycle| cycle.settlements = twice.collect()).await;
    let expected = [Settled::Recorded, Settled::Recorded, Settled::LeaseLost, Settled::LeaseLost];
    assert_eq!(reply.verdicts, expected);
    let status = q.status().await;
    assert_eq!((status.totals.completed, status.counts.completed), (2, 1));
    assert_eq!(status.counts.running, 0);
}

pub(super) async fn another_worker_may_not_settle(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    other.renew().await;
    let leased = worker.lease_one().await;
    assert_eq!(other.settle(complete(&leased)).await, Settled::LeaseLost);
    assert_eq!(other.settle(release(&leased)).await, Settled::LeaseLost);
    assert_eq!(q.state(id).await, StateName::Running);
    worker.end(complete(&leased)).await;
}

pub(super) async fn another_attempt_may_not_be_settled(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let first = worker.lease_one().await;
    worker.end(retry(&first, seconds(0))).await;
    let second = worker.lease_one().await;
    assert_eq!(worker.settle(complete(&first)).await, Settled::LeaseLost);
    let ahead = Held { id, attempt: 3 };
    assert_eq!(worker.settle(fail_with(ahead, None)).await, Settled::LeaseLost);
    assert_eq!(q.state(id).await, StateName::Running);
    worker.end(complete(&second)).await;
}

pub(super) async fn another_queue_may_not_settle(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    let mut elsewhere = q.worker().on("elsewhere");
    elsewhere.id = worker.id;
    elsewhere.renew().await;
    assert_eq!(elsewhere.settle(complete(&leased)).await, Settled::LeaseLost);
    assert_eq!(q.state(id).await, StateName::Running);
}

pub(super) async fn an_unknown_job_may_not_be_settled(q: QueueFixture) {
    let mut worker = q.worker();
    worker.renew().await;
    let held = Held { id: JobId::random(), attempt: 1 };
    assert_eq!(worker.settle(fail_with(held, None)).await, Settled::LeaseLost);
}

pub(super) async fn verdicts_of_a_batch_are_apart(q: QueueFixture) {
    q.enqueue_some(3).await;
    let mut worker = q.worker();
    let leased = worker.lease(3).await;
    worker.end(complete(&leased[1])).await;
    let reply = worker.turn(|cycle| cycle.settlements.extend(leased.iter().map(complete))).await;
    let expected = [Settled::Recorded, Settled::LeaseLost, Settled::Recorded];
    assert_eq!(reply.verdicts, expected);
    assert_eq!(q.counts().await.completed, 3);
}

pub(super) async fn settlements_above_their_bound_are_refused_whole(q: QueueFixture) {
    let q = q.with(|config| config.batch_items_max = 2).await;
    q.enqueue_some(3).await;
    let mut worker = q.worker();
    let mut leased = worker.lease(2).await;
    leased.extend(worker.lease(2).await);
    let error = worker
        .cycle(|cycle| cycle.settlements.extend(leased.iter().map(complete)))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { items: 3, max: 2, .. }), "{error}");
    assert_eq!(q.counts().await.running, 3);
}

pub(super) async fn the_version_that_ran_last_is_kept(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(retry(&leased, seconds(0))).await;
    let leased = worker.lease_one().await;
    worker
        .end(Settlement::Fail {
            held: leased.held(),
            digest: None,
            outcome: OutcomeKind::Failed,
            error: an_error(),
            usage: a_usage(),
            retry: Some(seconds(0)),
        })
        .await;
    assert_eq!(q.job(id).await.digest, Some(a_digest()));
    let leased = worker.lease_one().await;
    let newer = Digest::of(b"newer");
    worker
        .end(Settlement::Complete {
            held: leased.held(),
            digest: newer,
            result: None,
            usage: a_usage(),
            follow_ups: Vec::new(),
        })
        .await;
    let job = q.job(id).await;
    assert_eq!((job.digest, job.result), (Some(newer), None));
}
