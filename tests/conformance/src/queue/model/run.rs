//! One life: each step on the back-end and in the model, and what they have to agree on.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{Event, JobId, StateName, Verdict, WorkerId};
use gristmill_queue::{Changed, CycleReply, Error, Filter, Held, Settled, Settlement};

use super::plain::Plain;
use super::{End, KEYS, Step, WORKERS};
use crate::queue::QueueBackend;
use crate::queue::fixture::{AJob, QueueFixture, a_job, seconds};
use crate::queue::worker::{AWorker, LEASE, a_digest, a_usage, fail_with};

/// How long finished jobs are kept.
const KEPT_FOR: Duration = Duration::from_secs(40);

/// One life.
pub(super) struct Run {
    q: QueueFixture,
    plain: Plain,
    /// Every job that was ever to be enqueued, with its key.
    jobs: Vec<(AJob, Option<u8>)>,
    workers: Vec<AWorker>,
    /// Every worker that ever was.
    ids: Vec<WorkerId>,
    /// Every lease that ever was.
    leased: Vec<(WorkerId, Held)>,
}

impl Run {
    pub(super) async fn new(backend: Arc<dyn QueueBackend>) -> Self {
        let mut plain = Plain::default();
        (plain.config.finished_age_max, plain.config.crashes_max) = (KEPT_FOR, 2);
        let q = QueueFixture::open(backend).await;
        let q = q.with(|config| *config = plain.config.clone()).await;
        plain.now = q.now().await;
        let workers: Vec<AWorker> = (0..WORKERS).map(|_| q.worker()).collect();
        let ids = workers.iter().map(|worker| worker.id).collect();
        Self { q, plain, jobs: Vec::new(), workers, ids, leased: Vec::new() }
    }

    pub(super) async fn step(&mut self, step: Step) {
        match step {
            Step::Enqueue { key, delay, priority } => self.enqueue_new(key, delay, priority).await,
            Step::EnqueueAgain { job } => self.enqueue_again(job).await,
            Step::Cycle { worker, want, ends, is_reply_lost } => {
                self.cycle(worker, want, &ends, is_reply_lost).await;
            }
            Step::Resync { worker } => self.resync(worker).await,
            Step::Die { worker } => self.replace(worker),
            Step::Reap { worker } => {
                let worker = self.ids[worker % self.ids.len()];
                assert_eq!(self.workers[0].reap(worker).await, self.plain.reap(worker));
            }
            Step::Absolve { worker } => self.absolve(worker).await,
            Step::Cancel { job } => self.cancel(job).await,
            Step::Requeue { job } => self.requeue(job).await,
            Step::Remove { job } => self.remove(job).await,
            Step::ClearFailed => self.clear_failed().await,
            Step::Pause(paused) => {
                self.q.set_paused(paused).await;
                self.plain.paused = paused;
            }
            Step::Pass(by) => {
                self.q.advance(by).await;
                self.plain.pass(by);
            }
        }
    }

    async fn enqueue_new(&mut self, key: Option<u8>, delay: u8, priority: u8) {
        let delay = seconds(u64::from(delay));
        let job = a_job().priority(priority).delay(delay).result_ttl(KEPT_FOR);
        let job = match key {
            Some(key) => job.unique(&key.to_string()),
            None => job,
        };
        self.jobs.push((job, key));
        self.enqueue_again(self.jobs.len() - 1).await;
    }

    async fn enqueue_again(&mut self, job: usize) {
        if self.jobs.is_empty() {
            return;
        }
        let (job, key) = self.jobs[job % self.jobs.len()].clone();
        let delay = job.0.start.run_at(self.plain.now).since(self.plain.now);
        let expected = self.plain.enqueue(job.0.id, key, delay);
        assert_eq!(self.q.verdict(job).await, expected);
    }

    async fn cycle(&mut self, index: usize, want: usize, ends: &[End], is_reply_lost: bool) {
        let worker = &mut self.workers[index];
        let known = worker.held.clone();
        let settled: Vec<(Held, End)> = known
            .iter()
            .copied()
            .zip(ends.iter().copied())
            .filter(|(_, end)| !matches!(end, End::Keep))
            .collect();
        let reply = worker
            .cycle(|cycle| {
                cycle.settlements.extend(settled.iter().map(|(held, end)| settlement(*held, *end)));
                cycle.want = want;
            })
            .await;
        let id = worker.id;
        if self.plain.reaped.contains(&id) {
            assert!(matches!(reply, Err(Error::WorkerReaped(reaped)) if reaped == id));
            return self.replace(index);
        }
        let left = known.len() - settled.len();
        self.follow(id, &settled, left, want, reply.unwrap());
        if is_reply_lost {
            self.workers[index].held = known;
            self.resync(index).await;
        }
    }

