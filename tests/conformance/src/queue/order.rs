//! Whose turn it is.

use std::collections::BTreeSet;
use std::time::Duration;

use gristmill_job::Priority;

use super::fixture::{QueueFixture, a_job, done, seconds};
use super::worker::{fail, release};

pub(super) async fn jobs_of_a_class_go_in_the_order_of_enqueueing(q: QueueFixture) {
    let ids = q.enqueue_some(20).await;
    let mut worker = q.worker();
    let mut leased = worker.lease_ids(7).await;
    leased.extend(worker.lease_ids(20).await);
    assert_eq!(leased, ids);
}

pub(super) async fn a_more_urgent_class_goes_first(q: QueueFixture) {
    let mut ids = Vec::new();
    for class in [3, 1, 0, 2] {
        ids.push(q.enqueue(a_job().priority(class)).await);
    }
    let expected = [ids[2], ids[1], ids[3], ids[0]];
    assert_eq!(q.worker().lease_ids(4).await, expected);
}

pub(super) async fn one_pick_in_sixteen_goes_to_a_lower_class(q: QueueFixture) {
    for class in [0, 2] {
        for _ in 0..96 {
            q.enqueue(a_job().priority(class)).await;
        }
    }
    let mut worker = q.worker();
    let mut lower = 0;
    for _ in 0..4 {
        let leased = worker.lease(16).await;
        lower += leased.iter().filter(|job| job.spec.priority.class() == 2).count();
    }
    assert_eq!(lower, 4, "of 64 picks");
}

pub(super) async fn no_class_starves(q: QueueFixture) {
    for class in 0..4 {
        for _ in 0..200 {
            q.enqueue(a_job().priority(class)).await;
        }
    }
    let mut worker = q.worker();
    let mut served = BTreeSet::new();
    for _ in 0..16 {
        let leased = worker.lease(10).await;
        served.extend(leased.iter().map(|job| job.spec.priority.class()));
    }
    assert_eq!(served, (0..Priority::CLASSES).collect(), "by 160 picks");
}

pub(super) async fn a_promoted_job_goes_behind_what_waits(q: QueueFixture) {
    let delayed = q.enqueue(a_job().delay(seconds(1))).await;
    let waiting = q.enqueue(a_job()).await;
    q.advance(seconds(2)).await;
    assert_eq!(q.worker().lease_ids(2).await, [waiting, delayed]);
}

pub(super) async fn a_requeued_job_goes_behind_what_waits(q: QueueFixture) {
    let failed = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(fail(&leased)).await;
    let waiting = q.enqueue(a_job()).await;
    done(q.requeue(failed).await);
    assert_eq!(worker.lease_ids(2).await, [waiting, failed]);
}

pub(super) async fn a_released_job_goes_before_what_waits(q: QueueFixture) {
    let ids = q.enqueue_some(4).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    q.advance(Duration::from_millis(5)).await;
    worker.turn(|cycle| cycle.settlements.extend(leased.iter().map(release))).await;
    let again = worker.lease_ids(4).await;
    assert_eq!(again[..2].iter().collect::<BTreeSet<_>>(), ids[..2].iter().collect());
    assert_eq!(again[2..], ids[2..]);
}
