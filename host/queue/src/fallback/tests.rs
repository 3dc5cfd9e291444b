//! What happens at the switch; before and after it, the rules of every queue hold, as
//! `tests/conformance` shows.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use gristmill_job::{
    Digest, ErrorReport, JobId, ManualClock, NewJob, OutcomeKind, Payload, PluginName, QueueName,
    Start, StateName, Timestamp, UniqueKey, Usage, Verdict, WorkerId,
};

use super::{FallbackQueue, Moved};
use crate::{
    Changed, Config, Cycle, CycleReply, Error, Filter, Held, Leased, MemoryQueue, Note, Queue,
    Settled, Settlement,
};

const LEASE: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(3_600);

/// A queue before its switch, what will be its primary, and a worker.
struct Fixture {
    clock: Arc<ManualClock>,
    queue: Arc<FallbackQueue>,
    primary: Arc<MemoryQueue>,
    worker: WorkerId,
}

impl Fixture {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_777_636_800_000)));
        let memory = || Arc::new(MemoryQueue::new(Config::default(), Arc::clone(&clock) as _));
        let (standby, primary) = (memory(), memory());
        let queue = Arc::new(FallbackQueue::new(standby));
        Self { clock, queue, primary, worker: WorkerId::random() }
    }

    async fn enqueue(&self, change: impl FnOnce(&mut NewJob)) -> JobId {
        enqueue_in(&*self.queue, change).await
    }

    async fn switch(&self) -> Moved {
        self.queue.switch_to(Arc::clone(&self.primary) as _).await.unwrap()
    }

    async fn cycle(&self, change: impl FnOnce(&mut Cycle)) -> Result<CycleReply, Error> {
        let mut cycle = Cycle::new(QueueName::default(), self.worker, LEASE);
        change(&mut cycle);
        self.queue.cycle(&mut cycle).await
    }

    async fn lease(&self, want: usize, held: usize) -> Vec<Leased> {
        let reply = self.cycle(|cycle| (cycle.want, cycle.held) = (want, held)).await.unwrap();
        assert!(!reply.resync, "a queue counts others than the worker holds");
        reply.jobs
    }

    async fn state(&self, id: JobId) -> StateName {
        self.queue.get(id).await.unwrap().unwrap().state.name()
    }
}

async fn enqueue_in(queue: &dyn Queue, change: impl FnOnce(&mut NewJob)) -> JobId {
    let mut job = NewJob::new(PluginName::new("echo").unwrap(), Payload::none());
    change(&mut job);
    let id = job.id;
    assert_eq!(queue.enqueue(vec![job]).await.unwrap(), [Verdict::Created]);
    id
}

fn ids(jobs: &[Leased]) -> Vec<JobId> {
    jobs.iter().map(|job| job.spec.id).collect()
}

fn complete(held: Held) -> Settlement {
    let digest = Digest::of(b"component");
    let (usage, follow_ups) = (Usage::default(), Vec::new());
    Settlement::Complete { held, digest, result: None, usage, follow_ups }
}

#[tokio::test]
async fn waiting_jobs_move_in_their_order_with_their_times() {
    let it = Fixture::new();
    let mut waiting = Vec::new();
    for _ in 0..150 {
        waiting.push(it.enqueue(|_| {}).await);
    }
    let later = it.enqueue(|job| job.start = Start::After(LONG)).await;
    it.clock.advance(Duration::from_secs(60));
    assert_eq!(it.switch().await, Moved { moved: 151, left: 0 });
    assert_eq!(ids(&it.lease(200, 0).await), waiting);
    let there = it.primary.get(later).await.unwrap().unwrap();
    assert_eq!(there.state.name(), StateName::Scheduled);
    it.clock.advance(LONG - Duration::from_secs(60));
    assert_eq!(ids(&it.lease(1, 150).await), [later]);
    let status = it.queue.status(&QueueName::default()).await.unwrap();
    assert_eq!((status.totals.enqueued, status.counts.running), (151, 151));
}

#[tokio::test]
async fn new_jobs_go_to_the_primary_and_known_ones_are_duplicates() {
    let it = Fixture::new();
    let moved = it.enqueue(|_| {}).await;
    let stays = it.enqueue(|job| job.priority = 0.try_into().unwrap()).await;
    assert_eq!(ids(&it.lease(1, 0).await), [stays]);
    it.switch().await;
    let new = it.enqueue(|_| {}).await;
    assert!(it.primary.get(new).await.unwrap().is_some());
    for id in [moved, stays, new] {
        let plugin = PluginName::new("echo").unwrap();
        let again = NewJob { id, ..NewJob::new(plugin, Payload::none()) };
        assert_eq!(it.queue.enqueue(vec![again]).await.unwrap(), [Verdict::Duplicate]);
    }
}

