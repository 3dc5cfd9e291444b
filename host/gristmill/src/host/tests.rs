//! A host from start to end, with the shipped plugins and guests that misbehave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt as _;
use gristmill_job::{NewJob, OutcomeKind, Payload, RejectionCode, Verdict};
use gristmill_worker::Event;
use tokio::sync::mpsc;

use super::*;
use crate::redis::RedisError;

const PATIENCE: Duration = Duration::from_secs(60);

fn built(folder: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(folder);
    assert!(dir.is_dir(), "run `make plugins`");
    dir
}

fn shipped() -> HostBuilder {
    Host::builder().plugins_dir(built("plugins")).concurrency(1)
}

fn job(plugin: &str, input: Payload) -> NewJob {
    NewJob::new(plugin.parse().unwrap(), input)
}

/// Tells the test of every attempt that begins.
struct Beginnings(mpsc::UnboundedSender<JobId>);

impl Observer for Beginnings {
    fn observe(&self, event: &Event) {
        if let Event::AttemptStarted { job, .. } = event {
            let _ = self.0.send(job.id);
        }
    }
}

/// A host in which a job runs that would never end.
async fn busy(builder: HostBuilder) -> (Host, JobId) {
    let (sender, mut beginnings) = mpsc::unbounded_channel();
    let builder = builder.plugins_dir(built("test-guests")).concurrency(1);
    let host = builder.observer(Beginnings(sender)).build().await.unwrap();
    host.start();
    let id = host.enqueue(job("spin", Payload::none())).await.unwrap();
    assert_eq!(beginnings.recv().await, Some(id));
    (host, id)
}

#[tokio::test]
async fn a_job_that_waited_for_the_worker_runs_and_its_result_comes_back() {
    let host = shipped().build().await.unwrap();
    let id = host.enqueue(job("echo", Payload::text("hi"))).await.unwrap();
    assert_eq!(host.job(id).await.unwrap().unwrap().attempt, 0);
    host.start();
    host.start();
    let done = host.wait(id, PATIENCE).await.unwrap().unwrap();
    assert_eq!(done.outcome, Some(OutcomeKind::Completed));
    assert_eq!(done.result, Some(Payload::text("hi")));
    assert_eq!(host.shutdown().await.unwrap().settled, 1);
}

