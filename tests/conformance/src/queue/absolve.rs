//! Workers that were reaped and live: a lapse without a death counts as nothing.

use gristmill_job::{JobState, WorkerId};
use gristmill_queue::{Error, Held};

use super::fixture::{QueueFixture, a_job, done, seconds};
use super::worker::{AWorker, LEASE, complete, past_the_lease, retry};

impl QueueFixture {
    /// A worker that leases up to `want` jobs, and is reaped.
    async fn reaped(&self, want: usize) -> AWorker {
        let mut worker = self.worker();
        worker.lease(want).await;
        self.advance(past_the_lease()).await;
        worker.reap(worker.id).await;
        worker
    }
}

pub(super) async fn a_worker_that_lives_takes_its_crashes_back(q: QueueFixture) {
    let ids = q.enqueue_some(3).await;
    let worker = q.reaped(2).await;
    let before = q.status().await;
    assert_eq!(worker.absolve(&worker.held).await, 2);
    for id in &ids[..2] {
        let job = q.job(*id).await;
        assert_eq!((job.state, job.attempt, job.crashes), (JobState::Queued, 1, 0));
    }
    assert_eq!(q.status().await, before, "nothing else has changed");
    let again = q.worker().lease(3).await;
    assert_eq!(again.iter().map(|job| job.spec.id).collect::<Vec<_>>(), ids);
    assert!(again.iter().all(|job| job.crashes == 0));
}

pub(super) async fn a_crash_is_taken_back_once(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    q.reaped(1).await;
    let worker = q.reaped(1).await;
    assert_eq!(q.job(id).await.crashes, 2);
    let twice = [worker.held[0], worker.held[0]];
    assert_eq!(worker.absolve(&twice).await, 1);
    assert_eq!(worker.absolve(&twice).await, 0);
    assert_eq!(q.job(id).await.crashes, 1, "the first worker's crash");
}

pub(super) async fn a_crash_is_taken_back_by_its_own_worker_and_attempt_alone(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let worker = q.reaped(1).await;
    assert_eq!(q.worker().absolve(&worker.held).await, 0);
    assert_eq!(worker.absolve(&[]).await, 0);
    assert_eq!(worker.absolve(&[Held { id, attempt: 2 }]).await, 0);
    assert_eq!(worker.absolve(&[Held { id: a_job().0.id, attempt: 1 }]).await, 0);
    let elsewhere = async |queue: &str| {
        let name = q.worker().on(queue).name;
        q.queue.absolve(&name, worker.id, &worker.held).await.unwrap()
    };
    assert_eq!(elsewhere("unused").await, 0);
    q.enqueue(a_job().queue("other")).await;
    assert_eq!(elsewhere("other").await, 0);
    assert_eq!(q.job(id).await.crashes, 1);
}

pub(super) async fn a_job_that_lapsed_again_since_keeps_its_crashes(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (first, second) = (q.reaped(1).await, q.reaped(1).await);
    assert_eq!(first.absolve(&first.held).await, 0);
    assert_eq!(q.job(id).await.crashes, 2);
    assert_eq!(second.absolve(&second.held).await, 1);
    assert_eq!(first.absolve(&first.held).await, 0);
    assert_eq!(q.job(id).await.crashes, 1);
}

pub(super) async fn a_job_that_runs_again_has_its_crash_taken_back(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let worker = q.reaped(1).await;
    let mut other = q.worker();
    let leased = other.lease_one().await;
    assert_eq!(worker.absolve(&worker.held).await, 1);
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Running { cancel_requested: false });
    assert_eq!((job.attempt, job.crashes), (2, 0));
    other.end(complete(&leased)).await;
    assert_eq!(q.job(id).await.crashes, 0);
}

pub(super) async fn a_job_that_was_retried_since_has_its_crash_taken_back(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let worker = q.reaped(1).await;
    let mut other = q.worker();
    let leased = other.lease_one().await;
    other.end(retry(&leased, seconds(5))).await;
    assert_eq!(worker.absolve(&worker.held).await, 1);
    let job = q.job(id).await;
    assert_eq!((job.state, job.failures, job.crashes), (JobState::Scheduled, 1, 0));
}

pub(super) async fn a_poisoned_job_stays_failed(q: QueueFixture) {
    let q = q.with(|config| config.crashes_max = 1).await;
    let id = q.enqueue(a_job()).await;
    let worker = q.reaped(1).await;
    assert_eq!(worker.absolve(&worker.held).await, 0);
    let job = q.job(id).await;
    assert_eq!((job.state, job.crashes), (JobState::Failed, 1));
}

pub(super) async fn a_requeued_job_stays_at_zero(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let worker = q.reaped(1).await;
    done(q.cancel(id).await);
    assert_eq!(done(q.requeue(id).await).crashes, 0);
    assert_eq!(worker.absolve(&worker.held).await, 0);
    let other = q.reaped(1).await;
    assert_eq!(worker.absolve(&worker.held).await, 0);
    assert_eq!(q.job(id).await.crashes, 1);
    assert_eq!(other.absolve(&other.held).await, 1);
    assert_eq!(q.job(id).await.crashes, 0);
}

pub(super) async fn a_finished_job_keeps_its_crashes(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let worker = q.reaped(1).await;
    let mut other = q.worker();
    let leased = other.lease_one().await;
    other.end(complete(&leased)).await;
    assert_eq!(worker.absolve(&worker.held).await, 0);
    assert_eq!(q.job(id).await.crashes, 1);
}

pub(super) async fn a_worker_that_was_not_reaped_has_nothing_to_take_back(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    q.reaped(1).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    assert_eq!(worker.absolve(&worker.held).await, 0);
    q.advance(LEASE).await;
    assert_eq!(worker.absolve(&worker.held).await, 0, "its lease has lapsed, and nobody cared");
    assert_eq!(q.job(id).await.crashes, 1);
    worker.end(complete(&leased)).await;
}

pub(super) async fn more_than_a_batch_is_not_absolved(q: QueueFixture) {
    let q = q.with(|config| config.batch_items_max = 2).await;
    q.enqueue_some(2).await;
    let mut worker = q.reaped(2).await;
    worker.held.push(Held { id: a_job().0.id, attempt: 1 });
    let error = q.queue.absolve(&worker.name, worker.id, &worker.held).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { items: 3, max: 2, .. }), "{error}");
    assert_eq!(worker.absolve(&worker.held[..2]).await, 2);
    let stranger = q.worker().on("unused").name;
    let held = worker.held.as_slice();
    assert!(q.queue.absolve(&stranger, WorkerId::random(), held).await.is_err());
}
