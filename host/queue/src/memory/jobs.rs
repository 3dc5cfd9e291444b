//! All records, by slot and by id.

use std::collections::HashMap;
use std::ops::{Index, IndexMut};

use gristmill_job::JobId;
use slab::Slab;

use super::record::Record;

/// Where a record is kept. Valid until the record is removed; every index that holds one is
/// updated in the same step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(pub(super) u32);

/// All records, by slot and by id. Producers choose ids, so the map's hasher is keyed at random:
/// nobody can make up ids that collide.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    records: Slab<Record>,
    slots: HashMap<JobId, Slot>,
}

impl Jobs {
    /// How many records fit, since a slot is a `u32`.
    pub(super) const ITEMS_MAX: usize = u32::MAX as usize;

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn slot(&self, id: JobId) -> Option<Slot> {
        self.slots.get(&id).copied()
    }

    /// Keeps a record under its job's id, which must be free.
    pub(super) fn insert(&mut self, record: Record) -> Slot {
        let id = record.spec.id;
        // `ITEMS_MAX` is checked before a job is taken over.
        let slot = Slot(self.records.insert(record) as u32);
        self.slots.insert(id, slot);
        slot
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Record {
        let record = self.records.remove(slot.0 as usize);
        self.slots.remove(&record.spec.id);
        record
    }
}

impl Index<Slot> for Jobs {
    type Output = Record;

    fn index(&self, slot: Slot) -> &Record {
        &self.records[slot.0 as usize]
    }
}

impl IndexMut<Slot> for Jobs {
    fn index_mut(&mut self, slot: Slot) -> &mut Record {
        &mut self.records[slot.0 as usize]
    }
}
