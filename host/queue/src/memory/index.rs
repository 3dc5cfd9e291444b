//! All jobs of a line by state, in the order in which they were enqueued.

use gristmill_job::StateName;

use super::jobs::Slot;
use super::numbers::Numbers;
use crate::Counts;

/// All jobs of a line by state, in the order in which they were enqueued.
#[derive(Debug, Default)]
pub(super) struct Index {
    states: [Numbers; StateName::ALL.len()],
}

impl Index {
    pub(super) fn insert(&mut self, state: StateName, number: u64, slot: Slot) {
        self.states[state as usize].insert(number, slot);
    }

    pub(super) fn remove(&mut self, state: StateName, number: u64) {
        self.states[state as usize].remove(number);
    }

    pub(super) fn first(&self, state: StateName) -> Option<Slot> {
        self.states[state as usize].first().map(|(_, slot)| slot)
    }

    pub(super) fn len(&self, state: StateName) -> usize {
        self.states[state as usize].len()
    }

    /// The newest job in a state that is older than the one with this number.
    pub(super) fn newest_before(&self, state: StateName, number: u64) -> Option<(u64, Slot)> {
        self.states[state as usize].last_before(number)
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |state| self.len(state) as u64;
        Counts {
            scheduled: count(StateName::Scheduled),
            queued: count(StateName::Queued),
            running: count(StateName::Running),
            completed: count(StateName::Completed),
            failed: count(StateName::Failed),
            cancelled: count(StateName::Cancelled),
        }
    }
}
