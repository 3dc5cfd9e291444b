//! A value that a hundred attempts want at one time: one of them computes it for all, and where that
//! one ends without it, one other does.

use std::sync::Arc;
use std::time::Duration;

use gristmill_cache::{Cache as _, Reservation};
use gristmill_job::{NewJob, Outcome, OutcomeKind, Payload};
use gristmill_runtime::{Allocator, Plugin, Report, Stop};
use gristmill_tests::{Sandbox, a_job, hold};
use tokio::task::{JoinHandle, JoinSet};

const CALLERS: usize = 100;

/// Attempts that want the same value, the first of which computes it already, and is held up.
struct Rush {
    sandbox: Arc<Sandbox>,
    plugin: Plugin,
    /// The first one's computation goes on when this is released.
    gate: Reservation,
    cancel_first: Stop,
    first: JoinHandle<Report>,
    others: JoinSet<Report>,
}

fn a_caller(end: &str) -> NewJob {
    a_job("single-flight", "", Payload::text(end))
}

impl Rush {
    /// Lets the first attempt compute, whose end the word tells, and then lets all others ask.
    async fn start(first: NewJob) -> Self {
        let sandbox =
            Arc::new(Sandbox::with_slots(Allocator::OnDemand, CALLERS as u32).expect("an engine"));
        let plugin = sandbox.guest("single-flight").await;
        let gate = hold(&sandbox.cache, "plugin:single-flight", "gate").await;
        let cancel_first = Stop::new();
        let first = tokio::runtime::Handle::current().spawn(caller(
            &sandbox,
            &plugin,
            first,
            cancel_first.clone(),
        ));
        sandbox.recorded.said("computes", 1).await;
        let mut others = JoinSet::new();
        for _ in 1..CALLERS {
            others.spawn(caller(&sandbox, &plugin, a_caller(""), Stop::new()));
        }
        sandbox.recorded.said("asks", CALLERS).await;
        Self { sandbox, plugin, gate, cancel_first, first, others }
    }

    /// Lets the computation end, and checks that the first one's end was of this kind and that all
    /// others got the value of the computation with this number.
    async fn end(self, kind: OutcomeKind, computation: i64) {
        self.sandbox.cache.release(self.gate).await.expect("a cache");
        let first = self.first.await.expect("no panic");
        assert_eq!(first.outcome.kind(), kind, "{:?}", first.outcome);
        for other in self.others.join_all().await {
            assert_eq!(other.outcome, computed(computation));
        }
        let job = a_caller("");
        let late = self.sandbox.attempt(&self.plugin, job, 1, None).await;
        assert_eq!(late.outcome, computed(computation), "it is kept");
    }
}

fn computed(computation: i64) -> Outcome {
    let result = Payload::json(&serde_json::json!(computation));
    Outcome::Completed { result: Some(result) }
}

fn caller(
    sandbox: &Arc<Sandbox>,
    plugin: &Plugin,
    job: NewJob,
    cancel: Stop,
) -> impl Future<Output = Report> + use<> {
    let (sandbox, plugin) = (Arc::clone(sandbox), plugin.clone());
    async move {
        let attempt = sandbox.an_attempt(job, 1, None, cancel);
        sandbox.runtime.run(&plugin, attempt).await.expect("the host is well")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn single_flight() {
    Rush::start(a_caller("")).await.end(OutcomeKind::Completed, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_first_traps_one_other_computes() {
    Rush::start(a_caller("trap")).await.end(OutcomeKind::Trapped, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_first_fails_one_other_computes() {
    Rush::start(a_caller("fail")).await.end(OutcomeKind::Failed, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_first_runs_out_of_time_one_other_computes() {
    let mut job = a_caller("spin");
    job.timeout = Some(Duration::from_secs(1));
    Rush::start(job).await.end(OutcomeKind::TimedOut, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_first_is_cancelled_one_other_computes() {
    let rush = Rush::start(a_caller("")).await;
    rush.cancel_first.cancel();
    rush.sandbox.recorded.said("computes", 2).await;
    rush.end(OutcomeKind::Cancelled, 2).await;
}
