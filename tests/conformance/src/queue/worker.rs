//! A worker that keeps count of what it holds.

use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{
    Digest, ErrorReport, JobId, NewJob, OutcomeKind, Payload, QueueName, Usage, WorkerId,
};
use gristmill_queue::{
    Cycle, CycleReply, Error, Held, Leased, Note, Queue, Reaped, Resynced, Settled, Settlement,
    Woken,
};

use super::fixture::{a_queue, seconds, soon};

/// How long a worker's lease runs.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// A worker on one queue that keeps count of what it holds.
pub(super) struct AWorker {
    queue: Arc<dyn Queue>,
    pub(super) name: QueueName,
    pub(super) id: WorkerId,
    /// What the worker believes to hold.
    pub(super) held: Vec<Held>,
}

impl AWorker {
    pub(super) fn new(queue: Arc<dyn Queue>) -> Self {
        Self { queue, name: QueueName::default(), id: WorkerId::random(), held: Vec::new() }
    }

    pub(super) fn on(mut self, queue: &str) -> Self {
        self.name = a_queue(queue);
        self
    }

    /// One cycle that wants and tells nothing, but for what `change` makes of it.
    pub(super) async fn cycle(
        &mut self,
        change: impl FnOnce(&mut Cycle),
    ) -> Result<CycleReply, Error> {
        let mut cycle = Cycle::new(self.name.clone(), self.id, LEASE);
        change(&mut cycle);
        let settled: Vec<Held> = cycle.settlements.iter().map(Settlement::held).collect();
        let left: Vec<Held> =
            self.held.iter().copied().filter(|held| !settled.contains(held)).collect();
        cycle.held += left.len();
        let reply = self.queue.cycle(&mut cycle).await?;
        self.held = left;
        self.held.extend(reply.jobs.iter().map(Leased::held));
        Ok(reply)
    }

    /// A cycle that must go well.
    pub(super) async fn turn(&mut self, change: impl FnOnce(&mut Cycle)) -> CycleReply {
        self.cycle(change).await.unwrap()
    }

    pub(super) async fn renew(&mut self) -> CycleReply {
        self.turn(|_| {}).await
    }

    pub(super) async fn lease(&mut self, want: usize) -> Vec<Leased> {
        self.turn(|cycle| cycle.want = want).await.jobs
    }

    /// The ids of the jobs that a cycle leases.
    pub(super) async fn lease_ids(&mut self, want: usize) -> Vec<JobId> {
        self.lease(want).await.iter().map(|job| job.spec.id).collect()
    }

    /// The next job, which must be there.
    pub(super) async fn lease_one(&mut self) -> Leased {
        let mut jobs = self.lease(1).await;
        assert_eq!(jobs.len(), 1, "there was no job to lease");
        jobs.remove(0)
    }

    /// What becomes of a settlement.
    pub(super) async fn settle(&mut self, settlement: Settlement) -> Settled {
        self.turn(|cycle| cycle.settlements.push(settlement)).await.verdicts[0]
    }

    /// Settles what must be possible to settle.
    pub(super) async fn end(&mut self, settlement: Settlement) {
        assert_eq!(self.settle(settlement).await, Settled::Recorded);
    }

    pub(super) async fn note(&mut self, note: Note) {
        self.turn(|cycle| cycle.notes.push(note)).await;
    }

    pub(super) async fn resync(&self) -> Result<Resynced, Error> {
        self.queue.resync(&self.name, self.id, &self.held).await
    }

    /// Reaps another worker of the same queue.
    pub(super) async fn reap(&self, other: WorkerId) -> Reaped {
        self.queue.reap(&self.name, other).await.unwrap()
    }

    /// Says that it lives, after it was reaped.
    pub(super) async fn absolve(&self, held: &[Held]) -> usize {
        self.queue.absolve(&self.name, self.id, held).await.unwrap()
    }

    pub(super) async fn wake(&self) {
        self.woken().await;
    }

    async fn woken(&self) -> Woken {
        self.queue.wake(self.id, std::slice::from_ref(&self.name)).await
    }

    /// A cycle that finds nothing, after which jobs may be assigned.
    pub(super) async fn stand_by(&mut self, room: usize) {
        let reply = self.turn(|cycle| (cycle.want, cycle.assignable) = (room, true)).await;
        assert!(reply.jobs.is_empty(), "there was a job");
    }

    /// The next job, however it comes.
    pub(super) async fn get_one(&mut self) -> Leased {
        loop {
            let Woken { mut assigned, ask } = soon(self.woken()).await;
            assert!(assigned.len() <= 1 && (ask || !assigned.is_empty()), "woken for nothing");
            if let Some((_, leased)) = assigned.pop() {
                self.held.push(leased.held());
                return leased;
            }
            if let Some(leased) = self.lease(1).await.pop() {
                return leased;
            }
        }
    }
}

pub(super) fn complete(job: &Leased) -> Settlement {
    complete_with(job, Vec::new())
}

pub(super) fn complete_with(job: &Leased, follow_ups: Vec<NewJob>) -> Settlement {
    Settlement::Complete {
        held: job.held(),
        digest: a_digest(),
        result: Some(Payload::text("result")),
        usage: a_usage(),
        follow_ups,
    }
}

pub(super) fn fail(job: &Leased) -> Settlement {
    fail_with(job.held(), None)
}

pub(super) fn retry(job: &Leased, after: Duration) -> Settlement {
    fail_with(job.held(), Some(after))
}

pub(super) fn fail_with(held: Held, retry: Option<Duration>) -> Settlement {
    Settlement::Fail {
        held,
        digest: Some(a_digest()),
        outcome: OutcomeKind::Trapped,
        error: an_error(),
        usage: a_usage(),
        retry,
    }
}

pub(super) fn cancelled(job: &Leased) -> Settlement {
    Settlement::Cancelled { held: job.held(), usage: Some(a_usage()) }
}

pub(super) fn release(job: &Leased) -> Settlement {
    Settlement::Release { held: job.held(), delay: None }
}

pub(super) fn release_later(job: &Leased, delay: Duration) -> Settlement {
    Settlement::Release { held: job.held(), delay: Some(delay) }
}

pub(super) fn a_digest() -> Digest {
    Digest::of(b"component")
}

pub(super) fn a_usage() -> Usage {
    let mut usage = Usage::default();
    (usage.cpu_us.used, usage.cpu_us.allowed) = (1_250, 10_000_000);
    usage
}

pub(super) fn an_error() -> ErrorReport {
    ErrorReport {
        detail: Some(Payload::bytes(vec![0, 159, 255])),
        backtrace: vec!["parse".to_owned(), "run".to_owned()],
        fingerprint: "c0ffee".to_owned(),
        log_tail: vec!["about to fail".to_owned()],
        ..ErrorReport::new("trap", "unreachable was executed")
    }
}

/// A moment after which a lease that was just renewed has lapsed.
pub(super) fn past_the_lease() -> Duration {
    LEASE + seconds(1)
}
