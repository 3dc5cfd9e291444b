//! What users do to jobs and queues, but for cancelling.

use std::collections::HashSet;

use gristmill_job::{JobId, JobState, PluginName, QueueName, StateName};
use gristmill_queue::{Requeued, requeue_failed};

use super::fixture::{AJob, QueueFixture, a_job, a_queue, done, refused, seconds};
use super::worker::{complete, fail, retry};

pub(super) async fn a_failed_job_runs_again_with_its_counters_at_zero(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(retry(&leased, seconds(0))).await;
    let leased = worker.lease_one().await;
    worker.end(fail(&leased)).await;
    assert_eq!(q.job(id).await.failures, 2);
    q.advance(seconds(60)).await;
    let job = done(q.requeue(id).await);
    assert_eq!(job.state, JobState::Queued);
    assert_eq!((job.attempt, job.failures, job.crashes), (2, 0, 0));
    assert_eq!((job.run_at, job.completed_at), (q.now().await, None));
    let leased = worker.lease_one().await;
    assert_eq!((leased.attempt, leased.failures), (3, 0));
    worker.end(complete(&leased)).await;
    let totals = q.status().await.totals;
    assert_eq!((totals.enqueued, totals.failed, totals.completed), (1, 1, 1));
}

pub(super) async fn a_cancelled_job_runs_again(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    done(q.cancel(id).await);
    worker.end(retry(&leased, seconds(0))).await;
    assert_eq!(done(q.requeue(id).await).state, JobState::Queued);
    let leased = worker.lease_one().await;
    assert_eq!(worker.renew().await.cancel, [], "the wish to cancel it is over");
    worker.end(complete(&leased)).await;
}

pub(super) async fn only_failed_and_cancelled_jobs_are_requeued(q: QueueFixture) {
    let scheduled = q.enqueue(a_job().delay(seconds(5))).await;
    let ids = q.enqueue_some(3).await;
    let mut worker = q.worker();
    let leased = worker.lease(2).await;
    worker.end(complete(&leased[0])).await;
    for (id, state) in [
        (scheduled, StateName::Scheduled),
        (ids[0], StateName::Completed),
        (ids[1], StateName::Running),
        (ids[2], StateName::Queued),
    ] {
        assert_eq!(refused(q.requeue(id).await).state.name(), state);
        assert_eq!(q.state(id).await, state);
    }
}

pub(super) async fn a_removed_job_is_gone_and_its_id_free(q: QueueFixture) {
    let job = a_job();
    let id = q.enqueue(job.clone()).await;
    assert_eq!(done(q.remove(id).await).state, JobState::Queued);
    assert!(q.find(id).await.is_none());
    assert_eq!(q.queue.logs(id).await.unwrap(), None);
    q.enqueue(job).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(complete(&leased)).await;
    assert_eq!(done(q.remove(id).await).state, JobState::Completed);
    assert!(q.find(id).await.is_none());
    assert_eq!(q.counts().await.completed, 0);
}

pub(super) async fn a_removed_job_is_never_leased(q: QueueFixture) {
    let ids = q.enqueue_some(3).await;
    let scheduled = q.enqueue(a_job().delay(seconds(1))).await;
    done(q.remove(ids[1]).await);
    done(q.remove(scheduled).await);
    q.advance(seconds(2)).await;
    assert_eq!(q.worker().lease_ids(9).await, [ids[0], ids[2]]);
}

pub(super) async fn a_running_job_refuses_to_be_removed(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    assert!(refused(q.remove(id).await).state.is_running());
    worker.end(complete(&leased)).await;
}

pub(super) async fn a_job_removed_and_enqueued_again_runs_once(q: QueueFixture) {
    let job = a_job();
    for _ in 0..3 {
        q.enqueue(job.clone()).await;
        done(q.remove(job.0.id).await);
    }
    q.enqueue(job.clone()).await;
    assert_eq!(q.worker().lease_ids(9).await, [job.0.id]);
}

