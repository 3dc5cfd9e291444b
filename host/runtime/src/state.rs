//! What the host knows of a running attempt: the data of its store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gristmill_cache::{Cache, Reservation};
use gristmill_job::{Clock, NewJob, Payload, Timestamp, Verdict, time};
use tokio::sync::Semaphore;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

use crate::budget::Budget;
use crate::capabilities::Cursors;
use crate::command::Program;
use crate::fault::Abort;
use crate::limiter::Limiter;
use crate::limits::Limits;
use crate::log_book::{LogBook, Notes};
use crate::mask::Mask;
use crate::plugin::Plugin;
use crate::sampler::Sampler;
use crate::stop::Stop;
use crate::wasi::Outputs;

/// Where jobs that a job enqueues at once go: the queue is a higher room's business.
#[async_trait]
pub trait FollowUps: Send + Sync + 'static {
    /// Enqueues jobs, a verdict each in order.
    ///
    /// # Errors
    /// The queue can't be reached.
    async fn enqueue(&self, jobs: Vec<NewJob>) -> anyhow::Result<Vec<Verdict>>;
}

/// There is no queue.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFollowUps;

#[async_trait]
impl FollowUps for NoFollowUps {
    async fn enqueue(&self, _jobs: Vec<NewJob>) -> anyhow::Result<Vec<Verdict>> {
        anyhow::bail!("this host has no queue")
    }
}

/// What all attempts of a process share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) cache_config: gristmill_cache::Config,
    pub(crate) follow_ups: Arc<dyn FollowUps>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sampler: Option<Arc<Sampler>>,
}

/// What the job's record says to its attempt.
pub(crate) struct JobFacts {
    pub(crate) spec: Arc<NewJob>,
    pub(crate) attempt: u32,
    pub(crate) attempts_max: u32,
    pub(crate) enqueued_at: Timestamp,
    pub(crate) checkpoint: Option<Payload>,
}

/// The data of an attempt's store.
pub(crate) struct State {
    pub(crate) plugin: Plugin,
    pub(crate) job: JobFacts,
    pub(crate) limits: Arc<Limits>,
    pub(crate) limiter: Limiter,
    pub(crate) budget: Budget,
    pub(crate) started: Instant,
    pub(crate) deadline: Instant,
    pub(crate) stop: Stop,
    cancel_grace: Duration,
    /// When the guest was first seen to compute although its end was asked for.
    cancel_seen: Option<Instant>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) notes: Arc<dyn Notes>,
    pub(crate) progress_noted: Option<Instant>,
    pub(crate) progress: Option<gristmill_job::Progress>,
    pub(crate) follow_ups: Vec<NewJob>,
    /// Reservations that the guest hasn't filled or dropped; what is left at the end is released.
    pub(crate) reservations: Vec<Reservation>,
    /// Places for requests that are on their way at one time; made when first used.
    pub(crate) http_places: Option<Arc<Semaphore>>,
    /// Where the listings of keys go on that the guest knows by a number.
    pub(crate) cursors: Cursors,
    pub(crate) table: ResourceTable,
    /// Made when first used: most guests link WASI and never call it.
    pub(crate) wasi: Option<WasiCtx>,
    /// Where the guest is a program: what it is started with.
    pub(crate) program: Option<Program>,
    /// Made with it.
    pub(crate) outputs: Option<Arc<Outputs>>,
    log: Option<Arc<Mutex<LogBook>>>,
}

/// What a new attempt brings along.
pub(crate) struct Start {
    pub(crate) plugin: Plugin,
    pub(crate) job: JobFacts,
    pub(crate) limits: Arc<Limits>,
    pub(crate) cancel_grace: Duration,
    pub(crate) wall: Duration,
    pub(crate) stop: Stop,
    pub(crate) shared: Arc<Shared>,
    pub(crate) notes: Arc<dyn Notes>,
}

impl State {
    pub(crate) fn new(start: Start) -> Self {
        let started = time::monotonic();
        let mut table = ResourceTable::new();
        table.set_max_capacity(start.limits.handles_max);
        Self {
            limiter: Limiter::new(&start.limits),
            budget: Budget::default(),
            started,
            deadline: started + start.wall,
            progress_noted: None,
            progress: None,
            follow_ups: Vec::new(),
            reservations: Vec::new(),
            http_places: None,
            cursors: Cursors::default(),
            table,
            wasi: None,
            program: None,
            outputs: None,
            log: None,
            plugin: start.plugin,
            job: start.job,
            limits: start.limits,
            stop: start.stop,
            cancel_grace: start.cancel_grace,
            cancel_seen: None,
            shared: start.shared,
            notes: start.notes,
        }
    }

    /// Makes it the state of another attempt of the same guest. All is as at a first attempt, but for
    /// what the guest may have kept: the memory that it has grown to, streams to its log, and secrets
    /// that it has read.
    pub(crate) fn renew(&mut self, start: Start) {
        let limiter = self.limiter.again();
        let (table, outputs) = (std::mem::take(&mut self.table), self.outputs.take());
        let log = self.log.take();
        *self = Self { limiter, table, outputs, ..Self::new(start) };
        // Streams that the guest has kept lead to the new log.
        if let Some(log) = log {
            let mut book = lock(&log);
            let mask = book.take_mask();
            *book = self.new_book(mask);
            drop(book);
            self.log = Some(log);
        }
    }

    /// Counts a call of the contract's interfaces.
    ///
    /// # Errors
    /// The attempt's budget of calls is spent, which ends it.
    pub(crate) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        self.budget.host_calls += 1;
        if self.budget.host_calls > self.limits.host_calls_max {
            return Err(Abort::Limit("host_calls").into());
        }
        Ok(())
    }

    /// How long the attempt may go on once its end was asked for.
    pub(crate) fn cancel_grace(&self) -> Duration {
        self.cancel_grace
    }

    /// Whether the attempt must end now, since somebody wants it to.
    pub(crate) fn is_over(&mut self, now: Instant) -> bool {
        if !self.stop.is_cancelled() {
            return false;
        }
        let seen = *self.cancel_seen.get_or_insert(now);
        self.stop.is_aborted() || now.saturating_duration_since(seen) >= self.cancel_grace
    }

    /// Time until the attempt's deadline.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(time::monotonic())
    }

    /// The attempt's log, made when first used.
    pub(crate) fn log(&mut self) -> &Arc<Mutex<LogBook>> {
        if self.log.is_none() {
            self.log = Some(Arc::new(Mutex::new(self.new_book(Mask::default()))));
        }
        let Some(log) = &self.log else { unreachable!("it was made above") };
        log
    }

    fn new_book(&self, mask: Mask) -> LogBook {
        let (notes, clock) = (Arc::clone(&self.notes), Arc::clone(&self.shared.clock));
        let (id, attempt) = (self.job.spec.id, self.job.attempt);
        LogBook::new(id, attempt, notes, clock, &self.limits, mask)
    }

    /// A text of the guest without the secrets that it has read.
    pub(crate) fn masked(&self, text: String) -> String {
        match &self.log {
            Some(book) => lock(book).masked(text),
            None => text,
        }
    }

    /// Bytes logged, and the last lines.
    pub(crate) fn logged(&self) -> (u64, Vec<String>) {
        match &self.log {
            Some(book) => {
                let book = lock(book);
                (book.bytes(), book.tail())
            }
            None => (0, Vec::new()),
        }
    }
}

/// A panic while a log line was taken leaves the book usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
