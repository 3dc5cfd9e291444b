//! A sweep over everything that is kept of a queue.

use std::collections::HashSet;
use std::ops::AddAssign;

use gristmill_job::{QueueName, WorkerId};
use gristmill_redis::{ConnectError, Reply, scanned};
use redis::{Cmd, Value};

use super::fault::{Fault, FaultKind};
use super::step::{ITEMS_MAX, Item, shown};
use super::{Checked, FAULTS_MAX};
use crate::redis::codec::{self, Decoded};
use crate::redis::reply::job_id;
use crate::redis::server::Server;

/// Keys or small entries that the server looks at for one page of a scan.
const SMALL_PAGE: usize = 512;
/// Entries of a page that may bring payloads of a megabyte each.
const LARGE_PAGE: usize = 16;

/// Hashes that have something of a job under its id, and how much a page of them may bring.
const HASHES: [(&str, usize); 6] = [
    ("jobs", LARGE_PAGE),
    ("states", SMALL_PAGE),
    ("outcomes", LARGE_PAGE),
    ("uniques", SMALL_PAGE),
    ("lapses", SMALL_PAGE),
    ("waiters", SMALL_PAGE),
];
/// Sorted sets of jobs.
const LINES: [&str; 11] = [
    "ready:0",
    "ready:1",
    "ready:2",
    "ready:3",
    "scheduled",
    "later",
    "completed",
    "failed",
    "cancelled",
    "kept",
    "kept:failed",
];

/// What was counted of jobs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) jobs: u64,
    /// Bytes that wait.
    pub(super) bytes: u64,
    pub(super) running: u64,
    /// The latest turn.
    pub(super) turn: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.jobs += other.jobs;
        self.bytes += other.bytes;
        self.running += other.running;
        self.turn = self.turn.max(other.turn);
    }
}

