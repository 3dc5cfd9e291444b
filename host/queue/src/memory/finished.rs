//! The jobs that came to their end, kept for a while.

use std::collections::BTreeMap;

use gristmill_job::{JobState, Timestamp};

use super::jobs::Slot;

/// The jobs that came to their end, in the order in which they did. Failed ones are counted apart,
/// since a flood of completed ones must not wash away what somebody has to look at.
#[derive(Debug, Default)]
pub(super) struct Finished {
    ended: BTreeMap<u64, Slot>,
    failed: BTreeMap<u64, Slot>,
    expiry: BTreeMap<(Timestamp, u64), Slot>,
    next_number: u64,
}

impl Finished {
    pub(super) fn new_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    pub(super) fn insert(
        &mut self,
        state: JobState,
        number: u64,
        expires_at: Timestamp,
        slot: Slot,
    ) {
        self.order_mut(state).insert(number, slot);
        self.expiry.insert((expires_at, number), slot);
    }

    pub(super) fn remove(&mut self, state: JobState, number: u64, expires_at: Timestamp) {
        self.order_mut(state).remove(&number);
        self.expiry.remove(&(expires_at, number));
    }

    /// A job that is to be forgotten because of its age.
    pub(super) fn expired(&self, now: Timestamp) -> Option<Slot> {
        let (&(expires_at, _), &slot) = self.expiry.first_key_value()?;
        (expires_at <= now).then_some(slot)
    }

    /// A job that is to be forgotten because there are more than `items_max` like it: the one that
    /// ended first.
    pub(super) fn surplus(&self, items_max: usize) -> Option<Slot> {
        [&self.ended, &self.failed]
            .into_iter()
            .filter(|order| order.len() > items_max)
            .find_map(|order| order.first_key_value().map(|(_, &slot)| slot))
    }

    fn order_mut(&mut self, state: JobState) -> &mut BTreeMap<u64, Slot> {
        if state == JobState::Failed { &mut self.failed } else { &mut self.ended }
    }
}