#[tokio::test]
async fn what_has_started_ends_where_it_started() {
    let it = Fixture::new();
    let (first, second) = (it.enqueue(|_| {}).await, it.enqueue(|_| {}).await);
    let started = it.lease(1, 0).await;
    assert_eq!(it.switch().await, Moved { moved: 1, left: 0 });
    let others = it.lease(1, 1).await;
    assert_eq!((ids(&started), ids(&others)), (vec![first], vec![second]));
    let (started, other) = (started[0].held(), others[0].held());
    let forged = Held { attempt: 7, ..started };
    let settle = |cycle: &mut Cycle| {
        cycle.notes = vec![Note::Checkpoint(started, Payload::text("half"))];
        cycle.settlements = vec![
            complete(other),
            Settlement::Fail {
                held: started,
                digest: None,
                outcome: OutcomeKind::Trapped,
                error: ErrorReport::new("trap", "unreachable was executed"),
                usage: Usage::default(),
                retry: Some(Duration::from_secs(1)),
            },
            complete(forged),
        ];
    };
    let reply = it.cycle(settle).await.unwrap();
    assert_eq!(reply.verdicts, [Settled::Recorded, Settled::Recorded, Settled::LeaseLost]);
    assert_eq!(it.state(second).await, StateName::Completed);
    // Its next attempt is here too, with what the first one left.
    assert_eq!(reply.next_due, Some(Duration::from_secs(1)));
    it.clock.advance(Duration::from_secs(1));
    it.lease(0, 0).await;
    let again = it.lease(4, 0).await;
    assert_eq!((again[0].attempt, again[0].failures), (2, 1));
    assert_eq!(again[0].checkpoint, Some(Payload::text("half")));
}

#[tokio::test]
async fn a_job_that_is_run_again_stays_where_its_attempts_are_counted() {
    let it = Fixture::new();
    let id = it.enqueue(|_| {}).await;
    let held = it.lease(1, 0).await[0].held();
    let settle = |cycle: &mut Cycle| {
        cycle.settlements = vec![Settlement::Cancelled { held, usage: Some(Usage::default()) }];
    };
    it.cycle(settle).await.unwrap();
    assert!(matches!(it.queue.requeue(id).await.unwrap(), Changed::Done(_)));
    assert_eq!(it.switch().await, Moved { moved: 0, left: 0 });
    assert_eq!(it.lease(1, 0).await[0].attempt, 2);
}

#[tokio::test]
async fn a_cancel_request_reaches_what_runs_in_either() {
    let it = Fixture::new();
    let here = it.enqueue(|_| {}).await;
    it.lease(1, 0).await;
    it.switch().await;
    let there = it.enqueue(|_| {}).await;
    it.lease(1, 1).await;
    for id in [here, there] {
        assert!(matches!(it.queue.cancel(id).await.unwrap(), Changed::Done(_)));
    }
    let mut asked = it.cycle(|cycle| cycle.held = 2).await.unwrap().cancel;
    asked.sort_unstable_by_key(|held| held.id != here);
    assert_eq!(asked.iter().map(|held| held.id).collect::<Vec<_>>(), [here, there]);
    assert!(matches!(it.queue.cancel(JobId::random()).await.unwrap(), Changed::NotFound));
}

#[tokio::test]
async fn a_worker_that_gives_up_gives_up_in_both() {
    let it = Fixture::new();
    let here = it.enqueue(|_| {}).await;
    it.lease(1, 0).await;
    it.switch().await;
    let there = it.enqueue(|_| {}).await;
    it.lease(1, 1).await;
    let resynced = it.queue.resync(&QueueName::default(), it.worker, &[]).await.unwrap();
    assert_eq!((resynced.returned, resynced.lost.len()), (2, 0));
    assert_eq!(
        (it.state(here).await, it.state(there).await),
        (StateName::Queued, StateName::Queued)
    );
    // Where the primary has reaped the worker, the standby's job goes back all the same.
    let both = it.lease(2, 0).await;
    assert_eq!(ids(&both), [here, there]);
    it.clock.advance(LEASE);
    it.primary.reap(&QueueName::default(), it.worker).await.unwrap();
    let refused = it.queue.resync(&QueueName::default(), it.worker, &[]).await;
    assert!(matches!(refused, Err(Error::WorkerReaped(_))));
    assert_eq!(
        (it.state(here).await, it.state(there).await),
        (StateName::Queued, StateName::Queued)
    );
}

#[tokio::test]
async fn a_refused_cycle_leaves_everything_to_be_sent_again() {
    let it = Fixture::new();
    it.enqueue(|_| {}).await;
    let held = it.lease(1, 0).await[0].held();
    it.switch().await;
    it.lease(0, 1).await;
    it.clock.advance(LEASE);
    it.primary.reap(&QueueName::default(), it.worker).await.unwrap();
    let mut cycle = Cycle::new(QueueName::default(), it.worker, LEASE);
    cycle.settlements = vec![complete(held)];
    cycle.notes = vec![Note::Checkpoint(held, Payload::none())];
    (cycle.want, cycle.held) = (3, 2);
    assert!(matches!(it.queue.cycle(&mut cycle).await, Err(Error::WorkerReaped(_))));
    assert_eq!((cycle.settlements.len(), cycle.notes.len()), (1, 1));
    assert_eq!((cycle.want, cycle.held), (3, 2));
    assert_eq!(it.state(held.id).await, StateName::Running);
}