    /// Does in the model what a cycle did, and checks the reply.
    fn follow(
        &mut self,
        worker: WorkerId,
        settled: &[(Held, End)],
        left: usize,
        want: usize,
        reply: CycleReply,
    ) {
        let plain = &mut self.plain;
        for ((held, end), verdict) in settled.iter().zip(&reply.verdicts) {
            let recorded = plain.settle(worker, *held, *end);
            assert_eq!(*verdict == Settled::Recorded, recorded, "{held:?} {end:?}");
        }
        assert_eq!(reply.verdicts.len(), settled.len());
        plain.leases.insert(worker, plain.now.after(LEASE));
        plain.promote();
        assert_eq!(reply.resync, plain.held_by(worker).len() != left);
        let ready = plain.in_state(StateName::Queued).len();
        let expected = if plain.paused { 0 } else { ready.min(want) };
        assert_eq!(reply.jobs.len(), expected);
        for job in &reply.jobs {
            let leased = plain.lease(worker, job.spec.id);
            assert_eq!(job.attempt, leased.attempt);
            assert_eq!((job.failures, job.crashes), (leased.failures, leased.crashes));
            self.leased.push((worker, job.held()));
        }
        assert_eq!(reply.more, !plain.paused && ready > expected);
        assert_eq!(reply.next_due, plain.next_due());
        assert_eq!(set(reply.cancel), set(plain.cancelling(worker)));
        assert_eq!(set(reply.lapsed), set(plain.lapsed()));
    }

    async fn resync(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        let resynced = worker.resync().await;
        if self.plain.reaped.contains(&worker.id) {
            assert!(matches!(resynced, Err(Error::WorkerReaped(id)) if id == worker.id));
            return self.replace(index);
        }
        let resynced = resynced.unwrap();
        assert_eq!(resynced, self.plain.resync(worker.id, &worker.held));
        worker.held.retain(|held| !resynced.lost.contains(held));
    }

    async fn absolve(&mut self, worker: usize) {
        let reaped = &self.plain.reaped;
        let pool = if reaped.is_empty() { &self.ids } else { reaped };
        let id = pool[worker % pool.len()];
        let its = self.leased.iter().filter(|(worker, _)| *worker == id);
        let held: Vec<Held> = its.map(|(_, held)| *held).collect();
        let name = &self.workers[0].name;
        let corrected = self.q.queue.absolve(name, id, &held).await.unwrap();
        assert_eq!(corrected, self.plain.absolve(id, &held));
    }

    /// Puts a new worker in the place of one that is dead or reaped.
    fn replace(&mut self, index: usize) {
        self.workers[index] = self.q.worker();
        self.ids.push(self.workers[index].id);
    }

    /// The id of a job that came at some time, if one ever did.
    fn pick(&self, job: usize) -> Option<JobId> {
        (!self.jobs.is_empty()).then(|| self.jobs[job % self.jobs.len()].0.0.id)
    }

    async fn cancel(&mut self, job: usize) {
        let Some(id) = self.pick(job) else { return };
        let known = self.plain.jobs.contains_key(&id);
        let expected = self.plain.apply(id, Event::Cancel);
        match self.q.cancel(id).await {
            Changed::Done(job) => assert_eq!(Some(job.state), expected),
            Changed::Refused(_) => assert!(known && expected.is_none()),
            other => assert!(!known, "{other:?}"),
        }
    }

    async fn requeue(&mut self, job: usize) {
        let Some(id) = self.pick(job) else { return };
        if !self.plain.jobs.contains_key(&id) {
            return assert!(matches!(self.q.requeue(id).await, Changed::NotFound));
        }
        match (self.q.requeue(id).await, self.plain.requeue(id)) {
            (Changed::Done(job), Ok(state)) => assert_eq!(Some(job.state), state),
            (Changed::Refused(_), Ok(None)) => {}
            (Changed::UniqueConflict(owner), Err(expected)) => assert_eq!(owner, expected),
            (changed, expected) => panic!("{changed:?}, not {expected:?}"),
        }
    }

