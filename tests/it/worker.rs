//! A worker on the memory queue: jobs from enqueue to settled, and every way to stop.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill_cache::MemoryCache;
use gristmill_job::{
    JobId, JobState, NewJob, OutcomeKind, Payload, QueueName, RetryPolicy, StateName, SystemClock,
    Verdict, WorkerId,
};
use gristmill_queue::{Cycle, MemoryQueue, Queue};
use gristmill_runtime::{Limits, PluginStore, Runtime};
use gristmill_tests::a_job;
use gristmill_worker::{Config, Event, Observer, QueueFollowUps, Summary, Worker};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

mod manifest;

/// How long a test waits for what should happen at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps all events, and passes them on.
struct Listener {
    seen: Mutex<Vec<Event>>,
    stream: mpsc::UnboundedSender<Event>,
}

impl Observer for Listener {
    fn observe(&self, event: &Event) {
        self.seen.lock().expect("no panic").push(event.clone());
        // A test that waits for nothing more has dropped the other end.
        let _ = self.stream.send(event.clone());
    }
}

fn memory_queue() -> Arc<MemoryQueue> {
    Arc::new(MemoryQueue::new(gristmill_queue::Config::default(), Arc::new(SystemClock)))
}

/// A worker at work, and the queue that it works on.
struct Mill {
    queue: Arc<MemoryQueue>,
    listener: Arc<Listener>,
    stream: mpsc::UnboundedReceiver<Event>,
    shutdown: CancellationToken,
    abort: CancellationToken,
    worker: JoinHandle<anyhow::Result<Summary>>,
}

impl Mill {
    fn start(config: Config, limits: Limits) -> Self {
        Self::start_on(memory_queue(), config, limits)
    }

    fn start_on(queue: Arc<MemoryQueue>, config: Config, limits: Limits) -> Self {
        let folder = gristmill_tests::guest("trap").parent().expect("a folder").to_owned();
        Self::start_with(queue, config, limits, folder)
    }

    /// With the plugins of this folder.
    fn start_with(
        queue: Arc<MemoryQueue>,
        config: Config,
        limits: Limits,
        folder: PathBuf,
    ) -> Self {
        let clock = Arc::new(SystemClock);
        let cache_config = gristmill_cache::Config::default();
        let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
        let slots = u32::try_from(config.concurrency).expect("it fits");
        let runtime_config = gristmill_runtime::Config { slots, limits, ..Default::default() };
        let follow_ups = Arc::new(QueueFollowUps::new(Arc::clone(&queue) as _));
        let runtime = Runtime::new(runtime_config, cache, cache_config, follow_ups, clock)
            .expect("an engine");
        let plugins = Arc::new(PluginStore::new(runtime.clone(), Some(folder)));
        let (sender, stream) = mpsc::unbounded_channel();
        let listener = Arc::new(Listener { seen: Mutex::default(), stream: sender });
        let (shutdown, abort) = (CancellationToken::new(), CancellationToken::new());
        let guests = tokio::runtime::Handle::current();
        let observer = Arc::clone(&listener) as _;
        let worker = Worker::new(
            config,
            Arc::clone(&queue) as _,
            runtime,
            plugins,
            observer,
            guests.clone(),
        )
        .abort_on(abort.clone());
        let worker = guests.spawn(worker.run(shutdown.clone()));
        Self { queue, listener, stream, shutdown, abort, worker }
    }

    fn with_defaults() -> Self {
        Self::start(Config { concurrency: 4, ..Config::default() }, Limits::default())
    }

    async fn enqueue(&self, job: NewJob) -> JobId {
        let id = job.id;
        let verdicts = self.queue.enqueue(vec![job]).await.expect("the queue is there");
        assert_eq!(verdicts, [Verdict::Created]);
        id
    }

