//! Jobs by a number that counts up.

use std::collections::BTreeMap;

use super::jobs::Slot;

/// Numbers in one block, as many as a word has bits.
const BLOCK: u64 = u32::BITS as u64;

/// Jobs by a number that counts up: most of those that are in one place at one time were numbered one after
/// another. They are kept in blocks, so that a job that comes or goes mostly costs a bit and a slot in a block
/// that is there already, where a tree of single jobs would be searched deeper and changed each time.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// By their number, none of them empty.
    blocks: BTreeMap<u64, Block>,
    len: usize,
}

/// Which numbers are taken, from the lowest bit on, and the slots of those.
#[derive(Debug)]
struct Block {
    taken: u32,
    slots: [Slot; BLOCK as usize],
}

impl Numbers {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn insert(&mut self, number: u64, slot: Slot) {
        let empty = || Block { taken: 0, slots: [slot; BLOCK as usize] };
        let block = self.blocks.entry(number / BLOCK).or_insert_with(empty);
        let bit = 1 << (number % BLOCK);
        self.len += usize::from(block.taken & bit == 0);
        block.taken |= bit;
        block.slots[(number % BLOCK) as usize] = slot;
    }

    /// Takes a number out, if it is here.
    pub(super) fn remove(&mut self, number: u64) {
        let Some(block) = self.blocks.get_mut(&(number / BLOCK)) else { return };
        let bit = 1 << (number % BLOCK);
        self.len -= usize::from(block.taken & bit != 0);
        block.taken &= !bit;
        if block.taken == 0 {
            self.blocks.remove(&(number / BLOCK));
        }
    }

    /// The lowest number.
    pub(super) fn first(&self) -> Option<(u64, Slot)> {
        let (&at, block) = self.blocks.first_key_value()?;
        Some(block.entry(at, block.taken.trailing_zeros()))
    }

    /// The highest number below `number`.
    pub(super) fn last_before(&self, number: u64) -> Option<(u64, Slot)> {
        let at = number / BLOCK;
        let lower = (1 << (number % BLOCK)) - 1;
        let last = |at, block: &Block, taken: u32| {
            let place = taken.checked_ilog2()?;
            Some(block.entry(at, place))
        };
        let own = self.blocks.get(&at).and_then(|block| last(at, block, block.taken & lower));
        own.or_else(|| {
            let (&at, block) = self.blocks.range(..at).next_back()?;
            last(at, block, block.taken)
        })
    }

    /// All of them, from the lowest number on.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.blocks.values().flat_map(|block| {
            let is_taken = |place: &usize| block.taken & (1 << place) != 0;
            (0..BLOCK as usize).filter(is_taken).map(|place| block.slots[place])
        })
    }
}

impl Block {
    fn entry(&self, at: u64, place: u32) -> (u64, Slot) {
        (at * BLOCK + u64::from(place), self.slots[place as usize])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_says_what_a_tree_of_single_jobs_would_say() {
        let (mut numbers, mut tree) = (Numbers::default(), BTreeMap::new());
        let mut chance = 1_u64;
        for step in 0..20_000 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (number, asked) = (chance >> 40 & 0xFF, chance >> 48 & 0x1FF);
            if chance >> 63 == 0 {
                numbers.insert(number, Slot(step));
                tree.insert(number, Slot(step));
            } else {
                numbers.remove(number);
                tree.remove(&number);
            }
            let entry = |(&number, &slot)| (number, slot);
            assert_eq!((numbers.len(), numbers.is_empty()), (tree.len(), tree.is_empty()));
            assert_eq!(numbers.first(), tree.first_key_value().map(entry));
            assert_eq!(numbers.last_before(asked), tree.range(..asked).next_back().map(entry));
            assert_eq!(numbers.last_before(u64::MAX), tree.last_key_value().map(entry));
            assert!(numbers.slots().eq(tree.values().copied()));
        }
    }
}