    async fn remove(&mut self, job: usize) {
        let Some(id) = self.pick(job) else { return };
        let state = self.plain.jobs.get(&id).map(|job| job.state);
        match self.q.remove(id).await {
            Changed::Done(job) => {
                assert_eq!(Some(job.state), state);
                assert!(!job.state.is_running());
                self.plain.jobs.remove(&id);
            }
            Changed::Refused(_) => assert!(state.is_some_and(|state| state.is_running())),
            other => assert!(state.is_none(), "{other:?}"),
        }
    }

    async fn clear_failed(&mut self) {
        let failed = self.plain.in_state(StateName::Failed);
        let cleared = self.q.queue.clear_failed(&self.workers[0].name).await.unwrap();
        assert_eq!(cleared, failed.len() as u64);
        for id in failed {
            self.plain.jobs.remove(&id);
        }
    }

    /// Checks that the back-end and the model agree on every job and every count.
    pub(super) async fn compare(&self) {
        for (job, _) in &self.jobs {
            let id = job.0.id;
            let (kept, expected) = (self.q.find(id).await, self.plain.jobs.get(&id));
            let Some((kept, expected)) = kept.as_ref().zip(expected) else {
                assert_eq!(kept.is_some(), expected.is_some(), "{id}");
                continue;
            };
            assert_eq!(kept.state, expected.state, "{id}");
            assert_eq!(
                (kept.attempt, kept.failures, kept.crashes, kept.run_at),
                (expected.attempt, expected.failures, expected.crashes, expected.run_at),
                "{id}"
            );
        }
        let status = self.q.status().await;
        assert_eq!(status.counts, self.plain.counts());
        assert_eq!(status.totals, self.plain.totals);
    }

    /// Lets everything come to its end, and checks that nothing was left behind.
    pub(super) async fn finish(mut self) {
        assert_eq!(set(self.listed().await), self.plain.jobs.keys().copied().collect());
        for key in 0..KEYS {
            let expected = match self.plain.owner(key) {
                Some(owner) => Verdict::UniqueConflict(owner),
                None => Verdict::Created,
            };
            let job = a_job().unique(&key.to_string()).result_ttl(KEPT_FOR);
            self.plain.enqueue(job.0.id, Some(key), seconds(0));
            assert_eq!(self.q.verdict(job.clone()).await, expected);
            self.jobs.push((job, Some(key)));
        }
        self.step(Step::Pause(false)).await;
        self.step(Step::Pass(LEASE)).await;
        for worker in self.plain.lapsed() {
            assert_eq!(self.workers[0].reap(worker).await, self.plain.reap(worker));
        }
        self.replace(0);
        while !self.plain.jobs.values().all(|job| job.state.is_final()) {
            self.cycle(0, 8, &[End::Complete; 8], false).await;
        }
        self.compare().await;
    }

    async fn listed(&self) -> Vec<JobId> {
        let queue = self.workers[0].name.clone();
        let mut filter = Filter { queue, state: None, plugin: None, cursor: None, limit: 7 };
        let mut listed = Vec::new();
        loop {
            let page = self.q.queue.list(&filter).await.unwrap();
            listed.extend(page.jobs.iter().map(|job| job.spec.id));
            filter.cursor = page.cursor;
            if filter.cursor.is_none() {
                assert_eq!(set(listed.clone()).len(), listed.len(), "a job was listed twice");
                return listed;
            }
        }
    }
}

fn settlement(held: Held, end: End) -> Settlement {
    match end {
        End::Keep | End::Complete => Settlement::Complete {
            held,
            digest: a_digest(),
            result: None,
            usage: a_usage(),
            follow_ups: Vec::new(),
        },
        End::Fail => fail_with(held, None),
        End::Retry(after) => fail_with(held, Some(after)),
        End::Cancelled => Settlement::Cancelled { held, usage: Some(a_usage()) },
        End::Release => Settlement::Release { held, delay: None },
        End::ReleaseLater(after) => Settlement::Release { held, delay: Some(after) },
    }
}

fn set<T: Eq + Hash>(items: impl IntoIterator<Item = T>) -> HashSet<T> {
    items.into_iter().collect()
}
