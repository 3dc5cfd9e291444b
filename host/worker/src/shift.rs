//! The loop around the dispatcher: when to speak to the queue, and how long to rest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_job::{Clock, QueueName, time};
use gristmill_queue::{Error, Queue};
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::config;
use crate::dispatcher::Dispatcher;

/// The loop around the dispatcher.
pub(crate) struct Shift {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) board: Arc<Board>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lease: Duration,
    /// The line that is served first in the next round, so that none is always last.
    pub(crate) next: usize,
    pub(crate) dispatcher: Dispatcher,
}

impl Shift {
    /// Works until it is told to stop.
    pub(crate) async fn work(&mut self, shutdown: &CancellationToken, abort: &CancellationToken) {
        while !shutdown.is_cancelled() && !abort.is_cancelled() {
            self.round(false).await;
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = abort.cancelled() => {}
                hint = self.rest() => if hint { self.dispatcher.ask_again() },
            }
        }
    }

    /// Stops: what wasn't begun is released at once, what runs has its grace, and the rest is
    /// interrupted.
    pub(crate) async fn end(
        &mut self,
        grace: Duration,
        abort: &CancellationToken,
    ) -> anyhow::Result<()> {
        self.dispatcher.drain();
        let interrupt = time::monotonic() + grace;
        let mut give_up = None;
        loop {
            self.round(true).await;
            if self.dispatcher.is_done() {
                return Ok(());
            }
            let now = time::monotonic();
            let interrupted = now >= interrupt || abort.is_cancelled();
            if interrupted {
                self.dispatcher.interrupt();
            }
            // An interrupted guest ends at the next tick; what then remains is to be recorded.
            if interrupted || !self.dispatcher.is_running() {
                let patience = now + config::LAST_CYCLE_PATIENCE;
                anyhow::ensure!(
                    now < *give_up.get_or_insert(patience),
                    "the last settlements couldn't be recorded in time"
                );
            }
            let wait = if interrupted { config::RECONNECT_BASE } else { interrupt - now };
            tokio::select! {
                () = self.board.signalled() => {}
                () = abort.cancelled(), if !interrupted => {}
                () = tokio::time::sleep(wait.min(self.lease / 3)) => {}
            }
        }
    }

    /// Serves every line that has news or needs its lease renewed.
    async fn round(&mut self, ending: bool) {
        self.dispatcher.collect(self.clock.now());
        let lines = self.dispatcher.lines.len();
        let first = self.next;
        for line in (0..lines).map(|i| (first + i) % lines) {
            let now = time::monotonic();
            let renewed = self.dispatcher.lines[line].renewed;
            let is_stale = renewed
                .is_none_or(|renewed| now.saturating_duration_since(renewed) >= self.lease / 3);
            let is_due = self.dispatcher.lines[line].due.is_some_and(|due| now >= due);
            let wanted = self.dispatcher.wants_cycle(line) || (is_due && !ending);
            if wanted || is_stale {
                self.serve(line).await;
            }
        }
        self.next = (self.next + 1) % lines.max(1);
        if self.dispatcher.has_outlived_a_lease(time::monotonic()) {
            self.dispatcher.start_anew();
        }
    }

    /// One cycle of one line, with what must come before and after it.
    async fn serve(&mut self, line: usize) {
        if self.dispatcher.lines[line].must_resync && !self.resync(line).await {
            return;
        }
        self.dispatcher.plan(line);
        // The lease is counted from before the queue could have counted it.
        let sent = time::monotonic();
        match self.queue.cycle(&mut self.dispatcher.lines[line].cycle).await {
            Ok(reply) => {
                let lapsed = reply.lapsed.clone();
                self.dispatcher.apply(line, sent, reply);
                let queue = self.dispatcher.lines[line].queue.clone();
                for worker in lapsed {
                    // Others are told of it too, and the next cycle names it again.
                    let _ = self.queue.reap(&queue, worker).await;
                }
            }
            Err(error) => self.failed(line, &error),
        }
    }

    async fn resync(&mut self, line: usize) -> bool {
        let held = self.dispatcher.held(line);
        let queue = self.dispatcher.lines[line].queue.clone();
        match self.queue.resync(&queue, self.dispatcher.worker, &held).await {
            Ok(resynced) => {
                self.dispatcher.lose(line, &resynced.lost);
                true
            }
            Err(error) => {
                self.failed(line, &error);
                false
            }
        }
    }

    fn failed(&mut self, line: usize, error: &Error) {
        match error {
            Error::WorkerReaped(_) => self.dispatcher.start_anew(),
            Error::TooLarge { .. } | Error::InvalidCursor | Error::Unavailable(_) => {
                let text = match error {
                    Error::Unavailable(source) => format!("{error}: {source:#}"),
                    other => other.to_string(),
                };
                self.dispatcher.unreachable(line, text);
            }
        }
    }

    /// Waits until a round is worth its while; true: there may be jobs to lease.
    async fn rest(&self) -> bool {
        let lines = &self.dispatcher.lines;
        if let Some(wait) = lines.iter().filter_map(|line| line.unreachable).min() {
            tokio::time::sleep(wait).await;
            return true;
        }
        if (0..lines.len()).any(|line| self.dispatcher.wants_cycle(line)) {
            return false;
        }
        let hungry: Vec<QueueName> = if self.dispatcher.has_room() {
            lines.iter().map(|line| line.queue.clone()).collect()
        } else {
            Vec::new()
        };
        tokio::select! {
            () = self.board.signalled() => {
                self.linger().await;
                false
            }
            () = self.queue.wake(self.dispatcher.worker, &hungry) => true,
            () = tokio::time::sleep_until(self.alarm().into()) => true,
        }
    }

    /// Gives the first of several finished attempts a moment of company, while executors have other
    /// things to do.
    async fn linger(&self) {
        let patience = tokio::time::sleep(config::LINGER);
        tokio::pin!(patience);
        while !self.board.is_worth_a_cycle() {
            tokio::select! {
                () = &mut patience => return,
                () = self.board.signalled() => {}
            }
        }
    }

    /// When a round is due even if nobody wakes the worker.
    fn alarm(&self) -> Instant {
        let backstop = time::monotonic() + config::BACKSTOP.min(self.lease / 3);
        let due = self.dispatcher.lines.iter().filter_map(|line| line.due);
        // Without room there is nothing to be done about a job that is due.
        let due = due.filter(|_| self.dispatcher.has_room());
        due.fold(backstop, Instant::min)
    }
}
