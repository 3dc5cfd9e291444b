//! Jobs whose time is ahead.

use gristmill_job::{StateName, Timestamp};

use super::fixture::{MILLISECOND, QueueFixture, a_job, seconds};

pub(super) async fn a_delayed_job_waits_for_its_time(q: QueueFixture) {
    let id = q.enqueue(a_job().delay(seconds(30))).await;
    let job = q.job(id).await;
    assert_eq!(job.state.name(), StateName::Scheduled);
    assert_eq!(job.run_at, q.now().await.after(seconds(30)));
    let mut worker = q.worker();
    assert!(worker.lease(1).await.is_empty());
    q.advance(seconds(30)).await;
    assert_eq!(worker.lease_ids(1).await, [id]);
}

pub(super) async fn a_time_in_the_past_is_now(q: QueueFixture) {
    let id = q.enqueue(a_job().at(Timestamp::from_millis(1))).await;
    assert_eq!(q.state(id).await, StateName::Queued);
    assert_eq!(q.job(id).await.run_at, q.now().await);
    assert_eq!(q.worker().lease_ids(1).await, [id]);
}

pub(super) async fn a_cycle_tells_when_the_next_job_is_due(q: QueueFixture) {
    let mut worker = q.worker();
    assert_eq!(worker.renew().await.next_due, None);
    q.enqueue(a_job().delay(seconds(20))).await;
    q.enqueue(a_job().delay(seconds(5))).await;
    assert_eq!(worker.renew().await.next_due, Some(seconds(5)));
    q.advance(seconds(6)).await;
    assert_eq!(worker.renew().await.next_due, Some(seconds(14)));
}

pub(super) async fn due_jobs_go_in_the_order_of_their_times(q: QueueFixture) {
    let mut ids = Vec::new();
    for delay in [3, 1, 2] {
        ids.push(q.enqueue(a_job().delay(seconds(delay))).await);
    }
    q.advance(seconds(10)).await;
    assert_eq!(q.worker().lease_ids(3).await, [ids[1], ids[2], ids[0]]);
}

pub(super) async fn a_cycle_promotes_a_bounded_number(q: QueueFixture) {
    let q = q.with(|config| config.promote_items_max = 2).await;
    for _ in 0..5 {
        q.enqueue(a_job().delay(seconds(1))).await;
    }
    q.advance(seconds(2)).await;
    let mut worker = q.worker();
    let reply = worker.turn(|cycle| cycle.want = 5).await;
    assert_eq!(reply.jobs.len(), 2);
    assert_eq!(reply.next_due, Some(seconds(0)));
    assert_eq!(worker.lease(5).await.len(), 2);
    assert_eq!(worker.lease(5).await.len(), 1);
}

pub(super) async fn a_job_runs_at_its_very_millisecond(q: QueueFixture) {
    let id = q.enqueue(a_job().at(q.now().await.after(seconds(1)))).await;
    let mut worker = q.worker();
    q.advance(seconds(1) - MILLISECOND).await;
    assert!(worker.lease(1).await.is_empty());
    q.advance(MILLISECOND).await;
    assert_eq!(worker.lease_ids(1).await, [id]);
}
