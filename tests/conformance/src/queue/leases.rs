//! What workers take, and for how long.

use std::collections::HashSet;

use gristmill_job::{JobId, JobState, StateName};
use gristmill_queue::{Error, Held};
use tokio::task::JoinSet;

use super::fixture::{MILLISECOND, QueueFixture, a_job, seconds};
use super::worker::{LEASE, complete, past_the_lease, release};

pub(super) async fn a_leased_job_is_hidden(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (mut one, mut other) = (q.worker(), q.worker());
    assert_eq!(one.lease_ids(1).await, [id]);
    assert!(other.lease(1).await.is_empty());
    assert!(one.lease(1).await.is_empty());
}

pub(super) async fn a_lease_counts_an_attempt(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    q.advance(seconds(3)).await;
    let leased = q.worker().lease_one().await;
    assert_eq!((leased.attempt, leased.failures, leased.crashes), (1, 0, 0));
    let job = q.job(id).await;
    assert_eq!(job.state, JobState::Running { cancel_requested: false });
    assert_eq!(job.attempt, 1);
    assert_eq!(job.started_at, Some(q.now().await));
}

pub(super) async fn a_cycle_leases_what_is_wanted_and_says_that_there_is_more(q: QueueFixture) {
    q.enqueue_some(5).await;
    let mut worker = q.worker();
    let reply = worker.turn(|cycle| cycle.want = 2).await;
    assert_eq!((reply.jobs.len(), reply.more), (2, true));
    let reply = worker.turn(|cycle| cycle.want = 9).await;
    assert_eq!((reply.jobs.len(), reply.more), (3, false));
}

pub(super) async fn a_cycle_leases_no_more_than_a_batch(q: QueueFixture) {
    let q = q.with(|config| config.batch_items_max = 4).await;
    q.enqueue_some(6).await;
    let reply = q.worker().turn(|cycle| cycle.want = usize::MAX).await;
    assert_eq!((reply.jobs.len(), reply.more), (4, true));
}

pub(super) async fn a_cycle_that_wants_nothing_gets_nothing(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let reply = q.worker().renew().await;
    assert!(reply.jobs.is_empty());
    assert!(reply.more);
    assert_eq!(q.state(id).await, StateName::Queued);
}

pub(super) async fn bytes_bound_what_a_cycle_leases(q: QueueFixture) {
    let mut ids = Vec::new();
    for weight in [100, 100, 100, 50] {
        ids.push(q.enqueue(a_job().weight(weight)).await);
    }
    let mut worker = q.worker();
    let reply = worker.turn(|cycle| (cycle.want, cycle.want_bytes) = (9, 250)).await;
    let leased: Vec<JobId> = reply.jobs.iter().map(|job| job.spec.id).collect();
    assert_eq!(leased, ids[..2], "a smaller job must not overtake the one that doesn't fit");
    assert!(reply.more);
    let reply = worker.turn(|cycle| (cycle.want, cycle.want_bytes) = (9, 150)).await;
    assert_eq!(reply.jobs.len(), 2);
}

pub(super) async fn bytes_bound_jobs_that_come_back_too(q: QueueFixture) {
    for _ in 0..3 {
        q.enqueue(a_job().weight(200)).await;
    }
    let mut worker = q.worker();
    let leased = worker.lease(3).await;
    let back = leased.iter().map(release);
    worker.turn(|cycle| cycle.settlements = back.collect()).await;
    q.enqueue(a_job().weight(50)).await;
    let reply = worker.turn(|cycle| (cycle.want, cycle.want_bytes) = (9, 450)).await;
    assert_eq!(reply.jobs.len(), 2, "the heaviest job is none that was enqueued last");

    let reply = worker.turn(|cycle| (cycle.want, cycle.want_bytes) = (9, 450)).await;
    assert_eq!(reply.jobs.len(), 2);
    for delay in [1, 2] {
        q.enqueue(a_job().weight(200).delay(delay * MILLISECOND)).await;
    }
    q.advance(2 * MILLISECOND).await;
    let reply = worker.turn(|cycle| (cycle.want, cycle.want_bytes) = (9, 300)).await;
    assert_eq!(reply.jobs.len(), 1, "jobs that were scheduled have a weight as well");
}

pub(super) async fn the_first_job_comes_whatever_it_weighs(q: QueueFixture) {
    let id = q.enqueue(a_job().weight(5_000)).await;
    q.enqueue(a_job()).await;
    let reply = q.worker().turn(|cycle| (cycle.want, cycle.want_bytes) = (9, 1)).await;
    assert_eq!(reply.jobs.len(), 1);
    assert_eq!(reply.jobs[0].spec.id, id);
}

pub(super) async fn queues_do_not_share_their_jobs(q: QueueFixture) {
    let id = q.enqueue(a_job().queue("a")).await;
    assert!(q.worker().on("b").lease(1).await.is_empty());
    assert_eq!(q.worker().on("a").lease_ids(1).await, [id]);
}

pub(super) async fn many_workers_never_get_the_same_job(q: QueueFixture) {
    const JOBS: usize = 2_000;
    for _ in 0..JOBS / 250 {
        q.verdicts((0..250).map(|_| a_job())).await;
    }
    let mut workers = JoinSet::new();
    for _ in 0..8 {
        let mut worker = q.worker();
        workers.spawn(async move {
            let mut ids = Vec::new();
            loop {
                let leased = worker.lease(7).await;
                if leased.is_empty() {
                    return ids;
                }
                ids.extend(leased.iter().map(|job| job.spec.id));
                worker.turn(|cycle| cycle.settlements.extend(leased.iter().map(complete))).await;
                tokio::task::yield_now().await;
            }
        });
    }
    let leased = workers.join_all().await.concat();
    assert_eq!(leased.len(), JOBS);
    assert_eq!(leased.into_iter().collect::<HashSet<_>>().len(), JOBS);
    assert_eq!(q.status().await.totals.completed, JOBS as u64);
}

pub(super) async fn a_renewed_lease_does_not_lapse(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    worker.lease_one().await;
    for _ in 0..3 {
        q.advance(LEASE - MILLISECOND).await;
        worker.renew().await;
        assert_eq!(other.renew().await.lapsed, []);
    }
}

pub(super) async fn a_lapsed_worker_is_named_to_the_others(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    worker.lease_one().await;
    other.renew().await;
    q.advance(past_the_lease()).await;
    assert_eq!(other.renew().await.lapsed, [worker.id]);
    assert_eq!(q.worker().on("elsewhere").renew().await.lapsed, []);
}

pub(super) async fn a_lapsed_worker_that_nobody_reaped_goes_on(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    q.advance(past_the_lease()).await;
    let reply = worker.renew().await;
    assert_eq!(reply.lapsed, [], "a worker isn't told to reap itself");
    assert!(!reply.resync);
    assert_eq!(q.worker().renew().await.lapsed, []);
    worker.end(complete(&leased)).await;
}

pub(super) async fn a_worker_without_a_lease_that_claims_a_job_is_refused(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut stranger = q.worker();
    stranger.held = vec![Held { id, attempt: 1 }];
    let error = stranger.cycle(|cycle| cycle.want = 1).await.unwrap_err();
    assert!(matches!(error, Error::WorkerReaped(worker) if worker == stranger.id), "{error}");
    let error = stranger.resync().await.unwrap_err();
    assert!(matches!(error, Error::WorkerReaped(_)), "{error}");
    assert_eq!(q.state(id).await, StateName::Queued);
}
