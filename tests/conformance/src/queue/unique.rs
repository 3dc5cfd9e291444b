//! Keys that one job at a time may hold.

use gristmill_job::{StateName, Verdict};
use gristmill_queue::Changed;

use super::fixture::{AJob, QueueFixture, a_job, done, seconds};
use super::worker::{cancelled, complete, fail, past_the_lease, release, retry};

fn keyed() -> AJob {
    a_job().unique("customer-7")
}

impl QueueFixture {
    async fn assert_taken(&self, owner: gristmill_job::JobId) {
        assert_eq!(self.verdict(keyed()).await, Verdict::UniqueConflict(owner));
    }
}

pub(super) async fn a_unique_key_admits_one_job(q: QueueFixture) {
    let owner = q.enqueue(keyed()).await;
    let other = keyed();
    assert_eq!(q.verdict(other.clone()).await, Verdict::UniqueConflict(owner));
    assert!(q.find(other.0.id).await.is_none());
    assert_eq!(q.counts().await.queued, 1);
}

pub(super) async fn a_conflict_names_the_owner_within_a_batch_too(q: QueueFixture) {
    let (one, two) = (keyed(), keyed());
    let owner = one.0.id;
    let verdicts = q.verdicts([one, two]).await;
    assert_eq!(verdicts, [Verdict::Created, Verdict::UniqueConflict(owner)]);
}

pub(super) async fn a_repeated_enqueue_does_not_conflict_with_itself(q: QueueFixture) {
    let job = keyed();
    q.enqueue(job.clone()).await;
    assert_eq!(q.verdict(job).await, Verdict::Duplicate);
}

pub(super) async fn keys_are_apart_by_queue_plugin_and_function(q: QueueFixture) {
    q.enqueue(keyed()).await;
    q.enqueue(keyed().queue("other")).await;
    q.enqueue(keyed().plugin("other")).await;
    q.enqueue(keyed().function("other")).await;
    q.enqueue(a_job().unique("customer-8")).await;
    // Parts that are glued together carelessly would meet here.
    q.enqueue(a_job().function("a").unique("b:c")).await;
    q.enqueue(a_job().function("a:b").unique("c")).await;
}

pub(super) async fn a_key_is_held_while_its_job_waits_runs_and_is_retried(q: QueueFixture) {
    let owner = q.enqueue(keyed().delay(seconds(5))).await;
    q.assert_taken(owner).await;
    q.advance(seconds(5)).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    let leased = worker.lease_one().await;
    q.assert_taken(owner).await;
    worker.end(release(&leased)).await;
    q.assert_taken(owner).await;
    let leased = worker.lease_one().await;
    worker.end(retry(&leased, seconds(1))).await;
    q.assert_taken(owner).await;
    q.advance(seconds(1)).await;
    worker.lease_one().await;
    q.advance(past_the_lease()).await;
    other.reap(worker.id).await;
    q.assert_taken(owner).await;
    other.lease_one().await;
    q.assert_taken(owner).await;
}

pub(super) async fn a_completed_job_gives_its_key_up(q: QueueFixture) {
    q.enqueue(keyed()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(complete(&leased)).await;
    q.enqueue(keyed()).await;
}

pub(super) async fn a_failed_job_gives_its_key_up(q: QueueFixture) {
    q.enqueue(keyed()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(fail(&leased)).await;
    q.enqueue(keyed()).await;
}

pub(super) async fn a_poisoned_job_gives_its_key_up(q: QueueFixture) {
    let q = q.with(|config| config.crashes_max = 1).await;
    q.enqueue(keyed()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    q.advance(past_the_lease()).await;
    assert_eq!(worker.reap(worker.id).await.poisoned, 1);
    q.enqueue(keyed()).await;
}

pub(super) async fn a_cancelled_job_gives_its_key_up(q: QueueFixture) {
    let waiting = q.enqueue(keyed()).await;
    done(q.cancel(waiting).await);
    let running = q.enqueue(keyed()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    done(q.cancel(running).await);
    q.assert_taken(running).await;
    worker.end(cancelled(&leased)).await;
    q.enqueue(keyed()).await;
}

pub(super) async fn a_removed_job_gives_its_key_up(q: QueueFixture) {
    let queued = q.enqueue(keyed()).await;
    done(q.remove(queued).await);
    let scheduled = q.enqueue(keyed().delay(seconds(5))).await;
    done(q.remove(scheduled).await);
    q.enqueue(keyed()).await;
}

pub(super) async fn a_removed_job_leaves_another_owners_key_alone(q: QueueFixture) {
    let failed = q.enqueue(keyed()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(fail(&leased)).await;
    let owner = q.enqueue(keyed()).await;
    done(q.remove(failed).await);
    q.assert_taken(owner).await;
}

pub(super) async fn a_requeued_job_takes_its_key_again(q: QueueFixture) {
    let id = q.enqueue(keyed()).await;
    done(q.cancel(id).await);
    done(q.requeue(id).await);
    q.assert_taken(id).await;
}

pub(super) async fn a_requeue_is_refused_where_the_key_is_taken(q: QueueFixture) {
    let failed = q.enqueue(keyed()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(fail(&leased)).await;
    let owner = q.enqueue(keyed()).await;
    let changed = q.requeue(failed).await;
    assert!(matches!(changed, Changed::UniqueConflict(id) if id == owner), "{changed:?}");
    assert_eq!(q.state(failed).await, StateName::Failed);
    done(q.cancel(owner).await);
    done(q.requeue(failed).await);
}
