//! The jobs that are ready to run, and whose turn it is.

use gristmill_job::Priority;

use super::jobs::Slot;
use super::numbers::Numbers;

/// The jobs that are ready to run, by class. Within a class turns go in order, and a job that goes
/// back untouched takes the turn that it had: everything ready behind it has a later one.
#[derive(Debug, Default)]
pub(super) struct Ready {
    classes: [Numbers; Priority::CLASSES],
    next_turn: u64,
    /// Picks since a lower class was preferred, as far as there was a choice.
    picks: u32,
    /// The class that was preferred last.
    preferred: usize,
}

/// A job whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick {
    pub(super) class: usize,
    pub(super) turn: u64,
    pub(super) slot: Slot,
}

impl Ready {
    pub(super) fn len(&self) -> usize {
        self.classes.iter().map(Numbers::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.classes.iter().all(Numbers::is_empty)
    }

    /// A turn behind all others.
    pub(super) fn new_turn(&mut self) -> u64 {
        self.next_turn += 1;
        self.next_turn
    }

    pub(super) fn insert(&mut self, priority: Priority, turn: u64, slot: Slot) {
        self.classes[priority.class()].insert(turn, slot);
    }

    pub(super) fn remove(&mut self, priority: Priority, turn: u64) {
        self.classes[priority.class()].remove(turn);
    }

    /// The first of each class that isn't empty.
    pub(super) fn heads(&self) -> impl Iterator<Item = Pick> {
        (0..Priority::CLASSES).filter_map(|class| self.head(class))
    }

    /// Whose turn it is: the most urgent class's first, but one pick in `share` goes to another
    /// class. These take turns among themselves, so that none starves.
    pub(super) fn peek(&self, share: u32) -> Option<Pick> {
        let urgent = self.heads().next()?;
        if share == 0 || self.picks + 1 < share {
            return Some(urgent);
        }
        let lower = (1..=Priority::CLASSES)
            .map(|step| (self.preferred + step) % Priority::CLASSES)
            .filter(|&class| class != urgent.class)
            .find_map(|class| self.head(class));
        lower.or(Some(urgent))
    }

    /// Notes for the next pick that `pick`, which is still among the ready, is being taken.
    pub(super) fn picked(&mut self, pick: Pick) {
        let other = self.heads().map(|head| head.class).find(|&class| class != pick.class);
        match other {
            None => {}
            Some(class) if class < pick.class => {
                self.picks = 0;
                self.preferred = pick.class;
            }
            Some(_) => self.picks += 1,
        }
    }

    fn head(&self, class: usize) -> Option<Pick> {
        let (turn, slot) = self.classes[class].first()?;
        Some(Pick { class, turn, slot })
    }
}
