//! Who hears of what, and when. In every `join!` the one who waits is polled first.

use std::future::Future;
use std::time::Duration;

use gristmill_job::{Job, JobId, StateName};
use gristmill_queue::Settlement;
use tokio::join;

use super::fixture::{MILLISECOND, QueueFixture, a_job, done, seconds, soon};
use super::worker::{cancelled, complete, fail, past_the_lease, release};

/// Longer than a test may take: who waits this long was never told.
const PATIENCE: Duration = Duration::from_secs(3_600);

impl QueueFixture {
    /// What a client hears that waits for a job while something happens.
    async fn heard(&self, id: JobId, happens: impl Future<Output = ()>) -> Option<Job> {
        let wait = self.queue.wait(id, PATIENCE);
        let (heard, ()) = soon(async { join!(wait, happens) }).await;
        heard.unwrap()
    }
}

pub(super) async fn a_waiting_client_hears_of_the_end_at_once(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let happens = async {
        let leased = worker.lease_one().await;
        worker.end(complete(&leased)).await;
    };
    let job = q.heard(id, happens).await.unwrap();
    assert_eq!(job.state.name(), StateName::Completed);
    assert!(job.result.is_some() && job.completed_at.is_some());
}

pub(super) async fn a_waiting_client_hears_of_every_kind_of_end(q: QueueFixture) {
    let q = q.with(|config| config.crashes_max = 1).await;
    for (end, state) in
        [(fail as fn(&_) -> Settlement, StateName::Failed), (cancelled, StateName::Cancelled)]
    {
        let id = q.enqueue(a_job()).await;
        let mut worker = q.worker();
        let leased = worker.lease_one().await;
        let heard = q.heard(id, async { worker.end(end(&leased)).await }).await;
        assert_eq!(heard.unwrap().state.name(), state);
    }
    let id = q.enqueue(a_job()).await;
    let heard = q.heard(id, async { drop(done(q.cancel(id).await)) }).await;
    assert_eq!(heard.unwrap().state.name(), StateName::Cancelled, "while it waited");

    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    q.advance(past_the_lease()).await;
    let reap = async { assert_eq!(worker.reap(worker.id).await.poisoned, 1) };
    let heard = q.heard(id, reap).await;
    assert_eq!(heard.unwrap().state.name(), StateName::Failed, "poisoned");
}

pub(super) async fn a_waiting_client_hears_of_a_result_that_is_not_kept(q: QueueFixture) {
    let id = q.enqueue(a_job().result_ttl(seconds(0))).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    let job = q.heard(id, async { worker.end(complete(&leased)).await }).await.unwrap();
    assert_eq!(job.state.name(), StateName::Completed);
    assert!(job.result.is_some());
    assert!(q.find(id).await.is_none());
}

pub(super) async fn a_waiting_client_hears_of_a_removal(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let heard = q.heard(id, async { drop(done(q.remove(id).await)) }).await;
    assert!(heard.is_none());
}

pub(super) async fn a_finished_job_needs_no_wait(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    done(q.cancel(id).await);
    let job = soon(q.queue.wait(id, PATIENCE)).await.unwrap().unwrap();
    assert_eq!(job.state.name(), StateName::Cancelled);
}

pub(super) async fn patience_ends_with_the_job_as_it_is(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    for patience in [Duration::ZERO, MILLISECOND] {
        let job = soon(q.queue.wait(id, patience)).await.unwrap().unwrap();
        assert_eq!(job.state.name(), StateName::Queued);
    }
}

pub(super) async fn an_unknown_job_is_not_waited_for(q: QueueFixture) {
    assert!(soon(q.queue.wait(JobId::random(), PATIENCE)).await.unwrap().is_none());
}

pub(super) async fn many_clients_may_wait_for_one_job(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    // One who gave up must not keep the others from hearing.
    q.queue.wait(id, Duration::ZERO).await.unwrap();
    let waits = async { join!(q.queue.wait(id, PATIENCE), q.queue.wait(id, PATIENCE)) };
    let cancel = async { drop(done(q.cancel(id).await)) };
    let ((one, other), ()) = soon(async { join!(waits, cancel) }).await;
    for heard in [one, other] {
        assert_eq!(heard.unwrap().unwrap().state.name(), StateName::Cancelled);
    }
}

pub(super) async fn an_enqueue_wakes_a_worker(q: QueueFixture) {
    let mut worker = q.worker();
    worker.renew().await;
    let (id, ()) = soon(async { join!(q.enqueue(a_job()), worker.wake()) }).await;
    assert_eq!(worker.lease_ids(1).await, [id]);
    let ((), id) = soon(async { join!(worker.wake(), q.enqueue(a_job())) }).await;
    assert_eq!(worker.lease_ids(1).await, [id]);
}

pub(super) async fn a_job_that_is_due_sooner_wakes_a_worker(q: QueueFixture) {
    q.enqueue(a_job().delay(seconds(60))).await;
    let mut worker = q.worker();
    assert_eq!(worker.renew().await.next_due, Some(seconds(60)));
    soon(async { join!(worker.wake(), q.enqueue(a_job().delay(seconds(5)))) }).await;
    assert_eq!(worker.renew().await.next_due, Some(seconds(5)));
}

pub(super) async fn a_worker_is_not_kept_from_work_that_is_there(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    soon(worker.wake()).await;
    worker.lease_one().await;
    q.enqueue(a_job().delay(seconds(5))).await;
    q.advance(seconds(5)).await;
    soon(worker.wake()).await;
}

pub(super) async fn a_cancel_request_wakes_the_worker_even_when_it_wants_nothing(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    let cancel = async { drop(done(q.cancel(id).await)) };
    soon(async { join!(q.queue.wake(worker.id, &[]), cancel) }).await;
    assert_eq!(worker.renew().await.cancel, [leased.held()]);
}

pub(super) async fn a_cancel_request_before_the_wait_is_not_missed(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    done(q.cancel(id).await);
    soon(worker.wake()).await;
}

pub(super) async fn a_resumed_queue_wakes_a_worker(q: QueueFixture) {
    q.set_paused(true).await;
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.renew().await;
    soon(async { join!(worker.wake(), q.set_paused(false)) }).await;
    worker.lease_one().await;
}

pub(super) async fn a_released_job_wakes_another_worker(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    let leased = worker.lease_one().await;
    other.renew().await;
    soon(async { join!(other.wake(), worker.end(release(&leased))) }).await;
    assert_eq!(other.lease_ids(1).await, [id]);
}

pub(super) async fn a_reaped_job_wakes_another_worker(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    worker.lease_one().await;
    q.advance(past_the_lease()).await;
    other.renew().await;
    let reap = async { assert_eq!(worker.reap(worker.id).await.returned, 1) };
    soon(async { join!(other.wake(), reap) }).await;
    assert_eq!(other.lease_ids(1).await, [id]);
}
