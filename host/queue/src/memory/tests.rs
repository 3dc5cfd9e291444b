//! What is the memory queue's alone; the rules of every queue are in `tests/conformance`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use gristmill_job::{
    Clock, Digest, JobId, NewJob, Payload, PluginName, QueueName, Timestamp, Usage, WorkerId,
};

use super::MemoryQueue;
use super::leases::REAPED_MAX;
use crate::{Config, Cycle, CycleReply, Error, Held, Leased, Queue, Settlement};

const LEASE: Duration = Duration::from_secs(10);

/// A clock that goes wherever it is set.
#[derive(Default)]
struct Swing(AtomicU64);

impl Clock for Swing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Swing {
    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::Relaxed);
    }
}

fn a_queue() -> (Arc<MemoryQueue>, Arc<Swing>) {
    let clock = Arc::<Swing>::default();
    clock.set(1_000_000);
    (Arc::new(MemoryQueue::new(Config::default(), Arc::clone(&clock) as _)), clock)
}

async fn enqueue(queue: &MemoryQueue, count: usize) -> Vec<JobId> {
    let plugin = PluginName::new("echo").unwrap();
    let batch: Vec<NewJob> =
        (0..count).map(|_| NewJob::new(plugin.clone(), Payload::none())).collect();
    let ids = batch.iter().map(|job| job.id).collect();
    queue.enqueue(batch).await.unwrap();
    ids
}

async fn cycle(
    queue: &MemoryQueue,
    worker: WorkerId,
    change: impl FnOnce(&mut Cycle),
) -> Result<CycleReply, Error> {
    let mut cycle = Cycle::new(QueueName::default(), worker, LEASE);
    change(&mut cycle);
    queue.cycle(&mut cycle).await
}

async fn lease(queue: &MemoryQueue, worker: WorkerId, want: usize) -> Vec<Leased> {
    cycle(queue, worker, |cycle| cycle.want = want).await.unwrap().jobs
}

async fn settle(queue: &MemoryQueue, worker: WorkerId, settlement: Settlement) {
    cycle(queue, worker, |cycle| cycle.settlements.push(settlement)).await.unwrap();
}

fn release(job: &Leased) -> Settlement {
    Settlement::Release { held: job.held(), delay: None }
}

fn complete(job: &Leased) -> Settlement {
    Settlement::Complete {
        held: job.held(),
        digest: Digest::of(b"component"),
        result: None,
        usage: Usage::default(),
        follow_ups: Vec::new(),
    }
}

/// Whether a future is ready; asked without a runtime that would wait for it.
fn is_ready(future: impl Future) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test]
async fn time_does_not_go_back_with_the_clock() {
    let (queue, clock) = a_queue();
    let worker = WorkerId::random();
    let first = enqueue(&queue, 1).await[0];
    clock.set(5);
    let second = enqueue(&queue, 1).await[0];
    lease(&queue, worker, 2).await;
    for id in [first, second] {
        let job = queue.get(id).await.unwrap().unwrap();
        assert_eq!(job.enqueued_at, Timestamp::from_millis(1_000_000));
        assert_eq!(job.started_at, Some(Timestamp::from_millis(1_000_000)));
    }
    clock.set(1_000_000 + 10_000);
    assert_eq!(queue.reap(&QueueName::default(), worker).await.unwrap().returned, 2);
}

