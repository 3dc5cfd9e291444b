//! A shift on a queue that fails it in every way, in time that passes only while all wait.

use std::sync::atomic::{AtomicU64, Ordering};

use gristmill_job::{
    Digest, Job, JobId, JobState, NewJob, Outcome, Payload, PluginName, RetryPolicy, Timestamp,
};
use gristmill_queue::{Config as QueueConfig, MemoryQueue};
use gristmill_runtime::Report;
use tokio::sync::Notify;

use super::moody::{Mood, Moody};
use super::*;
use crate::board::{Ended, Finished, Task};
use crate::config::Config;

const LEASE: Duration = Duration::from_secs(10);

/// The time of the paused timers, and of suspends that they don't see.
struct Boot {
    started: tokio::time::Instant,
    suspended: AtomicU64,
}

impl Clock for Boot {
    fn now(&self) -> Timestamp {
        let passed = self.started.elapsed();
        let suspended = Duration::from_millis(self.suspended.load(Ordering::SeqCst));
        Timestamp::from_millis(1_000_000).after(passed + suspended)
    }
}

impl Boot {
    fn suspend(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap();
        self.suspended.fetch_add(millis, Ordering::SeqCst);
    }
}

struct Bench {
    queue: Arc<Moody>,
    clock: Arc<Boot>,
    board: Arc<Board>,
    shift: Shift,
    token: CancellationToken,
}

fn a_bench(queues: &[&str]) -> Bench {
    let started = tokio::time::Instant::now();
    let clock = Arc::new(Boot { started, suspended: AtomicU64::new(0) });
    let memory = MemoryQueue::new(QueueConfig::default(), Arc::clone(&clock) as _);
    let queue = Arc::new(Moody::new(Arc::new(memory)));
    let board = Arc::new(Board::new(Arc::new(())));
    let config = Config {
        queues: queues.iter().map(|name| QueueName::new(name).unwrap().into()).collect(),
        concurrency: 4,
        lease: LEASE,
        grace: Duration::ZERO,
        ..Config::default()
    };
    let shift = Shift {
        queue: Arc::clone(&queue) as _,
        board: Arc::clone(&board),
        clock: Arc::clone(&clock) as _,
        lease: LEASE,
        pulse: Pulse::default(),
        controls: Controls::default(),
        is_ending: false,
        dispatcher: Dispatcher::new(config, Arc::clone(&board)),
    };
    Bench { queue, clock, board, shift, token: CancellationToken::new() }
}

impl Bench {
    async fn enqueue(&self, queue: &str) -> JobId {
        let mut job = NewJob::new(PluginName::new("echo").unwrap(), Payload::none());
        job.queue = QueueName::new(queue).unwrap();
        let id = job.id;
        self.queue.enqueue(vec![job]).await.unwrap();
        id
    }

    /// Jobs, one in each queue, that executors have begun.
    async fn begin(&mut self) -> (Vec<JobId>, Vec<Task>) {
        let mut ids = Vec::new();
        let queues: Vec<QueueName> =
            self.shift.dispatcher.lines.iter().map(|line| line.queue.clone()).collect();
        for queue in &queues {
            ids.push(self.enqueue(queue.as_str()).await);
        }
        self.shift.round().await;
        let mut tasks = Vec::new();
        for _ in &ids {
            tasks.push(self.board.take(&Arc::new(Notify::new())).await.unwrap());
        }
        (ids, tasks)
    }

    async fn job(&self, id: JobId) -> Job {
        self.queue.get(id).await.unwrap().unwrap()
    }

    fn uptime(&self) -> Duration {
        self.clock.uptime()
    }

    /// Puts a task back as an executor does.
    fn finish(&self, task: Task, outcome: Outcome) {
        let report = Report::without_guest(outcome);
        let ended =
            Ended::Attempted { digest: Digest::of(b""), report, retry: RetryPolicy::default() };
        let took = Duration::from_millis(10);
        self.board.finish(Finished { queue: task.queue, leased: task.leased, ended, took });
    }

    /// Works until `done`, which must come in time.
    async fn work_until<T>(&mut self, done: impl Future<Output = T>) -> T {
        let work = self.shift.work(&self.token, &self.token);
        tokio::select! {
            biased;
            out = done => out,
            () = work => unreachable!("nobody ends the work"),
            () = tokio::time::sleep(LEASE * 10) => panic!("it doesn't come"),
        }
    }

    /// Another worker takes its jobs from this one, whose lease has lapsed.
    async fn reap(&self, queue: &str, worker: gristmill_job::WorkerId) -> usize {
        let queue = QueueName::new(queue).unwrap();
        self.queue.inner.reap(&queue, worker).await.unwrap().returned
    }
}