pub(super) async fn clearing_failed_jobs_leaves_all_others(q: QueueFixture) {
    q.enqueue_some(4).await;
    let elsewhere = q.enqueue(a_job().queue("other")).await;
    let (mut worker, mut other) = (q.worker(), q.worker().on("other"));
    let leased = worker.lease(3).await;
    worker.end(complete(&leased[0])).await;
    worker.end(fail(&leased[1])).await;
    worker.end(fail(&leased[2])).await;
    let leased = other.lease_one().await;
    other.end(fail(&leased)).await;
    assert_eq!(q.queue.clear_failed(&worker.name).await.unwrap(), 2);
    assert_eq!(q.queue.clear_failed(&worker.name).await.unwrap(), 0);
    assert_eq!(q.queue.clear_failed(&a_queue("unused")).await.unwrap(), 0);
    let counts = q.counts().await;
    assert_eq!((counts.failed, counts.completed, counts.queued), (0, 1, 1));
    assert_eq!(q.state(elsewhere).await, StateName::Failed);
    assert_eq!(q.status().await.totals.failed, 2);
}

impl QueueFixture {
    /// Enqueues jobs that fail for good.
    async fn failed_for_good(&self, jobs: impl IntoIterator<Item = AJob>) -> Vec<JobId> {
        let mut ids = Vec::new();
        for job in jobs {
            ids.push(self.enqueue(job).await);
        }
        let mut worker = self.worker();
        for leased in worker.lease(ids.len()).await {
            worker.end(fail(&leased)).await;
        }
        assert_eq!(self.counts().await.failed, ids.len() as u64);
        ids
    }

    async fn requeue_failed(&self, plugin: Option<&str>) -> Requeued {
        let plugin = plugin.map(|name| PluginName::new(name).unwrap());
        requeue_failed(&*self.queue, &QueueName::default(), plugin.as_ref()).await.unwrap()
    }
}

pub(super) async fn all_failed_jobs_of_a_queue_run_again(q: QueueFixture) {
    // Some pages of them, and more than are requeued at one time.
    let q = q.with(|config| config.page_items_max = 40).await;
    let ids = q.failed_for_good(std::iter::repeat_with(a_job).take(90)).await;
    let completed = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(complete(&leased)).await;
    assert_eq!(q.requeue_failed(None).await, Requeued { requeued: 90, conflicts: 0 });
    let counts = q.counts().await;
    assert_eq!((counts.failed, counts.queued, counts.completed), (0, 90, 1));
    assert_eq!(q.state(completed).await, StateName::Completed);
    let again: HashSet<JobId> = worker.lease_ids(ids.len()).await.into_iter().collect();
    assert_eq!(again, ids.into_iter().collect());
    assert_eq!(q.requeue_failed(None).await, Requeued::default());
}

pub(super) async fn failed_jobs_of_one_plugin_run_again(q: QueueFixture) {
    let ids = q.failed_for_good([a_job().plugin("rare"), a_job(), a_job().plugin("rare")]).await;
    let elsewhere = Requeued::default();
    assert_eq!(q.requeue_failed(Some("unused")).await, elsewhere);
    assert_eq!(q.requeue_failed(Some("rare")).await, Requeued { requeued: 2, ..elsewhere });
    assert_eq!(q.state(ids[1]).await, StateName::Failed);
    assert_eq!(q.state(ids[2]).await, StateName::Queued);
}

pub(super) async fn a_failed_job_whose_key_is_taken_stays_where_others_run_again(q: QueueFixture) {
    let older = q.failed_for_good([a_job().unique("k")]).await;
    let newer = q.enqueue(a_job().unique("k")).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.end(fail(&leased)).await;
    assert_eq!(q.requeue_failed(None).await, Requeued { requeued: 1, conflicts: 1 });
    assert_eq!(q.state(older[0]).await, StateName::Failed);
    assert_eq!(q.state(newer).await, StateName::Queued);
}

pub(super) async fn a_paused_queue_leases_nothing_and_takes_everything_else(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    q.set_paused(true).await;
    let waiting = q.enqueue(a_job()).await;
    assert!(q.status().await.paused);
    let reply = worker
        .turn(|cycle| {
            cycle.settlements.push(complete(&leased));
            cycle.want = 9;
        })
        .await;
    assert!(reply.jobs.is_empty());
    assert!(!reply.more, "a worker must not be told to come back at once");
    assert_eq!(q.state(leased.spec.id).await, StateName::Completed);
    assert_eq!(q.state(waiting).await, StateName::Queued);
    let elsewhere = q.enqueue(a_job().queue("other")).await;
    assert_eq!(q.worker().on("other").lease_ids(9).await, [elsewhere]);
}

pub(super) async fn a_resumed_queue_leases_again(q: QueueFixture) {
    q.set_paused(true).await;
    q.set_paused(true).await;
    let id = q.enqueue(a_job()).await;
    q.set_paused(false).await;
    assert!(!q.status().await.paused);
    assert_eq!(q.worker().lease_ids(9).await, [id]);
}
