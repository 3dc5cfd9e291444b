//! Who holds what: the one owner of the worker's state, and the only one who talks to the queue.
//!
//! [`Dispatcher`] itself neither waits nor does I/O: [`Dispatcher::plan`] says what to send to a
//! queue, [`Dispatcher::apply`] takes the reply. The loop around it is in `shift.rs`.

mod attempt_time;
mod ending;
mod line;
mod turns;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{QueueName, Timestamp, WorkerId};
use gristmill_queue::{CycleReply, Held, Leased, Settled};
use gristmill_runtime::Stop;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use self::attempt_time::AttemptTime;
use self::line::Holding;
pub(crate) use self::line::Line;
use crate::board::{Board, Finished, Task};
use crate::config::{self, Config};
use crate::event::Event;
use crate::former::Former;
use crate::settle::{self, Circumstances};

/// Why jobs are released: the worker has come to its end, or a lease has.
const STOPS: &str = "the worker stops";
const LEASE_ENDS: &str = "the queue didn't renew the lease in time";
const NO_ROOM: &str = "the worker has no room for it any more";

/// Who holds what.
pub(crate) struct Dispatcher {
    config: Config,
    board: Arc<Board>,
    pub(crate) worker: WorkerId,
    pub(crate) lines: Vec<Line>,
    /// Jobs that a worker died under, and the one of them that runs: alone, so that if it kills this
    /// worker too, no other job is suspected with it.
    suspects: VecDeque<Task>,
    suspect: Option<Held>,
    /// What is to be said to queues that knew this worker under another id. Grows only by a reply of
    /// a queue, which can then be told.
    formers: Vec<Former>,
    /// No job is leased any more.
    draining: bool,
    /// No job is leased until somebody says otherwise.
    pub(crate) quiet: bool,
    /// How many attempts can run at one time; those that may are never more.
    executors: usize,
    /// The line that is served first in the next round, of those that had as much of their share.
    next: usize,
    /// How long an attempt took lately, on average; rules how far ahead jobs are leased.
    attempt_time: AttemptTime,
    /// Empty but for a moment, and kept for their room: what came from the board, and what goes there.
    finished: Vec<Finished>,
    tasks: Vec<Task>,
    rng: SmallRng,
    pub(crate) settled: u64,
    pub(crate) released: u64,
}

impl Dispatcher {
    pub(crate) fn new(config: Config, board: Arc<Board>) -> Self {
        let worker = WorkerId::random();
        let executors = config.concurrency;
        let lines = config.queues.iter().map(|queue| Line::new(queue, worker, config.lease));
        Self {
            lines: lines.collect(),
            config,
            board,
            worker,
            suspects: VecDeque::new(),
            suspect: None,
            formers: Vec::new(),
            draining: false,
            quiet: false,
            executors,
            next: 0,
            attempt_time: AttemptTime::unknown(),
            finished: Vec::new(),
            tasks: Vec::new(),
            rng: SmallRng::from_rng(&mut rand::rng()),
            settled: 0,
            released: 0,
        }
    }

    /// Takes what executors have put back.
    pub(crate) fn collect(&mut self, now: Timestamp) {
        let mut all = self.board.take_finished(std::mem::take(&mut self.finished));
        for finished in all.drain(..) {
            let line = &mut self.lines[finished.queue];
            if self.suspect == Some(finished.leased.held()) {
                self.suspect = None;
            }
            self.attempt_time.note(finished.took);
            let held = finished.leased.held();
            let Some(holding) = line.held.remove(&held) else {
                // It was taken from this worker: nothing can be settled.
                self.formers.iter_mut().for_each(|former| former.note_end(held));
                continue;
            };
            let circumstances = Circumstances {
                config: &self.config,
                now,
                cancel_requested: holding.cancel_requested,
                interruption: holding.interrupted.unwrap_or(STOPS),
            };
            line.pending.push(settle::settle(finished, &circumstances, &mut self.rng));
        }
        self.finished = all;
        for (queue, note) in self.board.take_notes() {
            self.lines[queue].notes.push(note);
        }
        self.try_suspect();
    }

    /// Runs the next suspect, once nothing else runs.
    fn try_suspect(&mut self) {
        if self.held_jobs() == self.suspects.len()
            && let Some(task) = self.suspects.pop_front()
        {
            self.suspect = Some(task.leased.held());
            self.board.put(std::iter::once(task));
        }
    }

