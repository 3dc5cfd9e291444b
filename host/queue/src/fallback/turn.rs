//! A worker's turn on two queues at once.

use std::collections::HashSet;

use gristmill_job::{QueueName, WorkerId};

use super::FallbackQueue;
use crate::{Cycle, CycleReply, Error, Held, Leased, Note, Queue, Resynced, Settled};

impl FallbackQueue {
    /// A cycle before there is a primary.
    pub(super) async fn cycle_standby(&self, cycle: &mut Cycle) -> Result<CycleReply, Error> {
        let settled: Vec<Held> = cycle.settlements.iter().map(|it| it.held()).collect();
        let reply = self.standby.cycle(cycle).await?;
        let mut held = self.seats.of(&cycle.queue, cycle.worker);
        for settled in settled {
            held.remove(&settled);
        }
        held.extend(reply.jobs.iter().map(Leased::held));
        self.seats.set(&cycle.queue, cycle.worker, held);
        Ok(reply)
    }

    /// A cycle on the primary, and then on the standby with what concerns it: where the primary
    /// can't be reached, nothing has happened in the standby.
    pub(super) async fn cycle_both(
        &self,
        primary: &dyn Queue,
        cycle: &mut Cycle,
    ) -> Result<CycleReply, Error> {
        let seated = self.seats.of(&cycle.queue, cycle.worker);
        let mut rest = split(cycle, &seated);
        let is_here: Vec<bool> = rest.order.iter().map(|held| seated.contains(held)).collect();
        // The standby's jobs have waited longest, and no others join them.
        let ready = self.standby.status(&cycle.queue).await?.counts.queued;
        rest.here.want = cycle.want.min(usize::try_from(ready).unwrap_or(usize::MAX));
        let wanted = (cycle.want, cycle.held);
        cycle.want -= rest.here.want;
        cycle.held = cycle.held.saturating_sub(rest.here.held);
        let turned = self.turn_both(primary, cycle, &mut rest.here).await;
        (cycle.want, cycle.held) = wanted;
        if turned.is_err() {
            // After an error everything is still there.
            cycle.settlements.append(&mut rest.here.settlements);
            cycle.notes.append(&mut rest.here.notes);
        }
        let (there, here) = turned?;
        Ok(merge(there, here, &is_here))
    }

    async fn turn_both(
        &self,
        primary: &dyn Queue,
        cycle: &mut Cycle,
        here: &mut Cycle,
    ) -> Result<(CycleReply, CycleReply), Error> {
        let there = primary.cycle(cycle).await?;
        let leased: usize = there.jobs.iter().map(|job| job.spec.input.data.len()).sum();
        here.want_bytes = cycle.want_bytes.saturating_sub(leased);
        // Between the two nothing waits, so that a caller who gives up can't part them.
        Ok((there, self.cycle_standby(here).await?))
    }

    /// A resync before there is a primary.
    pub(super) async fn resync_standby(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        let resynced = self.standby.resync(queue, worker, held).await;
        let mut left: HashSet<Held> = held.iter().copied().collect();
        match &resynced {
            Ok(resynced) => left.retain(|held| !resynced.lost.contains(held)),
            Err(Error::WorkerReaped(_)) => left.clear(),
            Err(_) => return resynced,
        }
        self.seats.set(queue, worker, left);
        resynced
    }

    /// A resync on both queues, whatever one of them answers: what a worker gives up it gives up in
    /// both.
    pub(super) async fn resync_both(
        &self,
        primary: &dyn Queue,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        let seated = self.seats.of(queue, worker);
        let (here, there): (Vec<Held>, Vec<Held>) =
            held.iter().partition(|held| seated.contains(held));
        let here = self.resync_standby(queue, worker, &here).await;
        let mut resynced = primary.resync(queue, worker, &there).await?;
        let mut here = here?;
        resynced.returned += here.returned;
        resynced.lost.append(&mut here.lost);
        Ok(resynced)
    }
}

/// A cycle's part for the standby.
struct Rest {
    here: Cycle,
    /// All settlements in the order in which their verdicts are waited for.
    order: Vec<Held>,
}

/// Takes what concerns the standby out of a cycle.
fn split(cycle: &mut Cycle, seated: &HashSet<Held>) -> Rest {
    let order: Vec<Held> = cycle.settlements.iter().map(|it| it.held()).collect();
    let mut here = Cycle::new(cycle.queue.clone(), cycle.worker, cycle.lease);
    if seated.is_empty() {
        return Rest { here, order };
    }
    here.settlements = cycle.settlements.extract_if(.., |it| seated.contains(&it.held())).collect();
    here.notes = cycle.notes.extract_if(.., |it| seated.contains(&noted(it))).collect();
    here.held = seated.len().saturating_sub(here.settlements.len());
    Rest { here, order }
}

fn noted(note: &Note) -> Held {
    match note {
        Note::Progress(held, _) | Note::Checkpoint(held, _) | Note::Log(held, _) => *held,
    }
}

/// Two replies as one; `is_here` says for each settlement whether its verdict is the standby's.
fn merge(there: CycleReply, here: CycleReply, is_here: &[bool]) -> CycleReply {
    let (mut from_there, mut from_here) = (there.verdicts.into_iter(), here.verdicts.into_iter());
    let verdicts: Vec<Settled> = is_here
        .iter()
        .filter_map(|&is_here| if is_here { from_here.next() } else { from_there.next() })
        .collect();
    CycleReply {
        jobs: [here.jobs, there.jobs].concat(),
        verdicts,
        cancel: [here.cancel, there.cancel].concat(),
        lapsed: [here.lapsed, there.lapsed].concat(),
        next_due: here.next_due.into_iter().chain(there.next_due).min(),
        more: here.more || there.more,
        resync: here.resync || there.resync,
    }
}
