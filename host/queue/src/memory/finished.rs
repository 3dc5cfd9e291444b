//! The jobs that came to their end, kept for a while.

use std::collections::BTreeMap;

use gristmill_job::{JobState, Timestamp};

use super::jobs::Slot;

/// The jobs that came to their end, in the order in which they are forgotten: by the end of their
/// time, then by number. Failed ones are counted apart, since a flood of completed ones must not
/// wash away what somebody has to look at.
#[derive(Debug, Default)]
pub(super) struct Finished {
    ended: BTreeMap<(Timestamp, u64), Slot>,
    failed: BTreeMap<(Timestamp, u64), Slot>,
}

impl Finished {
    pub(super) fn insert(
        &mut self,
        state: JobState,
        expires_at: Timestamp,
        number: u64,
        slot: Slot,
    ) {
        self.order_mut(state).insert((expires_at, number), slot);
    }

    pub(super) fn remove(&mut self, state: JobState, expires_at: Timestamp, number: u64) {
        self.order_mut(state).remove(&(expires_at, number));
    }

    /// A job that is to be forgotten because of its age.
    pub(super) fn expired(&self, now: Timestamp) -> Option<Slot> {
        [&self.ended, &self.failed].into_iter().find_map(|order| {
            let (&(expires_at, _), &slot) = order.first_key_value()?;
            (expires_at <= now).then_some(slot)
        })
    }

    /// A job that is to be forgotten because there are more than `items_max` like it: the one that
    /// would be forgotten next, which may be expired already.
    pub(super) fn surplus(&self, items_max: usize) -> Option<Slot> {
        [&self.ended, &self.failed]
            .into_iter()
            .filter(|order| order.len() > items_max)
            .find_map(|order| order.first_key_value().map(|(_, &slot)| slot))
    }

    fn order_mut(&mut self, state: JobState) -> &mut BTreeMap<(Timestamp, u64), Slot> {
        if state == JobState::Failed { &mut self.failed } else { &mut self.ended }
    }
}