    /// How many more jobs may be leased: free executors, and some ahead where attempts are short.
    fn room(&self) -> usize {
        let is_full = self.suspect.is_some() || !self.suspects.is_empty();
        if self.draining || self.quiet || is_full {
            return 0;
        }
        let held = self.held_jobs();
        let slots = self.config.concurrency;
        let ahead = self.attempt_time.fit_into(config::PREFETCH_WINDOW).saturating_mul(slots);
        // An attempt that takes the window or longer leaves nothing to hide.
        let ahead = if ahead <= slots { 0 } else { ahead.min(config::AHEAD_ITEMS_MAX) };
        (slots + ahead).saturating_sub(held).min(config::BATCH_ITEMS_MAX)
    }

    /// How many more jobs of a line may be leased.
    fn room_for(&self, line: usize) -> usize {
        if self.is_behind(line) {
            return 0;
        }
        self.room().min(self.lines[line].space())
    }

    /// Whether jobs of a line could be leased now.
    pub(crate) fn has_room(&self, line: usize) -> bool {
        self.room_for(line) > 0
    }

    /// How many jobs are held: they run, or soon will.
    pub(crate) fn held_jobs(&self) -> usize {
        self.lines.iter().map(|line| line.held.len()).sum()
    }

    /// Whether a line has something to send, or could be given jobs.
    pub(crate) fn wants_cycle(&self, line: usize) -> bool {
        let has_room = self.has_room(line);
        let line = &self.lines[line];
        line.has_news() || (line.more && has_room)
    }

    /// There may be jobs in every line: the next round asks.
    pub(crate) fn ask_again(&mut self) {
        for line in &mut self.lines {
            line.more = true;
        }
    }

    /// Makes the next cycle of a line ready to be sent.
    pub(crate) fn plan(&mut self, line: usize) {
        let room = self.room_for(line);
        let (line, worker) = (&mut self.lines[line], self.worker);
        let cycle = &mut line.cycle;
        let space = config::BATCH_ITEMS_MAX - cycle.settlements.len();
        for pending in line.pending.drain(..space.min(line.pending.len())) {
            line.events.push((pending.settlement.held(), pending.event));
            cycle.settlements.push(pending.settlement);
        }
        let space = config::BATCH_ITEMS_MAX - cycle.notes.len();
        cycle.notes.extend(line.notes.drain(..space.min(line.notes.len())));
        cycle.worker = worker;
        // Settlements that didn't fit are still held, as the queue sees it.
        cycle.held = line.held.len() + line.pending.len();
        cycle.want = room;
    }

    /// Takes the reply to a line's cycle: tells of what is recorded, stops what is to be cancelled,
    /// and gives new jobs to the executors.
    pub(crate) fn apply(
        &mut self,
        index: usize,
        sent: Duration,
        now: Duration,
        mut reply: CycleReply,
    ) {
        let line = &mut self.lines[index];
        if line.unreachable.take().is_some() {
            let queue = line.queue.clone();
            self.board.observer().observe(&Event::QueueAvailable { queue });
        }
        line.renewed = Some(sent);
        for ((held, event), verdict) in line.events.drain(..).zip(reply.verdicts) {
            match (verdict, &event) {
                (Settled::Recorded, Event::Released { .. } | Event::Deferred { .. }) => {
                    self.released += 1
                }
                (Settled::Recorded, _) => self.settled += 1,
                (Settled::LeaseLost, _) => {}
            }
            let event = match verdict {
                Settled::Recorded => event,
                Settled::LeaseLost => Event::LeaseLost { job: held.id, attempt: held.attempt },
            };
            self.board.observer().observe(&event);
        }
        for held in reply.cancel {
            if let Some(holding) = line.held.get_mut(&held) {
                holding.cancel_requested = true;
                holding.stop.cancel();
            }
        }
        line.due = reply.next_due.map(|wait| sent + wait);
        line.more = reply.more;
        line.must_resync = reply.resync;
        self.note_turn(index, reply.jobs.len(), reply.more);
        let line = &mut self.lines[index];
        // What was leased before the queue heard that there is no room any more.
        let unwanted = reply.jobs.split_off(line.cycle.want.min(reply.jobs.len()));
        line.pending.extend(unwanted.iter().map(|leased| settle::release(leased, None, NO_ROOM)));
        if now >= sent + config::usable(self.config.lease) {
            // The reply took so long that nothing may be begun under its lease.
            let late = reply.jobs.iter().map(|leased| settle::release(leased, None, LEASE_ENDS));
            line.pending.extend(late);
        } else if !reply.jobs.is_empty() {
            self.begin(index, reply.jobs);
        }
    }

