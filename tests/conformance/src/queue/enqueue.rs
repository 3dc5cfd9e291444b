//! How jobs are taken over.

use std::collections::BTreeSet;
use std::time::Duration;

use gristmill_job::{
    Backoff, BackoffKind, Digest, Headers, JobId, JobState, Priority, Rejection, RejectionCode,
    RetryOn, RetryPolicy, StateName, Verdict,
};
use gristmill_queue::Error;

use super::fixture::{AJob, QueueFixture, a_job, a_queue, seconds};
use super::worker::complete;

fn is_queue_full(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Rejected(Rejection { code: RejectionCode::QueueFull, .. }))
}

pub(super) async fn a_new_job_waits_with_all_that_its_producer_gave(q: QueueFixture) {
    let mut job = a_job().function("resize").priority(0).unique("k").result_ttl(seconds(7));
    job.0.digest = Some(Digest::of(b"pinned"));
    job.0.timeout = Some(Duration::from_millis(1_500));
    job.0.headers = Headers::new([("tenant".to_owned(), "acme".to_owned())]).unwrap();
    job.0.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    job.0.parent = Some(JobId::random());
    job.0.depth = 3;
    job.0.retry = Some(RetryPolicy {
        attempts_max: 9,
        backoff: Backoff {
            kind: BackoffKind::Fixed,
            base: seconds(2),
            max: seconds(3),
            jitter: 0.5,
        },
        retry_on: RetryOn { trapped: false, limit_exceeded: true, timed_out: false },
    });
    let id = q.enqueue(job.clone()).await;

    let kept = q.job(id).await;
    assert_eq!(*kept.spec, job.0);
    assert_eq!(kept.state, JobState::Queued);
    assert_eq!((kept.attempt, kept.failures, kept.crashes), (0, 0, 0));
    assert_eq!((kept.enqueued_at, kept.run_at), (q.now().await, q.now().await));
    assert_eq!((kept.started_at, kept.completed_at), (None, None));
    assert!(kept.outcome.is_none() && kept.result.is_none() && kept.error.is_none());
    assert!(kept.usage.is_none() && kept.progress.is_none() && kept.checkpoint.is_none());

    let leased = q.worker().lease_one().await;
    assert_eq!(*leased.spec, job.0);
    assert_eq!(leased.enqueued_at, kept.enqueued_at);
}

pub(super) async fn verdicts_come_in_the_order_of_the_batch(q: QueueFixture) {
    let q = q.with(|config| config.waiting_items_max = 3).await;
    let owner = a_job().unique("k");
    let verdicts = q
        .verdicts([owner.clone(), a_job().unique("k"), owner.clone(), a_job(), a_job(), a_job()])
        .await;
    assert_eq!(
        verdicts[..5],
        [
            Verdict::Created,
            Verdict::UniqueConflict(owner.0.id),
            Verdict::Duplicate,
            Verdict::Created,
            Verdict::Created,
        ]
    );
    assert!(is_queue_full(&verdicts[5]));
}

pub(super) async fn a_batch_may_mix_queues(q: QueueFixture) {
    let verdicts = q.verdicts([a_job().queue("a"), a_job().queue("b"), a_job().queue("a")]).await;
    assert_eq!(verdicts, [Verdict::Created, Verdict::Created, Verdict::Created]);
    assert_eq!(q.queue.status(&a_queue("a")).await.unwrap().counts.queued, 2);
    assert_eq!(q.queue.status(&a_queue("b")).await.unwrap().counts.queued, 1);
}

pub(super) async fn a_repeated_id_is_a_duplicate(q: QueueFixture) {
    let job = a_job();
    q.enqueue(job.clone()).await;
    let other = a_job().id(job.0.id).input("something else");
    assert_eq!(q.verdict(other).await, Verdict::Duplicate);
    assert_eq!(q.job(job.0.id).await.spec.input, job.0.input);
    assert_eq!(q.counts().await.queued, 1);
}

