//! What workers do: cycles, resyncs, reapings.

mod part;

use std::collections::HashSet;

use anyhow::Context as _;
use gristmill_job::{ErrorReport, NewJob, OutcomeKind, QueueName, WorkerId, codes};
use gristmill_redis::{Arguments, ConnectError, Repeat, Reply};
use redis::Value;

use self::part::{Part, parts};
use super::calls::Ticket;
use super::codec::{self, Decoded, Left, millis};
use super::intake::{Bounds, Item};
use super::mailbox::Mailbox;
use super::record::{leased, leased_again, until};
use super::reply::{job_id, worker_id};
use super::server::{Server, id_bytes, worker_bytes};
use super::{OUTBOX_ITEMS, REAPED_MAX, script};
use crate::{Cycle, CycleReply, Error, Held, Leased, Reaped, Resynced, Settled};

fn write_all_held(held: &[Held], arguments: &mut Arguments) {
    arguments.push_number(held.len());
    for held in held {
        let id = held.id.as_uuid().as_bytes();
        arguments.push_joined(&[id, &held.attempt.to_be_bytes()]);
    }
}

/// What the script of a cycle answers.
#[derive(Debug)]
enum Turned {
    Reaped,
    Done {
        reply: CycleReply,
        /// Jobs for other queues that wait to be handed over.
        outbox: u64,
        /// Whether the worker is called when there is something.
        is_hungry: bool,
    },
}

fn turned(value: Value, me: WorkerId) -> Decoded<Turned> {
    let mut reply = Reply::new(value)?;
    if reply.bytes()? == b"reaped" {
        return Ok(Turned::Reaped);
    }
    let verdicts = reply.bytes()?;
    let cancel = reply.bytes()?;
    let lapsed = reply.bytes()?;
    let next_due = until(reply.number()?);
    let more = reply.flag()?;
    let resync = reply.flag()?;
    let outbox = reply.count()?;
    let is_hungry = reply.flag()?;
    let jobs = jobs(&reply.bytes()?, reply.list()?, reply.list()?)?;
    let settled = |&verdict: &u8| match verdict {
        b'1' => Settled::Recorded,
        _ => Settled::LeaseLost,
    };
    let lapsed = lapsed.chunks(16).map(worker_id).collect::<Decoded<Vec<_>>>()?;
    let reply = CycleReply {
        jobs,
        verdicts: verdicts.iter().map(settled).collect(),
        cancel: cancel.chunks(20).map(held).collect::<Decoded<_>>()?,
        lapsed: lapsed.into_iter().filter(|&worker| worker != me).collect(),
        next_due,
        more,
        resync,
    };
    Ok(Turned::Done { reply, outbox, is_hungry })
}

/// Leased jobs of their ids and envelopes; of those that were touched before, the place among them, the
/// record and the checkpoint.
fn jobs(ids: &[u8], mut envelopes: Reply, mut touched: Reply) -> Decoded<Vec<Leased>> {
    let ids = ids.chunks(16).map(job_id);
    let jobs = ids.map(|id| leased(id?, &envelopes.bytes()?));
    let mut jobs = jobs.collect::<Decoded<Vec<_>>>()?;
    while !touched.is_empty() {
        let place = usize::try_from(touched.count()?)?;
        let job = jobs.get_mut(place).context("a job was leased that isn't there")?;
        let (record, checkpoint) = (touched.bytes()?, touched.maybe_bytes()?);
        leased_again(job, &record, checkpoint.as_deref())?;
    }
    Ok(jobs)
}

fn held(bytes: &[u8]) -> Decoded<Held> {
    let (id, attempt) = bytes.split_at_checked(16).unwrap_or((bytes, &[]));
    Ok(Held { id: job_id(id)?, attempt: u32::from_be_bytes(attempt.try_into()?) })
}