    /// Takes a job that its queue leased to this worker since the last cycle, under the lease that this cycle
    /// renewed.
    pub(crate) fn receive(&mut self, queue: &QueueName, leased: Leased, now: Duration) {
        let Some(index) = self.lines.iter().position(|line| line.queue == *queue) else { return };
        let usable = config::usable(self.config.lease);
        let is_usable = self.lines[index].renewed.is_some_and(|renewed| now < renewed + usable);
        let refused = match (is_usable, self.has_room(index)) {
            (false, _) => LEASE_ENDS,
            (true, false) => NO_ROOM,
            (true, true) => {
                self.note_turn(index, 1, false);
                return self.begin(index, vec![leased]);
            }
        };
        self.lines[index].pending.push(settle::release(&leased, None, refused));
    }

    /// Gives leased jobs to the executors.
    fn begin(&mut self, index: usize, jobs: Vec<Leased>) {
        let line = &mut self.lines[index];
        for leased in jobs {
            let stop = Stop::new();
            let holding =
                Holding { stop: stop.clone(), cancel_requested: false, interrupted: None };
            line.held.insert(leased.held(), holding);
            let is_suspect = leased.crashes > 0;
            let task = Task { queue: index, leased, stop };
            if is_suspect {
                self.suspects.push_back(task);
            } else {
                self.tasks.push(task);
            }
        }
        self.board.put(self.tasks.drain(..));
        self.try_suspect();
    }

    /// The queue couldn't be reached: what was sent stays, to be sent again.
    pub(crate) fn unreachable(&mut self, index: usize, error: String) {
        let line = &mut self.lines[index];
        line.must_resync = true;
        let wait = line.unreachable.map_or(config::RECONNECT_BASE, |wait| wait * 2);
        if line.unreachable.is_none() {
            let queue = line.queue.clone();
            self.board.observer().observe(&Event::QueueUnavailable { queue, error });
        }
        line.unreachable = Some(wait.min(config::BACKSTOP));
    }

    /// What the worker holds of a line, as the queue should see it: what runs, and what is settled
    /// but not recorded yet.
    pub(crate) fn held(&self, line: usize) -> Vec<Held> {
        let line = &self.lines[line];
        let unsent = line.pending.iter().map(|pending| pending.settlement.held());
        let sent = line.cycle.settlements.iter().map(gristmill_queue::Settlement::held);
        line.held.keys().copied().chain(unsent).chain(sent).collect()
    }

    /// What the queue says this worker doesn't hold: stopped, and never settled.
    pub(crate) fn lose(&mut self, index: usize, lost: &[Held]) {
        let line = &mut self.lines[index];
        line.must_resync = false;
        self.suspects.retain(|task| !lost.contains(&task.leased.held()));
        for held in lost {
            if let Some(holding) = line.held.remove(held) {
                holding.stop.abort();
                let event = Event::LeaseLost { job: held.id, attempt: held.attempt };
                self.board.observer().observe(&event);
            }
        }
    }

    /// The worker was reaped: everything is stopped, nothing can be settled, and it goes on under a
    /// new id.
    pub(crate) fn start_anew(&mut self) {
        let former = std::mem::replace(&mut self.worker, WorkerId::random());
        let unbegun: HashSet<Held> = self.take_unbegun().map(|task| task.leased.held()).collect();
        self.suspect = None;
        for index in 0..self.lines.len() {
            let held = self.held(index);
            let line = &mut self.lines[index];
            let mut running = HashSet::new();
            for (held, holding) in line.held.drain() {
                holding.stop.abort();
                running.insert(held);
            }
            // What was settled but not recorded is in vain too.
            for held in &held {
                let event = Event::LeaseLost { job: held.id, attempt: held.attempt };
                self.board.observer().observe(&event);
            }
            running.retain(|held| !unbegun.contains(held));
            self.formers.push(Former::new(line.queue.clone(), former, held, running));
            *line = Line::new(&line.share(), self.worker, self.config.lease);
        }
        self.board.observer().observe(&Event::WorkerStarted { worker: self.worker });
    }

    /// What can be said now to queues that knew this worker under another id.
    pub(crate) fn take_formers(&mut self) -> Vec<Former> {
        self.formers.extract_if(.., |former| former.is_over()).collect()
    }

    /// The uptime at which whatever runs must be stopped, as its lease may end soon after; none
    /// while nothing runs.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let usable = config::usable(self.config.lease);
        let runs = |line: &&Line| line.held.values().any(|held| held.interrupted.is_none());
        let renewed = self.lines.iter().filter(runs).filter_map(|line| line.renewed);
        renewed.min().map(|renewed| renewed + usable)
    }

    /// Whether nothing runs and everything is recorded.
    pub(crate) fn is_done(&self) -> bool {
        let settled = self.lines.iter().all(|line| line.held.is_empty() && !line.has_news());
        settled && self.formers.is_empty()
    }

    /// Whether anything runs.
    pub(crate) fn is_running(&self) -> bool {
        self.lines.iter().any(|line| !line.held.is_empty())
    }
}

#[cfg(test)]
mod tests;