#[tokio::test]
async fn a_job_is_run_in_one_call() {
    let host = shipped().build().await.unwrap();
    let waiting =
        host.run(job("echo", Payload::text("hi")), Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(waiting.attempt, 0);
    host.start();
    let done = host.run(job("echo", Payload::text("hi")), PATIENCE).await.unwrap().unwrap();
    assert_eq!(done.result, Some(Payload::text("hi")));
    let refused = host.run(job("nope", Payload::none()), PATIENCE).await;
    assert!(matches!(refused, Err(Error::Rejected(_))), "{refused:?}");
}

#[tokio::test]
async fn a_job_that_does_not_fit_is_refused_at_the_door() {
    let host = shipped().build().await.unwrap();
    let refused = async |job| match host.enqueue(job).await {
        Err(Error::Rejected(rejection)) => rejection.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(job("nope", Payload::none())).await, RejectionCode::UnknownPlugin);
    assert_eq!(refused(job("wordcount", Payload::none())).await, RejectionCode::InvalidInput);
    let mut unknown = job("echo", Payload::none());
    unknown.function = Some("f".parse().unwrap());
    assert_eq!(refused(unknown).await, RejectionCode::UnknownFunction);
}

#[tokio::test]
async fn a_batch_keeps_its_order_whatever_is_refused() {
    let host = shipped().build().await.unwrap();
    let echo = job("echo", Payload::none());
    let batch = vec![job("nope", Payload::none()), echo.clone(), echo];
    let verdicts = host.enqueue_many(batch).await.unwrap();
    let [Verdict::Rejected(_), Verdict::Created, Verdict::Duplicate] = &verdicts[..] else {
        panic!("{verdicts:?}")
    };
}

#[tokio::test]
async fn a_job_runs_in_the_queue_that_the_worker_was_started_on() {
    let host = shipped().build().await.unwrap();
    let mut elsewhere = job("echo", Payload::none());
    elsewhere.queue = "bulk".parse().unwrap();
    let id = host.enqueue(elsewhere).await.unwrap();
    host.start_on(["bulk".parse().unwrap()]);
    let done = host.wait(id, PATIENCE).await.unwrap().unwrap();
    assert_eq!(done.outcome, Some(OutcomeKind::Completed));
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_gives_back_what_still_runs_uncounted() {
    let (host, id) = busy(Host::builder().grace(Duration::ZERO)).await;
    let queue = Arc::clone(host.queue());
    let summary = host.shutdown().await.unwrap();
    assert_eq!((summary.settled, summary.released), (0, 1));
    let job = queue.get(id).await.unwrap().unwrap();
    assert_eq!((job.state.name().as_str(), job.attempt, job.failures), ("queued", 0, 0));
}

#[tokio::test]
async fn an_abort_leaves_no_grace_and_gives_back_what_runs() {
    let abort = CancellationToken::new();
    let (host, _) = busy(Host::builder().grace(PATIENCE).abort_token(abort.clone())).await;
    abort.cancel();
    host.ended().cancelled().await;
    assert_eq!(host.shutdown().await.unwrap().released, 1);
}

#[tokio::test]
async fn a_running_job_can_be_cancelled() {
    let (host, id) = busy(Host::builder()).await;
    assert!(matches!(host.cancel(id).await.unwrap(), Changed::Done(_)));
    let job = host.wait(id, PATIENCE).await.unwrap().unwrap();
    assert_eq!(job.outcome, Some(OutcomeKind::Cancelled));
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_busy_host_may_be_dropped_where_blocking_is_forbidden() {
    let (host, _) = busy(Host::builder()).await;
    let ended = host.ended().clone();
    drop(host);
    ended.cancelled().await;
}

#[test]
fn a_host_may_be_built_where_there_is_no_async_runtime() {
    // Without Redis there is nothing to wait for.
    let built = |builder: HostBuilder| builder.build().now_or_never().unwrap().unwrap();
    let host = built(shipped());
    host.start();
    drop(host);
    let own = built(shipped().own_control_runtime());
    own.start();
}

#[tokio::test]
async fn a_component_in_text_form_becomes_a_plugin_or_says_why_not() {
    let host = shipped().build().await.unwrap();
    let error = host.load("broken".parse().unwrap(), &b"(component)"[..]).await.unwrap_err();
    assert!(matches!(error, Error::Plugin { source: LoadError::NothingToCall { .. }, .. }));
    let missing = host.load_file("no/such.wasm").await.unwrap_err();
    assert!(matches!(missing, Error::Plugin { source: LoadError::Unreadable { .. }, .. }));
    let echo = host.load_file(built("plugins").join("echo.wasm")).await.unwrap();
    assert_eq!(host.plugin(echo.name()).await.unwrap().digest(), echo.digest());
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_replaced_by_memory_unless_it_is_required() {
    // Nobody listens on port 1.
    let nowhere = || shipped().redis_url("redis://127.0.0.1:1");
    let host = nowhere().build().await.unwrap();
    let info = host.info().await.unwrap();
    assert_eq!((&*info.queue.backend, info.degraded), ("memory", true));
    assert!(info.degraded_reason.unwrap().contains("can't be reached"));
    let refused = async |builder: HostBuilder| match builder.build().await {
        Err(Error::Redis(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was built"),
    };
    assert!(matches!(refused(nowhere().require_redis(true)).await, RedisError::Connect(_)));
    assert!(matches!(refused(shipped().redis_url("nonsense")).await, RedisError::Address(_)));
    assert!(matches!(refused(shipped().require_redis(true)).await, RedisError::Unsaid));
}