/// A sweep over a queue.
pub(super) struct Sweep<'a> {
    server: &'a Server,
    queue: &'a QueueName,
    repair: bool,
    checked: Checked,
    tally: Tally,
    /// Jobs that were looked at: in memory, but a job takes less here than it does on the server.
    seen: HashSet<Vec<u8>>,
    /// Faults that were told: scans may bring an entry twice.
    told: HashSet<(FaultKind, String)>,
    waiting: Vec<Item>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(server: &'a Server, queue: &'a QueueName, repair: bool) -> Self {
        Self {
            server,
            queue,
            repair,
            checked: Checked::default(),
            tally: Tally::default(),
            seen: HashSet::new(),
            told: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    /// Looks at everything. The keys come first: by them a job is known that has lost its own note of
    /// its key. Jobs come next, so that what is left of them is seen as it will stay.
    pub(super) async fn all(&mut self) -> Result<(), ConnectError> {
        self.unique_keys().await?;
        for (name, page) in HASHES {
            self.fields(name, page).await?;
        }
        for name in LINES {
            self.members(name).await?;
        }
        let mut of_workers = self.held().await?;
        of_workers.append(&mut self.by_worker("assigned", Item::Assigned).await?);
        of_workers.append(&mut self.by_worker("cancelling", Item::Cancelling).await?);
        for item in &of_workers {
            if let Item::Held(id, _) | Item::Assigned(id, _) | Item::Cancelling(id, _) = item {
                self.look_at_job(id.clone()).await?;
            }
        }
        self.flush().await?;
        for item in of_workers {
            self.look_at(item).await?;
        }
        self.notes().await?;
        self.outbox().await
    }

    pub(super) fn into_parts(self) -> (Checked, Tally) {
        (Checked { jobs: self.tally.jobs, ..self.checked }, self.tally)
    }

    async fn unique_keys(&mut self) -> Result<(), ConnectError> {
        let mut scan = Scan::new("HSCAN", self.key("unique"), SMALL_PAGE);
        while let Some(mut page) = self.page(&mut scan).await? {
            while let [Some(field), Some(owner)] = [page.next(), page.next()] {
                self.look_at(Item::Unique(owner, field)).await?;
            }
        }
        self.flush().await
    }

    /// The jobs that have something in a hash.
    async fn fields(&mut self, name: &str, page: usize) -> Result<(), ConnectError> {
        let mut scan = Scan::new("HSCAN", self.key(name), page);
        while let Some(page) = self.page(&mut scan).await? {
            for id in page.step_by(2) {
                self.look_at_job(id).await?;
            }
        }
        self.flush().await
    }

    /// The jobs of a sorted set.
    async fn members(&mut self, name: &str) -> Result<(), ConnectError> {
        let mut scan = Scan::new("ZSCAN", self.key(name), SMALL_PAGE);
        while let Some(page) = self.page(&mut scan).await? {
            for id in page.step_by(2) {
                self.look_at_job(id).await?;
            }
        }
        self.flush().await
    }

    /// What workers hold: as much as they can run at a time.
    async fn held(&self) -> Result<Vec<Item>, ConnectError> {
        let stem = self.key("held:");
        let mut held = Vec::new();
        let mut keys = Scan::of_keys(&stem, SMALL_PAGE);
        while let Some(page) = self.page(&mut keys).await? {
            for key in page {
                let Some(worker) = key.strip_prefix(stem.as_slice()).and_then(worker) else {
                    continue;
                };
                let mut members = Scan::new("SSCAN", key, SMALL_PAGE);
                while let Some(page) = self.page(&mut members).await? {
                    held.extend(page.map(|id| Item::Held(id, worker)));
                }
            }
        }
        Ok(held)
    }

    /// The jobs of a hash that lists them by their workers.
    async fn by_worker(
        &self,
        name: &str,
        item: fn(Vec<u8>, Vec<u8>) -> Item,
    ) -> Result<Vec<Item>, ConnectError> {
        let mut items = Vec::new();
        let mut scan = Scan::new("HSCAN", self.key(name), SMALL_PAGE);
        while let Some(mut page) = self.page(&mut scan).await? {
            while let [Some(worker), Some(ids)] = [page.next(), page.next()] {
                items.extend(ids.chunks(16).map(|id| item(id.to_vec(), worker.clone())));
            }
        }
        Ok(items)
    }

    async fn notes(&mut self) -> Result<(), ConnectError> {
        let mut scan = Scan::new("HSCAN", self.key("notes"), LARGE_PAGE);
        while let Some(page) = self.page(&mut scan).await? {
            for field in page.step_by(2) {
                self.look_at(Item::Note(field)).await?;
            }
        }
        self.flush().await
    }

    /// Jobs for other queues. They never change, so what can't be read now never could.
    async fn outbox(&mut self) -> Result<(), ConnectError> {
        let key = self.key("outbox");
        let mut scan = Scan::new("HSCAN", key.clone(), LARGE_PAGE);
        while let Some(mut page) = self.page(&mut scan).await? {
            while let [Some(id), Some(text)] = [page.next(), page.next()] {
                let Err(error) = job_id(&id).and_then(|id| codec::job(id, &text)) else {
                    continue;
                };
                if self.repair {
                    let mut remove = redis::cmd("HDEL");
                    remove.arg(&key).arg(&id);
                    self.server.link.ask(&remove).await?;
                }
                let (kind, detail) = (FaultKind::Outbox, format!("{error:#}"));
                self.tell(Fault { kind, subject: shown(&id), detail, repaired: self.repair });
            }
        }
        Ok(())
    }

    fn key(&self, name: &str) -> Vec<u8> {
        self.server.keys.key(self.queue, name)
    }

    async fn page(&self, scan: &mut Scan) -> Result<Option<Page>, ConnectError> {
        let Some(command) = scan.command() else { return Ok(None) };
        let value = self.server.link.ask(&command).await?;
        self.server.understood(scan.take(value)).map(Some)
    }

    async fn look_at_job(&mut self, id: Vec<u8>) -> Result<(), ConnectError> {
        if self.seen.insert(id.clone()) { self.look_at(Item::Job(id)).await } else { Ok(()) }
    }

    async fn look_at(&mut self, item: Item) -> Result<(), ConnectError> {
        self.waiting.push(item);
        if self.waiting.len() < ITEMS_MAX { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<(), ConnectError> {
        let items = std::mem::take(&mut self.waiting);
        let found = self.server.look_at(self.queue, items, self.repair).await?;
        self.tally += found.tally;
        for fault in found.faults {
            self.tell(fault);
        }
        Ok(())
    }

    fn tell(&mut self, fault: Fault) {
        let is_known = self.told.contains(&(fault.kind, fault.subject.clone()));
        if is_known && !fault.repaired {
            return;
        }
        // Past this bound nothing is told by name anyway.
        if self.told.len() < FAULTS_MAX {
            self.told.insert((fault.kind, fault.subject.clone()));
        }
        self.checked.note(fault);
    }
}

fn worker(text: &[u8]) -> Option<WorkerId> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The entries of one page.
type Page = std::vec::IntoIter<Vec<u8>>;

/// A scan on its way.
struct Scan {
    command: &'static str,
    key: Option<Vec<u8>>,
    pattern: Option<Vec<u8>>,
    page: usize,
    /// None, when all was seen.
    cursor: Option<Vec<u8>>,
}

impl Scan {
    fn new(command: &'static str, key: Vec<u8>, page: usize) -> Self {
        Self { command, key: Some(key), pattern: None, page, cursor: Some(b"0".to_vec()) }
    }

    /// A scan of all keys that begin like this.
    fn of_keys(stem: &[u8], page: usize) -> Self {
        let mut pattern = Vec::new();
        for &byte in stem {
            if b"*?[]^\\".contains(&byte) {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.push(b'*');
        let cursor = Some(b"0".to_vec());
        Self { command: "SCAN", key: None, pattern: Some(pattern), page, cursor }
    }

    /// The command for the next page.
    fn command(&self) -> Option<Cmd> {
        let cursor = self.cursor.as_ref()?;
        let mut command = redis::cmd(self.command);
        command.arg(&self.key).arg(cursor);
        if let Some(pattern) = &self.pattern {
            command.arg("MATCH").arg(pattern);
        }
        command.arg("COUNT").arg(self.page);
        Some(command)
    }

    fn take(&mut self, answer: Value) -> Decoded<Page> {
        let (cursor, entries) = scanned(Reply::new(answer)?)?;
        self.cursor = (cursor != b"0").then_some(cursor);
        Ok(entries.into_iter())
    }
}