#[tokio::test]
async fn jobs_of_several_workers_come_back_in_their_old_order() {
    let (queue, clock) = a_queue();
    let ids = enqueue(&queue, 7).await;
    let workers: [WorkerId; 3] = std::array::from_fn(|_| WorkerId::random());
    let mut leased = Vec::new();
    for worker in workers {
        leased.push(lease(&queue, worker, 2).await);
    }
    settle(&queue, workers[2], release(&leased[2][0])).await;
    settle(&queue, workers[0], release(&leased[0][1])).await;
    let held = [leased[2][1].held()];
    queue.resync(&QueueName::default(), workers[2], &held[..0]).await.unwrap();
    queue.resync(&QueueName::default(), workers[0], &[]).await.unwrap();
    clock.set(2_000_000);
    queue.reap(&QueueName::default(), workers[1]).await.unwrap();
    let again = lease(&queue, WorkerId::random(), 7).await;
    assert_eq!(again.iter().map(|job| job.spec.id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn a_job_wakes_one_worker_and_a_batch_as_many_as_it_has_jobs() {
    let (queue, _) = a_queue();
    let workers: [WorkerId; 3] = std::array::from_fn(|_| WorkerId::random());
    let queues = [QueueName::default()];
    let mut wakes = workers.map(|worker| Box::pin(queue.wake(worker, &queues)));
    let mut poll = |i: usize| is_ready(wakes[i].as_mut());
    assert!((0..3).all(|i| !poll(i)));
    enqueue(&queue, 1).await;
    assert_eq!([poll(0), poll(1), poll(2)], [true, false, false]);
    lease(&queue, workers[0], 1).await;
    enqueue(&queue, 5).await;
    assert_eq!([poll(1), poll(2)], [true, true]);
}

#[tokio::test]
async fn a_worker_that_goes_away_passes_its_call_on() {
    let (queue, _) = a_queue();
    let queues = [QueueName::default()];
    let mut first = Box::pin(queue.wake(WorkerId::random(), &queues));
    let mut second = Box::pin(queue.wake(WorkerId::random(), &queues));
    assert!(!is_ready(first.as_mut()) && !is_ready(second.as_mut()));
    enqueue(&queue, 1).await;
    assert!(!is_ready(second.as_mut()));
    drop(first);
    assert!(is_ready(second.as_mut()));
}

#[tokio::test]
async fn a_worker_that_gives_up_waiting_leaves_nothing_behind() {
    let (queue, _) = a_queue();
    let queues = [QueueName::default(), QueueName::new("other").unwrap()];
    for _ in 0..3 {
        let mut wake = Box::pin(queue.wake(WorkerId::random(), &queues));
        assert!(!is_ready(wake.as_mut()));
    }
    let state = queue.state.lock().unwrap();
    assert!(state.bells.is_empty());
    assert!(state.lines.iter().all(|line| line.hungry.is_empty()));
}

#[tokio::test]
async fn a_client_that_gives_up_waiting_leaves_nothing_behind() {
    let (queue, _) = a_queue();
    let id = enqueue(&queue, 1).await[0];
    for _ in 0..10 {
        queue.wait(id, Duration::ZERO).await.unwrap();
    }
    let state = queue.state.lock().unwrap();
    let slot = state.jobs.slot(id).unwrap();
    assert!(state.jobs[slot].waiters.len() <= 1);
}

#[tokio::test]
async fn a_reaped_worker_that_was_forgotten_can_claim_nothing() {
    let (queue, clock) = a_queue();
    let name = QueueName::default();
    let forgotten = WorkerId::random();
    enqueue(&queue, 1).await;
    let stale = lease(&queue, forgotten, 1).await.remove(0);
    clock.set(2_000_000);
    queue.reap(&name, forgotten).await.unwrap();
    for _ in 0..REAPED_MAX {
        let worker = WorkerId::random();
        cycle(&queue, worker, |cycle| cycle.lease = Duration::ZERO).await.unwrap();
        queue.reap(&name, worker).await.unwrap();
    }
    assert!(!queue.state.lock().unwrap().lines[0].leases.is_reaped(forgotten));
    for claim in [
        cycle(&queue, forgotten, |cycle| cycle.held = 1).await,
        cycle(&queue, forgotten, |cycle| cycle.settlements.push(complete(&stale))).await,
    ] {
        assert!(matches!(claim, Err(Error::WorkerReaped(worker)) if worker == forgotten));
    }
    let held = [Held { attempt: 2, ..stale.held() }];
    assert!(queue.resync(&name, forgotten, &held).await.is_err());
    assert_eq!(queue.status(&name).await.unwrap().counts.queued, 1);
}

#[tokio::test]
async fn a_finished_job_leaves_nothing_behind() {
    let (queue, _) = a_queue();
    let worker = WorkerId::random();
    let ids = enqueue(&queue, 3).await;
    for job in lease(&queue, worker, 3).await {
        settle(&queue, worker, complete(&job)).await;
    }
    for id in ids {
        queue.remove(id).await.unwrap();
    }
    let state = queue.state.lock().unwrap();
    let line = &state.lines[0];
    assert_eq!(state.jobs.len(), 0);
    assert!(line.ready.is_empty() && line.unique.is_empty());
    assert!(line.finished.surplus(0).is_none());
    assert!(line.finished.expired(Timestamp::from_millis(u64::MAX)).is_none());
    assert!(line.leases.get(worker).unwrap().held.is_empty());
}

#[tokio::test]
async fn expired_jobs_make_room_before_others_do() {
    let clock = Arc::<Swing>::default();
    let config = Config { finished_items_max: 2, ..Config::default() };
    let queue = MemoryQueue::new(config, Arc::clone(&clock) as _);
    let worker = WorkerId::random();
    let kept = enqueue(&queue, 1).await[0];
    queue.cancel(kept).await.unwrap();
    let short = || {
        let job = NewJob::new(PluginName::new("echo").unwrap(), Payload::none());
        NewJob { result_ttl: Duration::from_secs(1), ..job }
    };
    queue.enqueue(vec![short(), short()]).await.unwrap();
    for job in lease(&queue, worker, 2).await {
        settle(&queue, worker, complete(&job)).await;
        clock.set(1_000);
    }
    assert!(queue.get(kept).await.unwrap().is_some());
}

#[tokio::test]
async fn a_panic_under_the_lock_makes_the_queue_unavailable() {
    let (queue, _) = a_queue();
    let broken = Arc::clone(&queue);
    let panicked = std::thread::spawn(move || {
        let _ = broken.step(|_| panic!("a step goes wrong"));
    });
    assert!(panicked.join().is_err());
    let error = queue.enqueue(Vec::new()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert!(!is_ready(pin!(queue.wake(WorkerId::random(), &[]))));
}

#[test]
fn a_waiting_record_is_small() {
    // A million waiting jobs: what the queue adds to what their producers gave stays below 256 MB.
    assert!(size_of::<super::record::Record>() <= 256);
}

/// A clock that counts how often it is asked, which each step does once.
#[derive(Default)]
struct Tally(AtomicU64);

impl Clock for Tally {
    fn now(&self) -> Timestamp {
        self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(1_000_000)
    }
}

#[tokio::test]
async fn a_job_that_is_run_cannot_end_before_its_end_is_listened_for() {
    let clock = Arc::<Tally>::default();
    let queue = MemoryQueue::new(Config::default(), Arc::clone(&clock) as _);
    let job = NewJob::new(PluginName::new("echo").unwrap(), Payload::none());
    let job = NewJob { result_ttl: Duration::ZERO, ..job };
    let mut run = pin!(queue.run(job, LEASE));
    let before = clock.0.load(Ordering::Relaxed);
    assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(
        clock.0.load(Ordering::Relaxed) - before,
        1,
        "it takes one step to enqueue and listen"
    );

    let worker = WorkerId::random();
    for leased in lease(&queue, worker, 1).await {
        settle(&queue, worker, complete(&leased)).await;
    }
    let (_, ended) = run.await.unwrap();
    assert!(ended.is_some_and(|job| job.state.is_final()));
}
