//! Who holds what, and until when.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use gristmill_job::{Timestamp, WorkerId};
use tokio::sync::Notify;

use super::jobs::Slot;
use super::numbers::Numbers;

/// Reaped workers that one line remembers by name, 160 KiB of them. One that was forgotten is
/// still told from a new one as soon as it claims to hold something; and if it doesn't, there is
/// nothing that it could do wrong.
pub(super) const REAPED_MAX: usize = 10_000;

/// The leases on one line.
#[derive(Debug, Default)]
pub(super) struct Leases {
    /// Looked into twice for every job, and mostly there is but one worker: hashing would take longer.
    leases: BTreeMap<WorkerId, Lease>,
    ends: BTreeSet<(Timestamp, WorkerId)>,
    reaped: HashSet<WorkerId>,
    reaped_order: VecDeque<WorkerId>,
}

/// One worker's right to the jobs that it took from one line.
#[derive(Debug)]
pub(super) struct Lease {
    ends: Timestamp,
    /// By number.
    pub(super) held: Numbers,
    /// Those of them that somebody wants cancelled.
    pub(super) cancelling: Numbers,
    pub(super) bell: Arc<Notify>,
}

impl Leases {
    /// Whether a worker's jobs were taken from it. Only the latest are known by name.
    pub(super) fn is_reaped(&self, worker: WorkerId) -> bool {
        self.reaped.contains(&worker)
    }

    pub(super) fn get(&self, worker: WorkerId) -> Option<&Lease> {
        self.leases.get(&worker)
    }

    pub(super) fn get_mut(&mut self, worker: WorkerId) -> Option<&mut Lease> {
        self.leases.get_mut(&worker)
    }

    /// Makes or renews a lease.
    pub(super) fn renew(
        &mut self,
        worker: WorkerId,
        ends: Timestamp,
        bell: impl FnOnce() -> Arc<Notify>,
    ) -> &mut Lease {
        let lease = self.leases.entry(worker).or_insert_with(|| Lease {
            ends,
            held: Numbers::default(),
            cancelling: Numbers::default(),
            bell: bell(),
        });
        self.ends.remove(&(lease.ends, worker));
        self.ends.insert((ends, worker));
        lease.ends = ends;
        lease
    }

    /// The workers whose lease has lapsed, the one that lapsed first ahead.
    pub(super) fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = WorkerId> {
        self.ends.iter().take_while(move |(ends, _)| *ends <= now).map(|&(_, worker)| worker)
    }

    /// Refuses a worker from now on if its lease has lapsed, and gives the jobs it held up to
    /// `limit`; none while the lease runs.
    pub(super) fn fence(
        &mut self,
        worker: WorkerId,
        now: Timestamp,
        limit: usize,
    ) -> Option<Vec<Slot>> {
        let lease = self.leases.get(&worker).filter(|lease| lease.ends <= now)?;
        if self.reaped.insert(worker) {
            self.reaped_order.push_back(worker);
            if self.reaped_order.len() > REAPED_MAX
                && let Some(oldest) = self.reaped_order.pop_front()
            {
                self.reaped.remove(&oldest);
            }
        }
        Some(lease.held.slots().take(limit).collect())
    }

    /// Forgets a lease under which nothing is held.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        if let Some(lease) = self.leases.remove(&worker) {
            self.ends.remove(&(lease.ends, worker));
        }
    }
}
