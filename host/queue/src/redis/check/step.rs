//! One step of a check: a bounded number of things, looked at in one moment.

use std::collections::BTreeSet;

use gristmill_job::{QueueName, WorkerId};
use gristmill_redis::{Arguments, ConnectError, Repeat, Reply};

use super::fault::{Fault, FaultKind};
use super::sweep::Tally;
use crate::redis::codec::{Decoded, millis};
use crate::redis::record::Record;
use crate::redis::reply::job_id;
use crate::redis::script;
use crate::redis::server::{Server, worker_bytes};

/// Things that one step looks at.
pub(super) const ITEMS_MAX: usize = 256;
/// How often a job is looked at anew that went to another worker in between. One that goes round
/// faster is well.
const ROUNDS_MAX: usize = 3;

/// Something to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A job, by its id.
    Job(Vec<u8>),
    /// A job among what a worker holds.
    Held(Vec<u8>, WorkerId),
    /// A job that is assigned to a worker.
    Assigned(Vec<u8>, Vec<u8>),
    /// A job among what a worker is to cancel.
    Cancelling(Vec<u8>, Vec<u8>),
    /// A unique key's owner, and the key.
    Unique(Vec<u8>, Vec<u8>),
    /// A note.
    Note(Vec<u8>),
}

impl Item {
    fn write(&self, arguments: &mut Arguments) {
        let (kind, a, b): (_, &[u8], Vec<u8>) = match self {
            Self::Job(id) => ("j", id, Vec::new()),
            Self::Held(id, worker) => ("h", id, worker_bytes(*worker)),
            Self::Assigned(id, worker) => ("a", id, worker.clone()),
            Self::Cancelling(id, worker) => ("c", id, worker.clone()),
            Self::Unique(owner, field) => ("u", owner, field.clone()),
            Self::Note(field) => ("n", job_of(field), field.clone()),
        };
        arguments.push(kind);
        arguments.push(a);
        arguments.push(b);
    }

    /// Whose fault it is, if one is found.
    fn subject(&self) -> String {
        match self {
            Self::Job(id) | Self::Held(id, _) | Self::Assigned(id, _) | Self::Cancelling(id, _) => {
                shown(id)
            }
            Self::Unique(_, field) => String::from_utf8_lossy(field).replace('\0', " "),
            Self::Note(field) => shown(job_of(field)),
        }
    }
}

/// The id of the job that a note's field begins with.
fn job_of(field: &[u8]) -> &[u8] {
    field.get(..16).unwrap_or(field)
}

/// An id as users know it, or what was put in its place.
pub(super) fn shown(id: &[u8]) -> String {
    match job_id(id) {
        Ok(id) => id.to_string(),
        Err(_) => String::from_utf8_lossy(id).into_owned(),
    }
}

/// What a step found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) faults: Vec<Fault>,
    pub(super) tally: Tally,
    /// Items that have to be looked at anew.
    again: Vec<Item>,
}

impl Server {
    /// Looks at some things, at most [`ITEMS_MAX`].
    pub(super) async fn look_at(
        &self,
        queue: &QueueName,
        items: Vec<Item>,
        repair: bool,
    ) -> Result<Found, ConnectError> {
        let mut all = Found { again: items, ..Found::default() };
        for _ in 0..ROUNDS_MAX {
            let items = std::mem::take(&mut all.again);
            if items.is_empty() {
                break;
            }
            let found = self.look_once(queue, &items, repair).await?;
            all.faults.extend(found.faults);
            all.tally += found.tally;
            all.again = found.again;
        }
        Ok(all)
    }

    async fn look_once(
        &self,
        queue: &QueueName,
        items: &[Item],
        repair: bool,
    ) -> Result<Found, ConnectError> {
        let workers = self.workers_of(queue, items).await?;
        let mut arguments = Arguments::default();
        arguments.push_number(u8::from(repair));
        arguments.push_number(millis(self.config.finished_age_max));
        arguments.push_number(workers.len());
        let mut keys = self.keys.of(&script::CHECK, queue);
        for worker in workers {
            arguments.push(worker_bytes(worker));
            keys.push(self.keys.held(queue, worker));
        }
        arguments.push_number(items.len());
        for item in items {
            item.write(&mut arguments);
        }
        // Whatever was repaired is found well when it is looked at again.
        let value = self.run_on(&script::CHECK, &keys, &arguments, Repeat::Once).await?;
        self.understood(Reply::new(value).and_then(|reply| found(reply, items)))
    }

    /// The workers that the items name, and those that hold the jobs among them.
    async fn workers_of(
        &self,
        queue: &QueueName,
        items: &[Item],
    ) -> Result<BTreeSet<WorkerId>, ConnectError> {
        let mut workers = BTreeSet::new();
        let mut records = redis::cmd("HMGET");
        records.arg(self.keys.key(queue, "states"));
        let mut is_any = false;
        for item in items {
            match item {
                Item::Job(id) => {
                    records.arg(id.as_slice());
                    is_any = true;
                }
                Item::Held(_, worker) => {
                    workers.insert(*worker);
                }
                Item::Assigned(..) | Item::Cancelling(..) | Item::Unique(..) | Item::Note(_) => {}
            }
        }
        if is_any {
            let mut reply = self.understood(Reply::new(self.link.ask(&records).await?))?;
            while !reply.is_empty() {
                let record = self.understood(reply.maybe_bytes())?;
                // One that can't be read names nobody, and is found by the script.
                let record = record.and_then(|bytes| Record::read(&bytes).ok());
                workers.extend(record.and_then(|record| record.worker));
            }
        }
        Ok(workers)
    }
}

fn found(mut reply: Reply, items: &[Item]) -> Decoded<Found> {
    let mut found = Found::default();
    let mut faults = reply.list()?;
    while !faults.is_empty() {
        let mut fault = faults.list()?;
        let item = item(items, fault.count()?);
        found.faults.push(Fault {
            kind: FaultKind::read(&fault.bytes()?)?,
            subject: item.map(Item::subject).unwrap_or_default(),
            detail: String::from_utf8_lossy(&fault.bytes()?).into_owned(),
            repaired: fault.flag()?,
        });
    }
    let mut again = reply.list()?;
    while !again.is_empty() {
        found.again.extend(item(items, again.count()?).cloned());
    }
    found.tally = Tally {
        jobs: reply.count()?,
        bytes: reply.count()?,
        running: reply.count()?,
        turn: reply.count()?,
    };
    Ok(found)
}

/// The item of a number, as scripts count.
fn item(items: &[Item], number: u64) -> Option<&Item> {
    items.get(usize::try_from(number).ok()?.checked_sub(1)?)
}