impl Server {
    pub(super) async fn cycle(
        &self,
        cycle: &mut Cycle,
        mailbox: &Mailbox,
    ) -> Result<CycleReply, Error> {
        self.register(&cycle.queue).await?;
        let parts = parts(cycle, self.config.batch_items_max);
        let last = parts.len() - 1;
        let mut verdicts = Vec::with_capacity(cycle.settlements.len());
        let ticket = match cycle.assignable && cycle.want > 0 {
            true => mailbox.calls.ticket(cycle.want > 1),
            false => Ticket::CALL,
        };
        let mut fetched = mailbox.calls.begin(cycle.worker, &cycle.queue, ticket);
        let mut jobs = std::mem::take(&mut fetched.jobs);
        for (i, part) in parts.into_iter().enumerate() {
            let mut arguments = Arguments::default();
            arguments.push(worker_bytes(cycle.worker));
            arguments.push(self.mailbox.as_str());
            arguments.push(fetched.previous.to_bytes());
            arguments.push(if i == last { ticket } else { Ticket::CALL }.to_bytes());
            arguments.push(fetched.known.take().map(id_bytes).unwrap_or_default());
            fetched.previous = Ticket::CALL;
            self.turn_arguments(&mut arguments, cycle, part, (i == last).then_some(jobs.len()));
            let (worker, queue) = (cycle.worker, &cycle.queue);
            let value =
                self.run_for(worker, &script::CYCLE, queue, &arguments, Repeat::Never).await?;
            match self.understood(turned(value, worker))? {
                Turned::Reaped => return Err(Error::WorkerReaped(worker)),
                Turned::Done { mut reply, outbox, is_hungry } => {
                    verdicts.append(&mut reply.verdicts);
                    jobs.append(&mut reply.jobs);
                    if i == last {
                        cycle.settlements.clear();
                        cycle.notes.clear();
                        mailbox.calls.expect(worker, queue, is_hungry);
                        self.hand_over(queue, outbox).await;
                        return Ok(CycleReply { verdicts, jobs, ..reply });
                    }
                }
            }
        }
        Ok(CycleReply::default())
    }

    /// Only the last part of a cycle counts what is held and leases; it is told how many jobs the worker
    /// gets with the reply.
    fn turn_arguments(
        &self,
        arguments: &mut Arguments,
        cycle: &Cycle,
        part: Part,
        last: Option<usize>,
    ) {
        let config = &self.config;
        arguments.push_number(millis(cycle.lease));
        let held = last.and_then(|assigned| i64::try_from(cycle.held + assigned).ok());
        arguments.push_number(held.unwrap_or(-1));
        arguments.push_number(last.map_or(0, |assigned| cycle.want.saturating_sub(assigned)));
        arguments.push_number(cycle.want_bytes.min(1 << 50));
        arguments.push_number(config.batch_items_max);
        arguments.push_number(config.promote_items_max);
        arguments.push_number(config.low_priority_share);
        arguments.push_number(config.finished_items_max);
        arguments.push_number(config.log_lines_max);
        arguments.push_number(millis(config.finished_age_max));
        arguments.push_number(part.notes_count);
        arguments.push_number(part.settlements_count);
        arguments.append(&part.settlements);
        arguments.append(&part.notes);
        arguments.append(&part.follow_ups);
    }

    /// Hands jobs over that completed jobs of this queue enqueued in others. What fails stays where it
    /// is, for the next cycle of any worker.
    async fn hand_over(&self, queue: &QueueName, waiting: u64) {
        if waiting == 0 {
            return;
        }
        if let Err(error) = self.try_to_hand_over(queue).await {
            tracing::warn!(%queue, %error, "jobs for other queues wait in the outbox");
        }
    }

