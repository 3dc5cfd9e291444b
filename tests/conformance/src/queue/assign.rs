//! Jobs that a queue leases to a worker that waits, before the worker asks. A back-end may; then these
//! rules hold, and in any case the worker gets its job.

use gristmill_job::{JobId, StateName};

use super::fixture::{MILLISECOND, QueueFixture, a_job, done, seconds};
use super::listing::{ids, in_state};
use super::worker::{AWorker, complete, past_the_lease};

impl QueueFixture {
    /// A job that comes alone, and whether it was assigned to somebody.
    async fn come(&self) -> (JobId, bool) {
        let id = self.enqueue(a_job()).await;
        (id, self.state(id).await == StateName::Running)
    }

    async fn assert_unassigned(&self, id: JobId) {
        assert_eq!(self.state(id).await, StateName::Queued);
    }
}

/// That the worker gets this job, and can settle it.
async fn assert_works_off(worker: &mut AWorker, id: JobId) {
    let leased = worker.get_one().await;
    assert_eq!((leased.spec.id, leased.attempt), (id, 1));
    worker.end(complete(&leased)).await;
    assert!(!worker.renew().await.resync, "both know the same to be held");
}

pub(super) async fn a_job_that_comes_alone_reaches_a_worker_that_waits(q: QueueFixture) {
    let mut worker = q.worker();
    for room in [1, 2] {
        worker.stand_by(room).await;
        let (id, _) = q.come().await;
        assert_works_off(&mut worker, id).await;
        assert_eq!(q.state(id).await, StateName::Completed);
    }
}

pub(super) async fn what_was_assigned_comes_with_the_next_cycle_too(q: QueueFixture) {
    let mut worker = q.worker();
    worker.stand_by(1).await;
    let (id, is_assigned) = q.come().await;
    let reply = worker.renew().await;
    assert_eq!(reply.jobs.len(), usize::from(is_assigned));
    assert!(!reply.resync);
    if is_assigned {
        worker.end(complete(&reply.jobs[0])).await;
    } else {
        assert_eq!(worker.lease_ids(1).await, [id]);
    }
    assert!(!worker.renew().await.resync);
    worker.stand_by(1).await;
}

pub(super) async fn a_worker_with_room_is_called_for_the_next_job(q: QueueFixture) {
    let mut worker = q.worker();
    worker.stand_by(2).await;
    let mut ids = vec![q.come().await.0, q.come().await.0];
    let mut got = vec![worker.get_one().await.spec.id, worker.get_one().await.spec.id];
    ids.sort_unstable();
    got.sort_unstable();
    assert_eq!(got, ids);
    assert!(!worker.renew().await.resync);
}

pub(super) async fn each_worker_that_waits_gets_a_job(q: QueueFixture) {
    let (mut one, mut other) = (q.worker(), q.worker());
    one.stand_by(1).await;
    // Who waits longer goes first.
    q.advance(MILLISECOND).await;
    other.stand_by(1).await;
    let (first, second) = (q.come().await.0, q.come().await.0);
    assert_works_off(&mut one, first).await;
    assert_works_off(&mut other, second).await;
}

pub(super) async fn nothing_is_assigned_while_jobs_wait(q: QueueFixture) {
    let mut worker = q.worker();
    q.set_paused(true).await;
    worker.stand_by(1).await;
    let first = q.enqueue(a_job()).await;
    q.assert_unassigned(first).await;
    q.set_paused(false).await;
    worker.renew().await;
    let second = q.enqueue(a_job()).await;
    q.assert_unassigned(second).await;
    assert_eq!(worker.lease_ids(2).await, [first, second]);
}

pub(super) async fn who_does_not_want_it_is_assigned_nothing(q: QueueFixture) {
    let (mut usual, mut full) = (q.worker(), q.worker());
    usual.lease(1).await;
    full.turn(|cycle| cycle.assignable = true).await;
    let id = q.enqueue(a_job()).await;
    q.assert_unassigned(id).await;
    assert_eq!(usual.lease_ids(1).await, [id]);
}

pub(super) async fn a_worker_whose_lease_has_lapsed_is_assigned_nothing(q: QueueFixture) {
    q.worker().stand_by(1).await;
    q.advance(past_the_lease()).await;
    let id = q.enqueue(a_job()).await;
    q.assert_unassigned(id).await;
}

pub(super) async fn what_was_assigned_goes_back_when_its_worker_dies(q: QueueFixture) {
    let (mut dead, mut other) = (q.worker(), q.worker());
    dead.stand_by(1).await;
    let (id, is_assigned) = q.come().await;
    q.advance(past_the_lease()).await;
    other.renew().await;
    assert_eq!(other.reap(dead.id).await.returned, usize::from(is_assigned));
    let leased = other.lease_one().await;
    assert_eq!((leased.spec.id, leased.crashes), (id, u32::from(is_assigned)));
}

pub(super) async fn a_resync_gives_back_what_the_worker_did_not_get(q: QueueFixture) {
    let (mut worker, mut other) = (q.worker(), q.worker());
    worker.stand_by(1).await;
    let (id, is_assigned) = q.come().await;
    assert_eq!(worker.resync().await.unwrap().returned, usize::from(is_assigned));
    q.assert_unassigned(id).await;
    let leased = other.lease_one().await;
    assert_eq!((leased.spec.id, leased.attempt), (id, 1));
    // It doesn't come once more, by whatever way.
    assert!(worker.turn(|cycle| cycle.want = 1).await.jobs.is_empty());
}

pub(super) async fn a_resync_leaves_the_worker_what_it_got(q: QueueFixture) {
    let mut worker = q.worker();
    worker.stand_by(1).await;
    q.come().await;
    let leased = worker.get_one().await;
    assert_eq!(worker.resync().await.unwrap().returned, 0);
    worker.end(complete(&leased)).await;
}

pub(super) async fn what_was_assigned_can_be_cancelled(q: QueueFixture) {
    let mut worker = q.worker();
    worker.stand_by(1).await;
    let (id, is_assigned) = q.come().await;
    done(q.cancel(id).await);
    if is_assigned {
        let leased = worker.get_one().await;
        assert_eq!(worker.renew().await.cancel, [leased.held()]);
    }
}

pub(super) async fn what_was_assigned_is_listed_as_running(q: QueueFixture) {
    let mut worker = q.worker();
    worker.stand_by(1).await;
    let (id, is_assigned) = q.come().await;
    let state = if is_assigned { StateName::Running } else { StateName::Queued };
    let page = q.queue.list(&in_state(state)).await.unwrap();
    assert_eq!(ids(&page), [id]);
    assert_eq!(q.counts().await.running, u64::from(is_assigned));
}

pub(super) async fn a_large_job_is_got_as_well(q: QueueFixture) {
    let mut worker = q.worker();
    worker.stand_by(1).await;
    let id = q.enqueue(a_job().input(vec![b'.'; 200_000])).await;
    assert_works_off(&mut worker, id).await;
}

pub(super) async fn a_job_that_is_due_later_is_not_assigned(q: QueueFixture) {
    let mut worker = q.worker();
    worker.stand_by(1).await;
    let id = q.enqueue(a_job().delay(seconds(5))).await;
    assert_eq!(q.state(id).await, StateName::Scheduled);
    q.advance(seconds(5)).await;
    assert_eq!(worker.lease_ids(1).await, [id]);
}
