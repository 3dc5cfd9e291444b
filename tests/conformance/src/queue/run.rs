//! Jobs that are enqueued and waited for in one.

use std::time::Duration;

use gristmill_job::{Job, StateName, Verdict};

use super::fixture::{AJob, MILLISECOND, QueueFixture, a_job, done, seconds, soon};
use super::worker::complete;

/// Longer than a test may take: who waits this long was never told.
const PATIENCE: Duration = Duration::from_secs(3_600);

impl QueueFixture {
    async fn run(&self, job: AJob, patience: Duration) -> (Verdict, Option<Job>) {
        soon(self.queue.run(job.0, patience)).await.unwrap()
    }
}

pub(super) async fn a_job_is_run_to_its_end(q: QueueFixture) {
    // With a key and without: the two are handed in differently.
    for job in [a_job(), a_job().unique("customer-7")] {
        let mut worker = q.worker();
        let id = job.0.id;
        let work = async {
            loop {
                if let Some(leased) = worker.lease(1).await.pop() {
                    return worker.end(complete(&leased)).await;
                }
                worker.wake().await;
            }
        };
        let ((verdict, job), ()) = soon(async { tokio::join!(q.run(job, PATIENCE), work) }).await;
        let job = job.unwrap();
        assert_eq!((verdict, job.spec.id), (Verdict::Created, id));
        assert_eq!(job.state.name(), StateName::Completed);
        assert!(job.result.is_some());
    }
}

pub(super) async fn a_job_that_is_run_keeps_its_class(q: QueueFixture) {
    let urgent = a_job().priority(0);
    let ordinary = q.enqueue(a_job()).await;
    let (_, job) = q.run(urgent.clone(), MILLISECOND).await;
    assert_eq!(job.unwrap().spec.priority, urgent.0.priority);
    assert_eq!(q.worker().lease_ids(2).await, [urgent.0.id, ordinary]);
}

pub(super) async fn a_run_without_end_gives_the_job_as_it_is(q: QueueFixture) {
    for patience in [Duration::ZERO, MILLISECOND] {
        let (verdict, job) = q.run(a_job(), patience).await;
        assert_eq!(verdict, Verdict::Created);
        assert_eq!(job.unwrap().state.name(), StateName::Queued);
    }
    let (_, job) = q.run(a_job().delay(seconds(5)), MILLISECOND).await;
    assert_eq!(job.unwrap().state.name(), StateName::Scheduled);
}

pub(super) async fn a_duplicate_is_waited_for(q: QueueFixture) {
    let job = a_job();
    let id = q.enqueue(job.clone()).await;
    let cancel = async { drop(done(q.cancel(id).await)) };
    let ((verdict, found), ()) = soon(async { tokio::join!(q.run(job, PATIENCE), cancel) }).await;
    assert_eq!(verdict, Verdict::Duplicate);
    assert_eq!(found.unwrap().state.name(), StateName::Cancelled);
}

pub(super) async fn what_is_not_taken_is_not_waited_for(q: QueueFixture) {
    let owner = q.enqueue(a_job().unique("customer-7")).await;
    let (verdict, job) = q.run(a_job().unique("customer-7"), PATIENCE).await;
    assert_eq!(verdict, Verdict::UniqueConflict(owner));
    assert!(job.is_none());

    let q = q.with(|config| config.waiting_items_max = 1).await;
    q.enqueue(a_job()).await;
    let (verdict, job) = q.run(a_job(), PATIENCE).await;
    assert!(matches!(verdict, Verdict::Rejected(_)), "{verdict:?}");
    assert!(job.is_none());
}
