//! Who is computing which missing value.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::common::Place;

/// Reservations whose lease ended unused that one new reservation tidies up.
const SWEEP_ITEMS: usize = 4;

/// Who is computing which missing value.
#[derive(Debug, Default)]
pub(super) struct Flights {
    flights: HashMap<Place, Flight>,
    ends: BTreeMap<(Timestamp, u128), Place>,
    tokens: u128,
}

#[derive(Debug)]
struct Flight {
    token: u128,
    ends: Timestamp,
    bell: Arc<Notify>,
}

/// What came of asking for a reservation.
pub(super) enum Asked {
    /// It is granted under this token.
    Reserved(u128),
    /// Somebody else has it: what rings when it is given up, and how long it lasts otherwise.
    Busy(OwnedNotified, Duration),
}

impl Flights {
    /// Reserves a place until `ends`, unless somebody else has it.
    pub(super) fn ask(&mut self, place: Place, now: Timestamp, ends: Timestamp) -> Asked {
        self.sweep(now);
        if let Some(flight) = self.flights.get(&place) {
            if flight.ends > now {
                let ring = Arc::clone(&flight.bell).notified_owned();
                return Asked::Busy(ring, flight.ends.since(now));
            }
            self.remove(&place);
        }
        self.tokens += 1;
        self.ends.insert((ends, self.tokens), place.clone());
        let flight = Flight { token: self.tokens, ends, bell: Arc::default() };
        self.flights.insert(place, flight);
        Asked::Reserved(self.tokens)
    }

    /// Whether a reservation is still held.
    pub(super) fn holds(&self, place: &Place, token: u128, now: Timestamp) -> bool {
        self.flights.get(place).is_some_and(|flight| flight.token == token && flight.ends > now)
    }

    /// Ends a reservation and wakes who waits for it; does nothing if it is another's by now.
    pub(super) fn end(&mut self, place: &Place, token: u128) {
        if self.flights.get(place).is_some_and(|flight| flight.token == token) {
            self.remove(place);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.flights.len()
    }

    fn remove(&mut self, place: &Place) {
        if let Some(flight) = self.flights.remove(place) {
            self.ends.remove(&(flight.ends, flight.token));
            flight.bell.notify_waiters();
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        for _ in 0..SWEEP_ITEMS {
            let Some((&(ends, _), place)) = self.ends.first_key_value() else { return };
            if ends > now {
                return;
            }
            let place = place.clone();
            self.remove(&place);
        }
    }
}
