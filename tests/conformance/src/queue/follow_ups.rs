//! Jobs that are enqueued by jobs.

use gristmill_job::{JobId, StateName};
use gristmill_queue::Settled;

use super::fixture::{QueueFixture, a_job, a_queue, seconds};
use super::worker::{complete_with, fail, past_the_lease};

pub(super) async fn follow_ups_are_enqueued_with_the_settlement(q: QueueFixture) {
    let parent = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    let mut child = a_job();
    (child.0.parent, child.0.depth) = (Some(parent), 1);
    let later = a_job().delay(seconds(60));
    let reply = worker
        .turn(|cycle| {
            let follow_ups = vec![child.0.clone(), later.0.clone()];
            cycle.settlements.push(complete_with(&leased, follow_ups));
            cycle.want = 9;
        })
        .await;
    assert_eq!(reply.verdicts, [Settled::Recorded]);
    assert_eq!(reply.jobs.len(), 1, "the same cycle can lease a follow-up");
    assert_eq!(*reply.jobs[0].spec, child.0);
    assert_eq!(q.state(later.0.id).await, StateName::Scheduled);
    assert_eq!(q.status().await.totals.enqueued, 3);
}

pub(super) async fn follow_ups_may_go_to_another_queue(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    let child = a_job().queue("other");
    worker.end(complete_with(&leased, vec![child.0.clone()])).await;
    assert_eq!(q.worker().on("other").lease_ids(1).await, [child.0.id]);
    assert_eq!(q.queue.status(&a_queue("other")).await.unwrap().totals.enqueued, 1);
}

pub(super) async fn follow_ups_are_taken_where_the_queue_is_full(q: QueueFixture) {
    let q = q.with(|config| config.waiting_items_max = 1).await;
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    q.enqueue(a_job()).await;
    let children: Vec<_> = (0..3).map(|_| a_job().0).collect();
    worker.end(complete_with(&leased, children)).await;
    assert_eq!(q.counts().await.queued, 4);
}

pub(super) async fn a_follow_up_may_take_its_parents_unique_key(q: QueueFixture) {
    q.enqueue(a_job().unique("k")).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    let successor = a_job().unique("k");
    worker.end(complete_with(&leased, vec![successor.0.clone()])).await;
    assert_eq!(worker.lease_ids(1).await, [successor.0.id]);
}

pub(super) async fn a_refused_settlement_enqueues_nothing(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    let leased = worker.lease_one().await;
    q.advance(past_the_lease()).await;
    other.reap(worker.id).await;
    let again = other.lease_one().await;
    let child = a_job();
    let stale = complete_with(&leased, vec![child.0.clone()]);
    assert_eq!(other.settle(stale).await, Settled::LeaseLost);
    assert!(q.find(child.0.id).await.is_none());
    other.end(fail(&again)).await;
}

pub(super) async fn a_repeated_follow_up_is_harmless(q: QueueFixture) {
    q.enqueue_some(2).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    let child = a_job();
    for job in &leased {
        worker.end(complete_with(job, vec![child.0.clone()])).await;
    }
    let ids: Vec<JobId> = worker.lease_ids(9).await;
    assert_eq!(ids, [child.0.id]);
}
