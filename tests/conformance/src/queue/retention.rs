//! How long finished jobs are kept.

use gristmill_job::{JobId, StateName};
use gristmill_queue::{Changed, Settled};

use super::fixture::{AJob, MILLISECOND, QueueFixture, a_job, done, seconds};
use super::worker::{complete, fail, retry};

impl QueueFixture {
    async fn completed(&self, job: AJob) -> JobId {
        let id = self.enqueue(job).await;
        let mut worker = self.worker();
        let leased = worker.lease_one().await;
        worker.end(complete(&leased)).await;
        id
    }

    async fn failed(&self) -> JobId {
        let id = self.enqueue(a_job()).await;
        let mut worker = self.worker();
        let leased = worker.lease_one().await;
        worker.end(fail(&leased)).await;
        id
    }

    async fn cancelled(&self) -> JobId {
        let id = self.enqueue(a_job()).await;
        done(self.cancel(id).await);
        id
    }

    async fn is_kept(&self, id: JobId) -> bool {
        self.find(id).await.is_some()
    }
}

pub(super) async fn a_result_is_kept_as_long_as_its_job_says(q: QueueFixture) {
    let short = q.completed(a_job().result_ttl(seconds(10))).await;
    let long = q.completed(a_job().result_ttl(seconds(100_000))).await;
    q.advance(seconds(10) - MILLISECOND).await;
    assert!(q.is_kept(short).await);
    q.advance(MILLISECOND).await;
    assert!(!q.is_kept(short).await);
    q.advance(seconds(90_000)).await;
    assert!(q.is_kept(long).await, "longer than failed jobs, where its job says so");
    assert_eq!(q.counts().await.completed, 1);
    assert!(matches!(q.remove(short).await, Changed::NotFound));
}

pub(super) async fn a_result_of_no_time_is_not_kept(q: QueueFixture) {
    let job = a_job().result_ttl(seconds(0)).unique("k");
    let id = q.completed(job.clone()).await;
    assert!(!q.is_kept(id).await);
    assert_eq!(q.status().await.totals.completed, 1);
    assert_eq!(q.counts().await.completed, 0);
    q.enqueue(job).await;
}

