//! How a worker lets go of what it holds.

use super::{Dispatcher, LEASE_ENDS, STOPS};
use crate::board::Task;
use crate::event::Event;
use crate::settle;

impl Dispatcher {
    /// Stops everything, since a lease wasn't renewed in time. It is settled as far as the queue
    /// still takes it: as long as nobody has reaped this worker, all goes back untouched.
    pub(crate) fn let_go(&mut self) {
        self.give_back(LEASE_ENDS);
        for (held, holding) in self.lines.iter().flat_map(|line| &line.held) {
            if holding.interrupted.is_none() {
                let event = Event::Stopped { job: held.id, attempt: held.attempt };
                self.board.observer().observe(&event);
            }
        }
        self.interrupt_for(LEASE_ENDS);
    }

    /// Leases nothing more, and releases what no executor has begun.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
        self.give_back(STOPS);
    }

    /// Interrupts what still runs, to be released.
    pub(crate) fn interrupt(&mut self) {
        self.interrupt_for(STOPS);
    }

    fn interrupt_for(&mut self, why: &'static str) {
        for holding in self.lines.iter_mut().flat_map(|line| line.held.values_mut()) {
            holding.interrupted.get_or_insert(why);
            holding.stop.abort();
        }
    }

    /// Releases what no executor has begun.
    fn give_back(&mut self, why: &str) {
        let unbegun: Vec<Task> = self.take_unbegun().collect();
        for task in unbegun {
            let line = &mut self.lines[task.queue];
            if line.held.remove(&task.leased.held()).is_some() {
                line.pending.push(settle::release(&task.leased, None, why));
            }
        }
    }

    pub(super) fn take_unbegun(&mut self) -> impl Iterator<Item = Task> {
        self.board.take_back().into_iter().chain(self.suspects.drain(..))
    }
}