#[tokio::test]
async fn a_client_that_waits_hears_of_the_end_in_the_primary() {
    let it = Fixture::new();
    let id = it.enqueue(|_| {}).await;
    let queue = Arc::clone(&it.queue);
    let mut waiting = Box::pin(async move { queue.wait(id, LONG).await.unwrap() });
    assert!((&mut waiting).now_or_never().is_none());
    it.switch().await;
    assert!((&mut waiting).now_or_never().is_none());
    let held = it.lease(1, 0).await[0].held();
    it.cycle(|cycle| cycle.settlements = vec![complete(held)]).await.unwrap();
    assert_eq!(waiting.await.unwrap().state.name(), StateName::Completed);
}

#[tokio::test]
async fn a_client_that_runs_a_job_hears_of_its_end_in_the_primary() {
    let it = Fixture::new();
    let job = || NewJob::new(PluginName::new("echo").unwrap(), Payload::none());
    let work = async {
        it.switch().await;
        let leased = it.lease(1, 0).await;
        it.cycle(|cycle| cycle.settlements = vec![complete(leased[0].held())]).await.unwrap();
    };
    let (run, ()) = tokio::join!(it.queue.run(job(), LONG), work);
    let (verdict, ended) = run.unwrap();
    assert_eq!(verdict, Verdict::Created);
    assert_eq!(ended.unwrap().state.name(), StateName::Completed, "it was moved while it was run");

    let unkept = NewJob { result_ttl: Duration::ZERO, ..job() };
    let work = async {
        let leased = it.lease(1, 0).await;
        it.cycle(|cycle| cycle.settlements = vec![complete(leased[0].held())]).await.unwrap();
    };
    let (run, ()) = tokio::join!(it.queue.run(unkept, LONG), work);
    assert_eq!(run.unwrap().1.unwrap().state.name(), StateName::Completed);
}

#[tokio::test]
async fn an_idle_worker_is_woken_by_the_switch_and_by_both_queues_then() {
    let it = Fixture::new();
    let queues = [QueueName::default()];
    it.lease(1, 0).await;
    let mut asleep = it.queue.wake(it.worker, &queues);
    assert!((&mut asleep).now_or_never().is_none());
    it.switch().await;
    asleep.now_or_never().unwrap();
    it.lease(1, 0).await;
    let mut asleep = it.queue.wake(it.worker, &queues);
    assert!((&mut asleep).now_or_never().is_none());
    enqueue_in(&*it.primary, |_| {}).await;
    asleep.now_or_never().unwrap();
}

#[tokio::test]
async fn a_job_whose_unique_key_is_taken_there_stays_and_runs_here() {
    let it = Fixture::new();
    let key = || Some(UniqueKey::new("k").unwrap());
    let stays = it.enqueue(|job| job.unique_key = key()).await;
    let theirs = enqueue_in(&*it.primary, |job| job.unique_key = key()).await;
    assert_eq!(it.switch().await, Moved { moved: 0, left: 1 });
    assert_eq!(ids(&it.lease(2, 0).await), [stays, theirs]);
}

#[tokio::test]
async fn a_paused_queue_stays_paused_until_it_is_resumed() {
    let it = Fixture::new();
    let queue = QueueName::default();
    it.enqueue(|_| {}).await;
    it.queue.set_paused(&queue, true).await.unwrap();
    assert_eq!(it.switch().await, Moved { moved: 1, left: 0 });
    assert!(it.lease(1, 0).await.is_empty());
    assert!(it.queue.status(&queue).await.unwrap().paused);
    it.queue.set_paused(&queue, false).await.unwrap();
    assert_eq!(it.lease(1, 0).await.len(), 1);
}

#[tokio::test]
async fn a_listing_goes_through_both() {
    let it = Fixture::new();
    let here = it.enqueue(|_| {}).await;
    it.lease(1, 0).await;
    it.switch().await;
    let there = it.enqueue(|_| {}).await;
    let mut filter =
        Filter { queue: QueueName::default(), state: None, plugin: None, cursor: None, limit: 1 };
    let mut listed = Vec::new();
    loop {
        let page = it.queue.list(&filter).await.unwrap();
        listed.extend(page.jobs.iter().map(|job| job.spec.id));
        if page.cursor.is_none() {
            break;
        }
        filter.cursor = page.cursor;
    }
    assert_eq!(listed, [here, there]);
    filter.cursor = Some(crate::Cursor("x".to_owned()));
    assert!(matches!(it.queue.list(&filter).await, Err(Error::InvalidCursor)));
}