fn interrupted() -> Outcome {
    Outcome::Cancelled
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_stopped_before_its_lease_ends_whatever_the_queue_does() {
    for mood in [Mood::Refuses, Mood::IsSilent, Mood::IsMute] {
        let mut bench = a_bench(&["default"]);
        let begun = bench.uptime();
        let (_, tasks) = bench.begin().await;
        bench.queue.set(mood);
        bench.work_until(tasks[0].stop.cancelled()).await;
        let lasted = bench.uptime() - begun;
        assert!(lasted < LEASE, "{mood:?}: {lasted:?}");
        // Where the queue did renew the lease, that isn't known.
        assert!(lasted >= config::usable(LEASE), "{mood:?}: {lasted:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewed_lease_lets_go_on() {
    let mut bench = a_bench(&["default"]);
    let (_, tasks) = bench.begin().await;
    bench.work_until(tokio::time::sleep(LEASE * 5)).await;
    assert!(!tasks[0].stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_suspend_is_noticed_soon_whatever_the_queue_does() {
    for mood in [Mood::Refuses, Mood::IsSilent] {
        let mut bench = a_bench(&["default"]);
        let (_, tasks) = bench.begin().await;
        bench.queue.set(mood);
        let clock = Arc::clone(&bench.clock);
        let suspend = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            clock.suspend(LEASE);
            let woke = tokio::time::Instant::now();
            tasks[0].stop.cancelled().await;
            woke.elapsed()
        };
        let late = bench.work_until(suspend).await;
        assert!(late <= config::CLOCK_CHECK, "{mood:?}: {late:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_stopped_goes_back_uncounted_if_nobody_has_reaped_the_worker() {
    let mut bench = a_bench(&["default"]);
    let worker = bench.shift.dispatcher.worker;
    let (ids, mut tasks) = bench.begin().await;
    bench.queue.set(Mood::IsSilent);
    bench.work_until(tasks[0].stop.cancelled()).await;
    bench.finish(tasks.remove(0), interrupted());
    bench.queue.set(Mood::Answers);
    bench.shift.dispatcher.drain();
    bench.work_until(tokio::time::sleep(LEASE)).await;
    let job = bench.job(ids[0]).await;
    assert_eq!((job.state, job.attempt, job.crashes), (JobState::Queued, 0, 0));
    assert_eq!((bench.shift.dispatcher.worker, bench.shift.dispatcher.released), (worker, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_finished_in_time_is_recorded_if_nobody_has_reaped_the_worker() {
    let mut bench = a_bench(&["default"]);
    let (ids, mut tasks) = bench.begin().await;
    bench.queue.set(Mood::IsSilent);
    bench.finish(tasks.remove(0), Outcome::Completed { result: None });
    bench.work_until(tokio::time::sleep(LEASE * 3)).await;
    bench.queue.set(Mood::Answers);
    bench.work_until(tokio::time::sleep(LEASE)).await;
    assert_eq!(bench.job(ids[0]).await.state, JobState::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_comes_too_late_begins_nothing() {
    let mut bench = a_bench(&["default"]);
    bench.shift.round().await;
    let id = bench.enqueue("default").await;
    let mut dispatcher = Dispatcher::new(Config::default(), Arc::clone(&bench.board));
    dispatcher.plan(0);
    let reply = bench.queue.cycle(&mut dispatcher.lines[0].cycle).await.unwrap();
    assert_eq!(reply.jobs[0].spec.id, id);
    dispatcher.apply(0, Duration::ZERO, config::usable(LEASE), reply);
    assert!(bench.board.take_back().is_empty());
    dispatcher.drain();
    dispatcher.plan(0);
    bench.queue.cycle(&mut dispatcher.lines[0].cycle).await.unwrap();
    let job = bench.job(id).await;
    assert_eq!((job.state, job.attempt), (JobState::Queued, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reaped_worker_that_lives_takes_its_crashes_back() {
    let mut bench = a_bench(&["default"]);
    let worker = bench.shift.dispatcher.worker;
    let (ids, mut tasks) = bench.begin().await;
    bench.queue.set(Mood::IsSilent);
    bench.work_until(tokio::time::sleep(LEASE)).await;
    assert!(tasks[0].stop.is_cancelled());
    bench.finish(tasks.remove(0), interrupted());
    assert_eq!(bench.reap("default", worker).await, 1);
    assert_eq!(bench.job(ids[0]).await.crashes, 1);
    bench.queue.set(Mood::Answers);
    bench.work_until(tokio::time::sleep(LEASE)).await;
    assert_ne!(bench.shift.dispatcher.worker, worker);
    let job = bench.job(ids[0]).await;
    assert_eq!((job.state.is_running(), job.attempt, job.crashes), (true, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_reaped_on_one_queue_gives_back_the_others_as_soon_as_nothing_runs() {
    let mut bench = a_bench(&["a", "b"]);
    let worker = bench.shift.dispatcher.worker;
    let (ids, mut tasks) = bench.begin().await;
    bench.clock.suspend(LEASE);
    assert_eq!(bench.reap("a", worker).await, 1);
    bench.shift.dispatcher.drain();
    bench.work_until(tokio::time::sleep(LEASE)).await;
    assert_ne!(bench.shift.dispatcher.worker, worker);
    assert!(tasks.iter().all(|task| task.stop.is_cancelled()));
    assert!(bench.job(ids[1]).await.state.is_running(), "its attempt hasn't ended yet");
    assert!(!bench.shift.dispatcher.is_done());
    for task in tasks.drain(..) {
        bench.finish(task, interrupted());
    }
    bench.work_until(tokio::time::sleep(Duration::from_secs(1))).await;
    for (id, attempt) in [(ids[0], 1), (ids[1], 0)] {
        let job = bench.job(id).await;
        assert_eq!((job.state, job.attempt, job.crashes), (JobState::Queued, attempt, 0));
    }
    assert!(bench.shift.dispatcher.is_done());
}

#[tokio::test(start_paused = true)]
async fn a_stopping_worker_does_not_wait_for_a_queue_that_never_answers() {
    let mut bench = a_bench(&["default"]);
    let (_, mut tasks) = bench.begin().await;
    bench.finish(tasks.remove(0), Outcome::Completed { result: None });
    bench.queue.set(Mood::IsSilent);
    let begun = bench.uptime();
    bench.shift.end(&bench.token).await.unwrap_err();
    let lasted = bench.uptime() - begun;
    assert!(lasted <= config::LAST_CYCLE_PATIENCE * 3, "{lasted:?}");
}