pub(super) async fn results_that_are_not_kept_leave_nothing_and_the_others_stay(q: QueueFixture) {
    let unkept = || a_job().result_ttl(seconds(0));
    let tried_again = q.enqueue(unkept()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(retry(&leased, MILLISECOND)).await;
    q.advance(MILLISECOND).await;
    let plain = [q.enqueue(unkept()).await, q.enqueue(unkept()).await];
    let unique = q.enqueue(unkept().unique("k")).await;
    let kept = [q.enqueue(a_job()).await, q.enqueue(a_job()).await];

    let leased = worker.lease(6).await;
    assert_eq!(leased.len(), 6);
    let reply =
        worker.turn(|cycle| cycle.settlements = leased.iter().map(complete).collect()).await;
    assert_eq!(reply.verdicts, [Settled::Recorded; 6]);
    assert!(!reply.resync);
    for id in plain.into_iter().chain([tried_again, unique]) {
        assert!(!q.is_kept(id).await);
    }
    for id in kept {
        assert!(q.is_kept(id).await);
    }
    let status = q.status().await;
    assert_eq!((status.totals.completed, status.counts.completed), (6, 2));
    assert_eq!((status.counts.running, status.waiting_bytes), (0, 0));

    for job in [a_job().id(plain[0]), a_job().id(tried_again), a_job().id(unique).unique("k")] {
        q.enqueue(job).await;
    }
    assert!(worker.lease(6).await.iter().all(|job| (job.attempt, job.failures) == (1, 0)));
}

pub(super) async fn failed_and_cancelled_jobs_are_kept_for_their_age(q: QueueFixture) {
    let q = q.with(|config| config.finished_age_max = seconds(60)).await;
    let ids = [q.failed().await, q.cancelled().await];
    q.advance(seconds(60) - MILLISECOND).await;
    for id in ids {
        assert!(q.is_kept(id).await);
    }
    q.advance(MILLISECOND).await;
    for id in ids {
        assert!(!q.is_kept(id).await);
        assert!(matches!(q.requeue(id).await, Changed::NotFound));
    }
    let counts = q.counts().await;
    assert_eq!((counts.failed, counts.cancelled), (0, 0));
    assert_eq!(q.queue.clear_failed(&a_job().0.queue).await.unwrap(), 0);
}

pub(super) async fn the_oldest_finished_jobs_go_first(q: QueueFixture) {
    let q = q.with(|config| config.finished_items_max = 3).await;
    let mut ids = Vec::new();
    for i in 0..6 {
        ids.push(if i % 2 == 0 { q.completed(a_job()).await } else { q.cancelled().await });
        q.advance(MILLISECOND).await;
    }
    for (i, id) in ids.into_iter().enumerate() {
        assert_eq!(q.is_kept(id).await, i >= 3, "{i}");
    }
    let counts = q.counts().await;
    assert_eq!(counts.completed + counts.cancelled, 3);
}

pub(super) async fn what_would_be_forgotten_next_makes_room(q: QueueFixture) {
    let q = q.with(|config| config.finished_items_max = 2).await;
    let kept_for = |ttl| a_job().result_ttl(seconds(ttl));
    let long = q.completed(kept_for(1_000)).await;
    let short = q.completed(kept_for(10)).await;
    let longer = q.completed(kept_for(2_000)).await;
    assert!(!q.is_kept(short).await);
    assert!(q.is_kept(long).await && q.is_kept(longer).await);
    let shortest = q.completed(kept_for(5)).await;
    assert!(!q.is_kept(shortest).await, "what ended last may be the first to go");
    let cancelled = q.cancelled().await;
    assert!(!q.is_kept(long).await);
    assert!(q.is_kept(longer).await && q.is_kept(cancelled).await);
    assert_eq!(q.status().await.totals.completed, 4);
}

pub(super) async fn failed_jobs_are_bounded_apart(q: QueueFixture) {
    let q = q.with(|config| config.finished_items_max = 2).await;
    let failed = [q.failed().await, q.failed().await];
    for _ in 0..5 {
        q.completed(a_job()).await;
    }
    for id in failed {
        assert_eq!(q.state(id).await, StateName::Failed);
    }
    q.advance(MILLISECOND).await;
    let newest = q.failed().await;
    assert!(!q.is_kept(failed[0]).await);
    assert!(q.is_kept(failed[1]).await && q.is_kept(newest).await);
    assert_eq!(q.counts().await.completed, 2);
}

pub(super) async fn waiting_jobs_are_never_trimmed(q: QueueFixture) {
    let q = q.with(|config| config.finished_items_max = 1).await;
    let ids = q.enqueue_some(5).await;
    let scheduled = q.enqueue(a_job().delay(seconds(300 * 24 * 3_600))).await;
    q.advance(seconds(200 * 24 * 3_600)).await;
    q.worker().renew().await;
    for id in ids {
        assert_eq!(q.state(id).await, StateName::Queued);
    }
    assert_eq!(q.state(scheduled).await, StateName::Scheduled);
}

pub(super) async fn an_id_is_free_again_once_its_record_is_forgotten(q: QueueFixture) {
    let job = a_job().result_ttl(seconds(5));
    q.completed(job.clone()).await;
    q.advance(seconds(5)).await;
    q.enqueue(job.clone()).await;
    assert_eq!(q.state(job.0.id).await, StateName::Queued);
    assert_eq!(q.worker().lease_one().await.attempt, 1);
}

pub(super) async fn totals_outlive_the_records(q: QueueFixture) {
    let q = q.with(|config| config.finished_items_max = 1).await;
    for _ in 0..3 {
        q.completed(a_job()).await;
        q.failed().await;
        q.cancelled().await;
    }
    q.advance(seconds(48 * 3_600)).await;
    let totals = q.status().await.totals;
    assert_eq!((totals.completed, totals.failed, totals.cancelled), (3, 3, 3));
    assert_eq!(totals.enqueued, 9);
}