    async fn try_to_hand_over(&self, queue: &QueueName) -> Result<(), ConnectError> {
        let outbox = self.keys.key(queue, "outbox");
        let mut scan = redis::cmd("HSCAN");
        scan.arg(&outbox).arg(0).arg("COUNT").arg(OUTBOX_ITEMS);
        let jobs = self.understood(scanned(self.link.ask(&scan).await?))?;
        let queues: HashSet<&QueueName> = jobs.iter().map(|job| &job.queue).collect();
        for target in queues {
            let jobs: Vec<Item> =
                jobs.iter().filter(|job| job.queue == *target).map(Item::new).collect();
            for batch in jobs.chunks(self.config.batch_items_max) {
                let items: Vec<&Item> = batch.iter().collect();
                self.enqueue(target, &items, Bounds::None).await?;
                let mut done = redis::cmd("HDEL");
                done.arg(&outbox);
                for item in items {
                    done.arg(item.id.as_uuid().as_bytes().as_slice());
                }
                self.link.ask(&done).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn resync(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        self.register(queue).await?;
        let mut arguments = Arguments::default();
        arguments.push(worker_bytes(worker));
        arguments.push_number(self.config.finished_items_max);
        arguments.push_number(millis(self.config.finished_age_max));
        write_all_held(held, &mut arguments);
        let value = self.run_for(worker, &script::RESYNC, queue, &arguments, Repeat::Once).await?;
        let resynced = self.understood(resynced(value, held))?;
        resynced.ok_or(Error::WorkerReaped(worker))
    }

    pub(super) async fn absolve(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<usize, ConnectError> {
        let mut arguments = Arguments::default();
        arguments.push(worker_bytes(worker));
        write_all_held(held, &mut arguments);
        let value = self.run(&script::ABSOLVE, queue, &arguments, Repeat::Once).await?;
        match value {
            Value::Int(corrected) => Ok(usize::try_from(corrected).unwrap_or_default()),
            other => Err(self.link.misunderstood(&anyhow::anyhow!("a script answered {other:?}"))),
        }
    }

    pub(super) async fn reap(&self, queue: &QueueName, worker: WorkerId) -> Result<Reaped, Error> {
        let config = &self.config;
        let message = format!("its worker died {} times while it ran", config.crashes_max);
        let error = ErrorReport::new(codes::POISONED, message);
        let poison = Left::new(OutcomeKind::Failed, None, Some(&error), None);
        let mut arguments = Arguments::default();
        arguments.push(worker_bytes(worker));
        arguments.push_number(config.batch_items_max);
        arguments.push_number(config.finished_items_max);
        arguments.push_number(config.crashes_max);
        arguments.push_number(REAPED_MAX);
        arguments.push(poison.stored(None));
        arguments.push_number(millis(config.finished_age_max));
        let value = self.run_for(worker, &script::REAP, queue, &arguments, Repeat::Once).await?;
        Ok(self.understood(reaped(value))?)
    }
}

fn scanned(value: Value) -> Decoded<Vec<NewJob>> {
    let mut reply = Reply::new(value)?;
    let _cursor = reply.part()?;
    let mut entries = reply.list()?;
    let mut jobs = Vec::new();
    while !entries.is_empty() {
        let (id, spec) = (entries.bytes()?, entries.bytes()?);
        jobs.push(codec::job(job_id(&id)?, &spec)?);
    }
    Ok(jobs)
}

fn resynced(value: Value, held: &[Held]) -> Decoded<Option<Resynced>> {
    let mut reply = Reply::new(value)?;
    if reply.bytes()? == b"reaped" {
        return Ok(None);
    }
    let returned = reply.count()? as usize;
    let mut indexes = reply.list()?;
    let mut lost = Vec::new();
    while !indexes.is_empty() {
        lost.extend(held.get(indexes.count()? as usize));
    }
    Ok(Some(Resynced { returned, lost }))
}

fn reaped(value: Value) -> Decoded<Reaped> {
    let mut reply = Reply::new(value)?;
    Ok(Reaped {
        returned: reply.count()? as usize,
        poisoned: reply.count()? as usize,
        cancelled: reply.count()? as usize,
        more: reply.flag()?,
    })
}
