//! The loop around the dispatcher: when to speak to the queue, and how long to rest.
//!
//! Its one duty is to be in time: whatever the queue does or doesn't do, what runs is stopped before
//! its lease ends. So no wait here goes beyond [`Dispatcher::deadline`], on the clock that runs
//! through suspend.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{Clock, QueueName};
use gristmill_queue::{Error, Queue, Woken};
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::config;
use crate::controls::Controls;
use crate::dispatcher::{Dispatcher, Line};
use crate::former::Former;
use crate::pulse::Pulse;

/// The loop around the dispatcher.
pub(crate) struct Shift {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) board: Arc<Board>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lease: Duration,
    pub(crate) pulse: Pulse,
    pub(crate) controls: Controls,
    /// The worker was told to stop.
    pub(crate) is_ending: bool,
    pub(crate) dispatcher: Dispatcher,
}

impl Shift {
    /// Works until it is told to stop.
    pub(crate) async fn work(&mut self, shutdown: &CancellationToken, abort: &CancellationToken) {
        while !shutdown.is_cancelled() && !abort.is_cancelled() {
            self.round().await;
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = abort.cancelled() => {}
                woken = self.rest() => self.heed(woken),
            }
        }
    }

    /// Takes what the worker was woken for.
    fn heed(&mut self, woken: Woken) {
        let now = self.clock.uptime();
        for (queue, leased) in woken.assigned {
            self.dispatcher.receive(&queue, leased, now);
        }
        if woken.ask {
            self.dispatcher.ask_again();
        }
    }

    /// Stops: what wasn't begun is released at once, what runs has its grace, and the rest is
    /// interrupted.
    pub(crate) async fn end(&mut self, abort: &CancellationToken) -> anyhow::Result<()> {
        self.is_ending = true;
        self.obey();
        self.dispatcher.drain();
        let interrupt = self.clock.uptime() + self.dispatcher.grace();
        let mut give_up = None;
        loop {
            self.round().await;
            if self.dispatcher.is_done() {
                return Ok(());
            }
            let now = self.clock.uptime();
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
            let until = self.deadline().min(now + wait.min(self.lease / 3));
            tokio::select! {
                () = self.board.signalled() => {}
                () = abort.cancelled(), if !interrupted => {}
                () = sleep_until(&*self.clock, until) => {}
            }
        }
    }

    /// Serves every line that has news or needs its lease renewed.
    async fn round(&mut self) {
        self.obey();
        self.dispatcher.collect(self.clock.now());
        for former in self.dispatcher.take_formers() {
            self.take_leave(&former).await;
        }
        for line in self.dispatcher.turns() {
            self.stop_in_time();
            let now = self.clock.uptime();
            self.pulse.beat(now);
            let Line { renewed, due, .. } = &self.dispatcher.lines[line];
            let older = |bound| renewed.is_none_or(|renewed| now.saturating_sub(renewed) >= bound);
            let is_stale = older(self.lease / 3)
                || (older(config::EMPTY_TRUSTED) && self.dispatcher.should_ask(line));
            let is_due = due.is_some_and(|due| now >= due);
            let wanted = self.dispatcher.wants_cycle(line) || (is_due && !self.is_ending);
            if wanted || is_stale {
                self.serve(line).await;
            }
        }
        self.stop_in_time();
        let (slots, held) = (self.dispatcher.slots(), self.dispatcher.held_jobs());
        self.pulse.round(slots, held, self.dispatcher.quiet);
    }

    /// Does what was asked for since the last round.
    fn obey(&mut self) {
        self.dispatcher.quiet = self.controls.is_quiet();
        if let Some(tuning) = self.controls.take_tuning() {
            self.dispatcher.retune(&tuning);
        }
    }

    /// Stops what runs if its lease may end soon.
    fn stop_in_time(&mut self) {
        let now = self.clock.uptime();
        if self.dispatcher.deadline().is_some_and(|deadline| now >= deadline) {
            self.dispatcher.let_go();
        }
    }

    /// The uptime until which a call to the queue may take: what runs has to be stopped then. While
    /// nothing runs, as long as a lease can be relied upon; at the end less.
    fn deadline(&self) -> Duration {
        let usable = config::usable(self.lease);
        let patience =
            if self.is_ending { usable.min(config::LAST_CYCLE_PATIENCE) } else { usable };
        let latest = self.clock.uptime() + patience;
        self.dispatcher.deadline().map_or(latest, |deadline| deadline.min(latest))
    }

    /// One cycle of one line, with what must come before and after it.
    async fn serve(&mut self, line: usize) {
        if self.dispatcher.lines[line].must_resync && !self.resync(line).await {
            return;
        }
        self.dispatcher.plan(line);
        // The lease is counted from before the queue could have counted it.
        let (sent, deadline) = (self.clock.uptime(), self.deadline());
        let cycle = self.queue.cycle(&mut self.dispatcher.lines[line].cycle);
        match before(&*self.clock, deadline, cycle).await {
            Ok(reply) => {
                let lapsed = reply.lapsed.clone();
                self.pulse.cycled(line, self.clock.uptime());
                self.dispatcher.apply(line, sent, self.clock.uptime(), reply);
                let queue = self.dispatcher.lines[line].queue.clone();
                for worker in lapsed {
                    let reap = self.queue.reap(&queue, worker);
                    if before(&*self.clock, self.deadline(), reap).await.is_err() {
                        // Others are told of it too, and the next cycle names it again.
                        break;
                    }
                }
            }
            Err(error) => self.failed(line, &error),
        }
    }

    async fn resync(&mut self, line: usize) -> bool {
        let held = self.dispatcher.held(line);
        let queue = self.dispatcher.lines[line].queue.clone();
        let resync = self.queue.resync(&queue, self.dispatcher.worker, &held);
        match before(&*self.clock, self.deadline(), resync).await {
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

    /// Tells a queue that a worker which it knew under another id lives. What it still holds for it
    /// goes back at once, and what was taken from it has no crash. Tried once: at worst, innocent
    /// jobs run alone for a while.
    async fn take_leave(&self, former: &Former) {
        let Former { queue, worker, held, .. } = former;
        let resync = self.queue.resync(queue, *worker, &[]);
        let resynced = before(&*self.clock, self.deadline(), resync).await;
        if !matches!(resynced, Err(Error::WorkerReaped(_))) {
            return;
        }
        for held in held.chunks(config::BATCH_ITEMS_MAX) {
            let absolve = self.queue.absolve(queue, *worker, held);
            if before(&*self.clock, self.deadline(), absolve).await.is_err() {
                return;
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
                self.pulse.failed(line, &text);
                self.dispatcher.unreachable(line, text);
            }
        }
    }

    /// Waits until a round is worth its while, or has to be.
    async fn rest(&self) -> Woken {
        let Some(deadline) = self.dispatcher.deadline() else { return self.doze().await };
        tokio::select! {
            woken = self.doze() => woken,
            () = sleep_until(&*self.clock, deadline) => Woken::default(),
        }
    }

    /// Waits until a round is worth its while.
    async fn doze(&self) -> Woken {
        let lines = &self.dispatcher.lines;
        if let Some(wait) = lines.iter().filter_map(|line| line.unreachable).min() {
            tokio::time::sleep(wait).await;
            return Woken::to_ask();
        }
        if (0..lines.len()).any(|line| self.dispatcher.wants_cycle(line)) {
            return Woken::default();
        }
        // Short attempts follow each other: more will have finished soon.
        if !self.board.runs_dry() {
            self.linger().await;
            if self.board.has_finished() {
                return Woken::default();
            }
        }
        let is_hungry =
            |(i, line): (usize, &Line)| self.dispatcher.has_room(i).then(|| line.queue.clone());
        let hungry: Vec<QueueName> = lines.iter().enumerate().filter_map(is_hungry).collect();
        tokio::select! {
            () = self.board.signalled() => {
                self.linger().await;
                Woken::default()
            }
            woken = self.queue.wake(self.dispatcher.worker, &hungry) => woken,
            () = self.controls.changed() => Woken::to_ask(),
            () = tokio::time::sleep(self.alarm()) => Woken::to_ask(),
        }
    }

    /// Gives the first of several finished attempts a moment of company, while executors have other
    /// things to do.
    async fn linger(&self) {
        let _patience = self.board.patience();
        let patience = tokio::time::sleep(config::LINGER);
        tokio::pin!(patience);
        while !self.board.is_worth_a_cycle() {
            tokio::select! {
                () = &mut patience => return,
                () = self.board.signalled() => {}
            }
        }
    }

    /// How long until a round is due even if nobody wakes the worker.
    fn alarm(&self) -> Duration {
        let now = self.clock.uptime();
        let backstop = config::BACKSTOP.min(self.lease / 3);
        let lines = self.dispatcher.lines.iter().enumerate();
        // Without room there is nothing to be done about a job that is due.
        let due = lines.filter(|(i, _)| self.dispatcher.has_room(*i)).filter_map(|(_, l)| l.due);
        due.map(|due| due.saturating_sub(now)).fold(backstop, Duration::min)
    }
}

/// What a call to the queue gives, or an unknown reply if it isn't there in time.
async fn before<T>(
    clock: &dyn Clock,
    deadline: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        reply = call => reply,
        () = sleep_until(clock, deadline) => {
            Err(Error::Unavailable(anyhow::anyhow!("no answer while the lease could be relied upon")))
        }
    }
}

/// Waits for an uptime. A timer alone wouldn't do: it stands while the machine is suspended.
async fn sleep_until(clock: &dyn Clock, uptime: Duration) {
    loop {
        let left = uptime.saturating_sub(clock.uptime());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(config::CLOCK_CHECK)).await;
    }
}

#[cfg(test)]
mod moody;
#[cfg(test)]
mod tests;
