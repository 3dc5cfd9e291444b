//! The queue in this process's memory: everything that the contract asks for, and nothing of it
//! survives a restart.
//!
//! One lock guards everything and is taken once a batch; no section under it awaits, and what a
//! step does to others ([`Effects`](effects::Effects)) is done after it. A job is one
//! [`Record`](record::Record) that moves between the indexes of its [`Line`](line::Line), always by
//! what [`JobState::apply`](gristmill_job::JobState::apply) returned.

mod change;
mod cycle;
mod effects;
mod finished;
mod index;
mod jobs;
mod leases;
mod line;
mod list;
mod numbers;
mod ready;
mod record;
mod recover;
mod seat;
mod settle;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gristmill_job::{Clock, Job, JobId, LogLine, NewJob, QueueName, Verdict, WorkerId};
use tokio::sync::oneshot;

use self::seat::Seat;
use self::state::{State, TRIM_ITEMS_MAX};
use crate::{
    Changed, Config, Cycle, CycleReply, Error, Filter, Held, Info, Page, Queue, QueueStatus,
    Reaped, Resynced, Traits, Woken,
};

/// The queue in this process's memory.
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl MemoryQueue {
    /// An empty queue within these bounds, in which it is as late as `clock` says.
    #[must_use]
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::new(State::new(config)) }
    }

    /// Does one step under the lock, and what follows from it for others after it.
    fn step<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, Error> {
        let (out, effects) = {
            let mut state = self.state.lock().map_err(|_| {
                Error::Unavailable(anyhow::anyhow!("a step of the memory queue panicked"))
            })?;
            state.now = state.now.max(self.clock.now());
            (act(&mut state), state.take_effects())
        };
        effects.carry_out();
        Ok(out)
    }

    /// What is heard of a job's end.
    async fn hear(
        &self,
        id: JobId,
        listening: Listening,
        patience: Duration,
    ) -> Result<Option<Job>, Error> {
        let listener = match listening {
            Listening::For(listener) => listener,
            Listening::Over(job) => return Ok(job.map(|job| *job)),
        };
        match tokio::time::timeout(patience, listener).await {
            Ok(Ok(job)) => Ok(Some(job)),
            // It was removed, or the patience is over.
            Ok(Err(_)) | Err(_) => self.get(id).await,
        }
    }
}

/// Waits for the end of a job whose life goes on.
fn listen(state: &mut State, id: JobId) -> Listening {
    let Some(slot) = state.find(id) else { return Listening::Over(None) };
    let record = &mut state.jobs[slot];
    if record.state.is_final() {
        return Listening::Over(Some(Box::new(record.view())));
    }
    let (teller, listener) = oneshot::channel();
    record.waiters.retain(|waiter| !waiter.is_closed());
    record.waiters.push(teller);
    Listening::For(listener)
}

/// What there is to wait for.
enum Listening {
    /// Nothing: the job is finished, or unknown.
    Over(Option<Box<Job>>),
    /// The job as it ends. Closed when the job is removed.
    For(oneshot::Receiver<Job>),
}

impl fmt::Debug for MemoryQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryQueue").finish_non_exhaustive()
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    fn traits(&self) -> Traits {
        Traits { durable: false, shared: false, time_precision: Duration::from_millis(1) }
    }

    async fn enqueue(&self, batch: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        self.step(|state| state.enqueue(batch))?
    }

    async fn run(&self, job: NewJob, patience: Duration) -> Result<(Verdict, Option<Job>), Error> {
        let id = job.id;
        // In one step: a job whose result isn't kept could have come and gone between two.
        let (verdict, listening) = self.step(|state| {
            let verdict = state.enqueue(vec![job])?.pop().ok_or_else(crate::error::no_verdict)?;
            let is_there = matches!(verdict, Verdict::Created | Verdict::Duplicate);
            Ok::<_, Error>((verdict, is_there.then(|| listen(state, id))))
        })??;
        let job = match listening {
            Some(listening) => self.hear(id, listening, patience).await?,
            None => None,
        };
        Ok((verdict, job))
    }

    async fn cycle(&self, cycle: &mut Cycle) -> Result<CycleReply, Error> {
        self.step(|state| state.cycle(cycle))?
    }

    async fn resync(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        self.step(|state| state.resync(queue, worker, held))?
    }

    async fn reap(&self, queue: &QueueName, worker: WorkerId) -> Result<Reaped, Error> {
        self.step(|state| state.reap(queue, worker))
    }

    async fn absolve(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<usize, Error> {
        self.step(|state| state.absolve(queue, worker, held))?
    }

    async fn wake(&self, worker: WorkerId, queues: &[QueueName]) -> Woken {
        match self.step(|state| Seat::take(self, state, worker, queues)) {
            Ok(Some(seat)) => seat.hear().await,
            Ok(None) => {}
            // Nothing will ever happen here again: the caller's own bound ends the wait.
            Err(_) => std::future::pending().await,
        }
        Woken::to_ask()
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, Error> {
        self.step(|state| state.find(id).map(|slot| state.jobs[slot].view()))
    }

    async fn wait(&self, id: JobId, patience: Duration) -> Result<Option<Job>, Error> {
        let listening = self.step(|state| listen(state, id))?;
        self.hear(id, listening, patience).await
    }

    async fn logs(&self, id: JobId) -> Result<Option<Vec<LogLine>>, Error> {
        self.step(|state| {
            let record = &state.jobs[state.find(id)?];
            let notes = record.notes.as_deref();
            Some(notes.map(|notes| notes.log.iter().cloned().collect()).unwrap_or_default())
        })
    }

    async fn list(&self, filter: &Filter) -> Result<Page, Error> {
        self.step(|state| state.list(filter))?
    }

    async fn cancel(&self, id: JobId) -> Result<Changed, Error> {
        self.step(|state| state.cancel(id))
    }

    async fn requeue(&self, id: JobId) -> Result<Changed, Error> {
        self.step(|state| state.requeue(id))
    }

    async fn remove(&self, id: JobId) -> Result<Changed, Error> {
        self.step(|state| state.remove(id))
    }

    async fn clear_failed(&self, queue: &QueueName) -> Result<u64, Error> {
        self.step(|state| state.clear_failed(queue))
    }

    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), Error> {
        self.step(|state| state.set_paused(queue, paused))
    }

    async fn queues(&self) -> Result<Vec<QueueName>, Error> {
        self.step(|state| state.names.keys().cloned().collect())
    }

    async fn status(&self, queue: &QueueName) -> Result<QueueStatus, Error> {
        self.step(|state| {
            let Some(&key) = state.names.get(queue) else {
                return QueueStatus::empty(queue.clone());
            };
            let (line, jobs, mut step) = state.parts(key);
            line.trim(jobs, TRIM_ITEMS_MAX, &mut step);
            line.status(jobs, step.now)
        })
    }

    async fn info(&self) -> Result<Info, Error> {
        Ok(Info {
            backend: "memory",
            note: "jobs are kept in this process's memory: nothing survives a restart".to_owned(),
            durable: false,
            round_trips: 0,
        })
    }
}

#[cfg(test)]
mod tests;