    async fn wait(&self, id: JobId) -> gristmill_job::Job {
        let job = self.queue.wait(id, PATIENCE).await.expect("the queue is there");
        let job = job.expect("the job is kept");
        assert!(job.state.is_final(), "{:?}", job.state);
        job
    }

    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let next = async {
            loop {
                let event = self.stream.recv().await.expect("the worker goes on");
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the event comes")
    }

    async fn stop(self) -> (Summary, Vec<Event>) {
        self.shutdown.cancel();
        let stopped = tokio::time::timeout(PATIENCE, self.worker).await;
        let summary = stopped.expect("it stops").expect("no panic").expect("all is recorded");
        let seen = self.listener.seen.lock().expect("no panic").clone();
        let surprises = seen.iter().filter(|event| {
            matches!(event, Event::LeaseLost { .. } | Event::QueueUnavailable { .. })
        });
        assert_eq!(surprises.count(), 0, "{seen:?}");
        (summary, seen)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_from_enqueue_to_its_result() {
    let mill = Mill::with_defaults();
    let id = mill.enqueue(a_job("checkpoints", "", Payload::text("saved"))).await;
    let failed_once = mill.wait(id).await;
    assert_eq!(failed_once.state, JobState::Completed);
    assert_eq!((failed_once.attempt, failed_once.failures), (2, 1));
    assert_eq!(failed_once.result, Some(Payload::text("saved")));
    assert_eq!(failed_once.outcome, Some(OutcomeKind::Completed));
    let (summary, _) = mill.stop().await;
    assert_eq!(summary, Summary { settled: 2, released: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_jobs_are_each_settled_exactly_once() {
    const JOBS: usize = 10_000;
    let mill = Mill::with_defaults();
    let mut ids = Vec::new();
    for batch in 0..JOBS / 100 {
        let jobs: Vec<NewJob> =
            (0..100).map(|i| a_job("fail", "fatal", Payload::json(&json!([batch, i])))).collect();
        ids.extend(jobs.iter().map(|job| job.id));
        let verdicts = mill.queue.enqueue(jobs).await.expect("the queue is there");
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Created));
    }
    for id in &ids {
        assert_eq!(mill.wait(*id).await.state.name(), StateName::Failed);
    }
    let (summary, seen) = mill.stop().await;
    assert_eq!(summary, Summary { settled: JOBS as u64, released: 0 });
    let mut settled: HashMap<JobId, usize> = HashMap::new();
    for event in &seen {
        if let Event::Settled { job, .. } = event {
            *settled.entry(job.id).or_default() += 1;
        }
    }
    assert_eq!(settled.len(), JOBS);
    assert!(settled.values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misbehaving_job_leaves_the_next_one_alone() {
    let config = Config { concurrency: 1, ..Config::default() };
    let mill = Mill::start(config, Limits::default());
    for (guest, expected) in [
        ("trap", OutcomeKind::Trapped),
        ("spin", OutcomeKind::TimedOut),
        ("allocate", OutcomeKind::LimitExceeded),
        ("recurse", OutcomeKind::LimitExceeded),
    ] {
        let mut job = a_job(guest, "", Payload::none());
        job.timeout = (guest == "spin").then_some(Duration::from_millis(100));
        job.retry = Some(RetryPolicy { attempts_max: 1, ..RetryPolicy::default() });
        let id = mill.enqueue(job).await;
        assert_eq!(mill.wait(id).await.outcome, Some(expected), "{guest}");
        let id = mill.enqueue(a_job("reads-context", "", Payload::none())).await;
        assert_eq!(mill.wait(id).await.state, JobState::Completed, "after {guest}");
    }
    mill.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_can_be_cancelled() {
    let mut mill = Mill::with_defaults();
    let id = mill.enqueue(a_job("spin", "", Payload::none())).await;
    mill.until(|event| matches!(event, Event::AttemptStarted { .. })).await;
    mill.queue.cancel(id).await.expect("the queue is there");
    assert_eq!(mill.wait(id).await.state, JobState::Cancelled);
    mill.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_ups_become_jobs_when_their_parent_is_settled() {
    let mut mill = Mill::with_defaults();
    let id = mill.enqueue(a_job("follow-up", "", Payload::none())).await;
    assert_eq!(mill.wait(id).await.state, JobState::Completed);
    for _ in 0..2 {
        let of_a_child =
            |event: &Event| matches!(event, Event::Settled { job, .. } if job.parent == Some(id));
        let event = mill.until(of_a_child).await;
        assert!(matches!(event, Event::Settled { state: JobState::Completed, .. }));
    }
    let (summary, _) = mill.stop().await;
    assert_eq!(summary.settled, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_ups_can_be_enqueued_at_once() {
    let mut mill = Mill::with_defaults();
    let plan = Payload::json(&json!({"now": true, "fail": true}));
    let id = mill.enqueue(a_job("follow-up", "", plan)).await;
    assert_eq!(mill.wait(id).await.state, JobState::Failed);
    for _ in 0..2 {
        let of_a_child =
            |event: &Event| matches!(event, Event::Settled { job, .. } if job.parent == Some(id));
        mill.until(of_a_child).await;
    }
    mill.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_plugin_nobody_has_is_failed_in_the_end() {
    let config = Config {
        concurrency: 1,
        unknown_plugin_patience: Duration::from_millis(1),
        ..Config::default()
    };
    let mut mill = Mill::start(config, Limits::default());
    let mut job = a_job("nobody", "", Payload::none());
    // Enqueued so long ago that patience is over when a worker first looks at it.
    job.start = gristmill_job::Start::After(Duration::from_millis(20));
    let id = mill.enqueue(job).await;
    let of_it = |event: &Event| matches!(event, Event::Settled { job, .. } if job.id == id);
    mill.until(of_it).await;
    let job = mill.wait(id).await;
    assert_eq!(job.state, JobState::Failed);
    let error = job.error.expect("an error");
    assert_eq!(error.code, "unknown-plugin");
    assert!(error.message.contains("nobody.wasm"), "{error:?}");
    mill.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_worker_died_under_runs_alone() {
    let queue = memory_queue();
    let suspect = a_job("reads-context", "", Payload::none());
    let suspect_id = suspect.id;
    queue.enqueue(vec![suspect]).await.expect("the queue is there");
    let died = queue.cycle(&mut a_cycle_of_a_dying_worker()).await.expect("the queue is there");
    assert_eq!(died.jobs.len(), 1);
    let others = (0..6).map(|_| {
        let mut job = a_job("spin", "", Payload::none());
        job.timeout = Some(Duration::from_millis(50));
        job.retry = Some(RetryPolicy { attempts_max: 1, ..RetryPolicy::default() });
        job
    });
    queue.enqueue(others.collect()).await.expect("the queue is there");

    let config = Config { concurrency: 3, ..Config::default() };
    let mut mill = Mill::start_on(queue, config, Limits::default());
    for _ in 0..7 {
        mill.until(|event| matches!(event, Event::Settled { .. })).await;
    }
    assert_eq!(mill.wait(suspect_id).await.crashes, 1);
    let (_, seen) = mill.stop().await;
    let mut running = 0;
    let mut alone = None;
    for event in &seen {
        match event {
            Event::AttemptStarted { job, .. } => {
                assert_eq!(alone, None, "something started beside the suspect");
                if job.id == suspect_id {
                    assert_eq!(running, 0, "the suspect started beside something");
                    alone = Some(suspect_id);
                }
                running += 1;
            }
            Event::Settled { job, .. } => {
                alone = alone.filter(|id| *id != job.id);
                running -= 1;
            }
            _ => {}
        }
    }
}

/// A worker that leases one job and is never heard of again.
fn a_cycle_of_a_dying_worker() -> Cycle {
    let lease = Duration::from_millis(1);
    Cycle { want: 1, ..Cycle::new(QueueName::default(), WorkerId::random(), lease) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_worker_lets_running_attempts_finish() {
    let limits = Limits { wall: Duration::from_millis(200), ..Limits::default() };
    let mut mill = Mill::start(Config { concurrency: 1, ..Config::default() }, limits);
    let running = mill.enqueue(a_job("spin", "", Payload::none())).await;
    let waiting = mill.enqueue(a_job("spin", "", Payload::none())).await;
    mill.until(|event| matches!(event, Event::AttemptStarted { .. })).await;
    let queue = Arc::clone(&mill.queue);
    let (summary, _) = mill.stop().await;
    assert_eq!(summary.settled, 1);
    let job = |id| async move { queue.get(id).await.expect("the queue is there").expect("kept") };
    let (running, waiting) = (job.clone()(running).await, job(waiting).await);
    assert_eq!((running.outcome, running.failures), (Some(OutcomeKind::TimedOut), 1));
    assert_eq!((waiting.state, waiting.attempt), (JobState::Queued, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlasts_the_grace_is_interrupted_and_released_uncounted() {
    let config = Config { concurrency: 1, grace: Duration::from_millis(50), ..Config::default() };
    let mut mill = Mill::start(config, Limits::default());
    let id = mill.enqueue(a_job("spin", "", Payload::none())).await;
    mill.until(|event| matches!(event, Event::AttemptStarted { .. })).await;
    let queue = Arc::clone(&mill.queue);
    let (summary, seen) = mill.stop().await;
    assert_eq!(summary, Summary { settled: 0, released: 1 });
    assert!(seen.iter().any(|event| matches!(event, Event::Released { .. })));
    let job = queue.get(id).await.expect("the queue is there").expect("kept");
    assert_eq!((job.state, job.attempt, job.failures), (JobState::Queued, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_cuts_the_grace_short() {
    let config = Config { concurrency: 1, grace: PATIENCE * 10, ..Config::default() };
    let mut mill = Mill::start(config, Limits::default());
    mill.enqueue(a_job("spin", "", Payload::none())).await;
    mill.until(|event| matches!(event, Event::AttemptStarted { .. })).await;
    mill.abort.cancel();
    let (summary, _) = mill.stop().await;
    assert_eq!(summary, Summary { settled: 0, released: 1 });
}
