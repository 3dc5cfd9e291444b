//! What a queue says of itself.

use gristmill_queue::{Counts, QueueStatus, Totals};

use super::fixture::{QueueFixture, a_job, a_queue, done, seconds};
use super::worker::{cancelled, complete, fail, past_the_lease, release, retry};

pub(super) async fn counts_add_up_in_every_state(q: QueueFixture) {
    let ids = q.enqueue_some(7).await;
    q.enqueue(a_job().delay(seconds(60))).await;
    let mut worker = q.worker();
    let leased = worker.lease(5).await;
    worker.end(complete(&leased[0])).await;
    worker.end(fail(&leased[1])).await;
    worker.end(retry(&leased[2], seconds(30))).await;
    done(q.cancel(ids[6]).await);
    let expected =
        Counts { scheduled: 2, queued: 1, running: 2, completed: 1, failed: 1, cancelled: 1 };
    assert_eq!(q.counts().await, expected);
    done(q.cancel(ids[3]).await);
    assert_eq!(q.counts().await, expected, "a job that is being cancelled is running");
}

pub(super) async fn totals_count_every_end(q: QueueFixture) {
    let ids = q.enqueue_some(7).await;
    let (mut worker, other) = (q.worker(), q.worker());
    let leased = worker.lease(6).await;
    done(q.cancel(ids[3]).await);
    let ends = [
        complete(&leased[0]),
        fail(&leased[1]),
        retry(&leased[2], seconds(60)),
        cancelled(&leased[3]),
        release(&leased[4]),
    ];
    worker.turn(|cycle| cycle.settlements.extend(ends)).await;
    q.advance(past_the_lease()).await;
    other.reap(worker.id).await;
    let expected = Totals {
        enqueued: 7,
        completed: 1,
        failed: 1,
        cancelled: 1,
        retried: 1,
        released: 1,
        reaped: 1,
    };
    assert_eq!(q.status().await.totals, expected);
}

pub(super) async fn latency_is_the_age_of_the_oldest_ready_job(q: QueueFixture) {
    assert_eq!(q.status().await.latency, seconds(0));
    q.enqueue(a_job().delay(seconds(10))).await;
    q.advance(seconds(4)).await;
    assert_eq!(q.status().await.latency, seconds(0), "nothing is ready");
    q.enqueue(a_job().priority(3)).await;
    q.advance(seconds(4)).await;
    q.enqueue(a_job().priority(0)).await;
    q.advance(seconds(1)).await;
    assert_eq!(q.status().await.latency, seconds(5));
    let mut worker = q.worker();
    worker.lease(2).await;
    assert_eq!(q.status().await.latency, seconds(0));
    q.advance(seconds(4)).await;
    assert_eq!(q.status().await.latency, seconds(3), "a job that is due is ready");
}

pub(super) async fn waiting_bytes_follow_the_line(q: QueueFixture) {
    let first = q.enqueue(a_job().weight(100)).await;
    q.enqueue(a_job().weight(200).delay(seconds(5))).await;
    assert_eq!(q.status().await.waiting_bytes, 300);
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    assert_eq!(leased.spec.id, first);
    assert_eq!(q.status().await.waiting_bytes, 200);
    worker.end(release(&leased)).await;
    assert_eq!(q.status().await.waiting_bytes, 300);
    done(q.cancel(first).await);
    q.advance(seconds(5)).await;
    worker.renew().await;
    assert_eq!(q.status().await.waiting_bytes, 200);
    worker.lease_one().await;
    assert_eq!(q.status().await.waiting_bytes, 0);
}

pub(super) async fn used_queues_are_named_in_order(q: QueueFixture) {
    assert_eq!(q.queue.queues().await.unwrap(), []);
    for name in ["mail", "default", "Thumbs"] {
        q.enqueue(a_job().queue(name)).await;
    }
    q.queue.set_paused(&a_queue("halted"), true).await.unwrap();
    let expected = ["Thumbs", "default", "halted", "mail"].map(a_queue);
    assert_eq!(q.queue.queues().await.unwrap(), expected);
}

pub(super) async fn an_unused_queue_is_empty(q: QueueFixture) {
    let name = a_queue("unused");
    assert_eq!(q.queue.status(&name).await.unwrap(), QueueStatus::empty(name));
    assert_eq!(q.queue.queues().await.unwrap(), [], "looking at a queue doesn't use it");
}

pub(super) async fn the_back_end_says_what_it_is(q: QueueFixture) {
    let info = q.queue.info().await.unwrap();
    assert!(!info.backend.is_empty() && !info.note.is_empty());
    assert_eq!(info.durable, q.queue.traits().durable);
}
