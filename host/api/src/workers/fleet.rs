//! What daemons that share a queue tell each other of their workers, and ask of them.
//!
//! Each says three times in a lease how its own worker is, for as long as a lease: one that died is silent. The
//! queue carries it as a text, which is a list of [`WorkerView`] in JSON.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{Clock as _, SystemClock, WorkerId};
use gristmill_queue::{Error, ProcessId, Roster};
use gristmill_worker::LEASE_MIN;
use tokio::time::{sleep, timeout};

use super::{Wish, WorkerView, WorkersView, Working};
use crate::limits;
use crate::problem::{Kind, Problem};
use crate::routes::Front;

/// How often a worker is told of in a lease, as often as its lease is renewed: one announcement may be late.
const ANNOUNCEMENTS: u32 = 3;

/// Tells others of this daemon's worker, and does what is asked of it, until the desk closes.
pub(crate) async fn keep_told(front: Front) {
    let closing = front.closing.clone();
    let mut herald = Herald { front, machine: machine(), told: None, is_unheard: false };
    closing.run_until_cancelled(herald.tell()).await;
    herald.fall_silent().await;
}

/// Who tells others of this daemon's worker.
struct Herald {
    front: Front,
    machine: String,
    /// Where something is told of it.
    told: Option<Arc<dyn Roster>>,
    /// It can't be told just now, and the log has it.
    is_unheard: bool,
}

impl Herald {
    /// Tells and listens for ever.
    async fn tell(&mut self) {
        loop {
            let own = self.front.own_workers(&self.machine);
            let Some(roster) = self.front.desk.queue.roster().filter(|_| !own.is_empty()) else {
                self.fall_silent().await;
                sleep(limits::WORKER_LOOK).await;
                continue;
            };
            let lease = self.front.desk.pulse.vitals().lease;
            let is_stopping = own.iter().any(|worker| worker.stopping);
            let asked = self.announce(&roster, own, lease).await;
            if !asked.is_empty() {
                asked.iter().for_each(|wish| self.front.obey_other(wish));
                // What has come of it is told at once.
                continue;
            }
            tokio::select! {
                () = roster.called() => {}
                () = self.front.draining.cancelled(), if !is_stopping => {}
                () = sleep(lease.max(LEASE_MIN) / ANNOUNCEMENTS) => {}
            }
        }
    }

    /// Says how the worker is, and answers what was asked of it.
    async fn announce(
        &mut self,
        roster: &Arc<dyn Roster>,
        mut own: Vec<WorkerView>,
        lease: Duration,
    ) -> Vec<String> {
        for worker in &mut own {
            worker.here = false;
            worker.running.truncate(limits::RUNNING_TOLD_MAX);
        }
        self.told = Some(Arc::clone(roster));
        // Names, numbers and times always have a form.
        let said = serde_json::to_string(&own).unwrap_or_default();
        match roster.announce(&said, lease).await {
            Ok(asked) => {
                self.is_unheard = false;
                asked
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_unheard, true) {
                    tracing::warn!(
                        "other daemons aren't told of this one's worker just now: {}",
                        with_cause(&error)
                    );
                }
                Vec::new()
            }
        }
    }

    async fn fall_silent(&mut self) {
        if let Some(roster) = self.told.take() {
            // Where it can't be said, it is forgotten in a lease.
            let _ = timeout(limits::WITHDRAW_PATIENCE, roster.withdraw()).await;
        }
    }
}

impl Front {
    /// All workers that are known of.
    pub(super) async fn workers(&self) -> WorkersView {
        let mut workers = self.own_workers(&machine());
        let fault = match timeout(limits::OTHERS_PATIENCE, self.others()).await {
            Ok(Ok(others)) => {
                workers.extend(others.into_iter().map(|(_, worker)| worker));
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the queue doesn't answer in time".to_owned()),
        };
        let fault = fault.map(|why| format!("the workers of other daemons aren't known: {why}"));
        workers.sort_by_key(|worker| (worker.started_at, worker.id));
        WorkersView { workers, fault }
    }

    /// Asks something of a worker, whichever daemon it is of; how it was last heard of.
    pub(super) async fn ask_worker(&self, id: WorkerId, wish: Wish) -> Result<WorkerView, Problem> {
        let own = || self.own_workers(&machine()).into_iter().find(|worker| worker.id == id);
        if let Some(worker) = own() {
            self.obey(wish, "by a request");
            return Ok(own().unwrap_or(worker));
        }
        let other = self.others().await?.into_iter().find(|(_, worker)| worker.id == id);
        let (Some((process, worker)), Some(roster)) = (other, self.desk.queue.roster()) else {
            let detail = format!("there is no worker {id}; \"/v1/workers\" lists those that are");
            return Err(Problem::new(Kind::UnknownWorker, detail));
        };
        roster.ask(process, &wish.to_string()).await?;
        Ok(worker)
    }

    /// This daemon's own worker, if it has one: it may be on its way.
    fn own_workers(&self, machine: &str) -> Vec<WorkerView> {
        let vitals = self.desk.pulse.vitals();
        let view = |working: Working| WorkerView {
            id: working.id,
            here: true,
            machine: machine.to_owned(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: working.started_at,
            seen_at: SystemClock.now(),
            queues: vitals.lines.iter().map(|line| line.queue.clone()).collect(),
            slots: vitals.slots,
            jobs: vitals.held,
            quiet: self.desk.controls.is_quiet(),
            stopping: self.draining.is_cancelled(),
            running: working.running,
        };
        self.desk.feed.workers().into_iter().map(view).collect()
    }

    /// The workers of others, each with the process that it is of.
    async fn others(&self) -> Result<Vec<(ProcessId, WorkerView)>, Error> {
        let Some(roster) = self.desk.queue.roster() else { return Ok(Vec::new()) };
        let mut others = Vec::new();
        for (process, said) in roster.others().await? {
            match serde_json::from_str::<Vec<WorkerView>>(&said) {
                Ok(workers) => others.extend(workers.into_iter().map(|worker| (process, worker))),
                // Another version may say it in other words.
                Err(error) => tracing::debug!(%process, %error, "a daemon isn't understood"),
            }
        }
        Ok(others)
    }

    fn obey_other(&self, asked: &str) {
        match asked.parse() {
            Ok(wish) => self.obey(wish, "by another daemon"),
            Err(why) => tracing::warn!("another daemon asked for something unknown: {why}"),
        }
    }

    fn obey(&self, wish: Wish, by: &str) {
        tracing::info!("the worker is asked {by}: {wish}");
        match wish {
            Wish::Quiet => self.desk.controls.set_quiet(true),
            Wish::Resume => self.desk.controls.set_quiet(false),
            Wish::Stop => self.draining.cancel(),
        }
    }
}

/// What a machine is called, where it says so.
fn machine() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

fn with_cause(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