pub(super) async fn an_id_twice_in_a_batch_is_a_duplicate(q: QueueFixture) {
    let job = a_job();
    let verdicts = q.verdicts([job.clone(), job]).await;
    assert_eq!(verdicts, [Verdict::Created, Verdict::Duplicate]);
    assert_eq!(q.worker().lease(10).await.len(), 1);
}

pub(super) async fn an_id_is_known_after_its_job_has_ended(q: QueueFixture) {
    let job = a_job();
    q.enqueue(job.clone()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    assert_eq!(q.verdict(job.clone()).await, Verdict::Duplicate);
    worker.end(complete(&leased)).await;
    assert_eq!(q.verdict(job.clone()).await, Verdict::Duplicate);
    assert_eq!(q.state(job.0.id).await, StateName::Completed);
}

pub(super) async fn a_batch_above_its_bound_is_refused_whole(q: QueueFixture) {
    let q = q.with(|config| config.batch_items_max = 3).await;
    let batch = |count| (0..count).map(|_| a_job().0).collect();
    let error = q.queue.enqueue(batch(4)).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { items: 4, max: 3, .. }), "{error}");
    assert_eq!(q.counts().await.queued, 0);
    assert_eq!(q.queue.enqueue(batch(3)).await.unwrap().len(), 3);
}

pub(super) async fn an_empty_batch_is_no_fault(q: QueueFixture) {
    assert_eq!(q.verdicts([]).await, []);
}

pub(super) async fn a_full_queue_refuses_by_number(q: QueueFixture) {
    let q = q.with(|config| config.waiting_items_max = 2).await;
    q.enqueue_some(2).await;
    let job = a_job();
    assert!(is_queue_full(&q.verdict(job.clone()).await));
    assert!(q.find(job.0.id).await.is_none());
}

pub(super) async fn a_full_queue_refuses_by_bytes(q: QueueFixture) {
    let q = q.with(|config| config.waiting_bytes_max = 1_000).await;
    q.enqueue(a_job().weight(600)).await;
    assert!(is_queue_full(&q.verdict(a_job().weight(401)).await));
    q.enqueue(a_job().weight(400)).await;
    assert!(is_queue_full(&q.verdict(a_job().weight(100)).await));
}

pub(super) async fn scheduled_jobs_fill_a_queue_too(q: QueueFixture) {
    let q = q.with(|config| config.waiting_items_max = 1).await;
    q.enqueue(a_job().delay(seconds(60))).await;
    assert!(is_queue_full(&q.verdict(a_job()).await));
}

pub(super) async fn a_duplicate_is_told_where_the_queue_is_full(q: QueueFixture) {
    let q = q.with(|config| config.waiting_items_max = 1).await;
    let job = a_job();
    q.enqueue(job.clone()).await;
    assert_eq!(q.verdict(job).await, Verdict::Duplicate);
}

pub(super) async fn a_leased_job_makes_room(q: QueueFixture) {
    let q = q.with(|config| config.waiting_items_max = 1).await;
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    worker.lease_one().await;
    q.enqueue(a_job()).await;
    assert!(is_queue_full(&q.verdict(a_job()).await));
}

pub(super) async fn a_full_queue_leaves_others_open(q: QueueFixture) {
    let q = q.with(|config| config.waiting_items_max = 1).await;
    q.enqueue(a_job()).await;
    q.enqueue(a_job().queue("other")).await;
}

pub(super) async fn any_bytes_come_through(q: QueueFixture) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let inputs: [Vec<u8>; 4] = [vec![], every_byte, vec![0; 100_000], b"\r\n$5\r\n".to_vec()];
    let mut ids = BTreeSet::new();
    for input in &inputs {
        ids.insert(q.enqueue(AJob::input(a_job(), input.clone())).await);
    }
    let leased = q.worker().lease(10).await;
    let received: Vec<&[u8]> = leased.iter().map(|job| job.spec.input.data.as_ref()).collect();
    assert_eq!(received, inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(leased.iter().map(|job| job.spec.id).collect::<BTreeSet<_>>(), ids);
    assert!(leased.iter().all(|job| job.spec.priority == Priority::default()));
}
