//! Places in listings, as numbers: the first draft's cursor has no room for more.

use std::collections::VecDeque;

/// Places that are remembered; the oldest is forgotten. A component lists few stores at a time, and
/// each place may be as long as a key.
const CURSORS_MAX: usize = 64;

/// The places that an attempt was last given.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    places: VecDeque<String>,
    /// How many were forgotten: the number of the oldest that is there.
    forgotten: u64,
}

impl Cursors {
    /// Remembers a place, and answers with its number.
    pub(super) fn keep(&mut self, place: String) -> u64 {
        if self.places.len() == CURSORS_MAX {
            self.places.pop_front();
            self.forgotten += 1;
        }
        self.places.push_back(place);
        self.forgotten + (self.places.len() - 1) as u64
    }

    /// The place with this number, if it is remembered.
    pub(super) fn find(&self, number: u64) -> Option<&str> {
        let at = number.checked_sub(self.forgotten)?;
        self.places.get(usize::try_from(at).ok()?).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_places_are_remembered_and_no_others() {
        let mut cursors = Cursors::default();
        assert_eq!(cursors.find(0), None);
        let numbers: Vec<u64> = (0..100).map(|n| cursors.keep(format!("after {n}"))).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<u64>>());
        assert_eq!((cursors.find(35), cursors.find(36)), (None, Some("after 36")));
        assert_eq!((cursors.find(99), cursors.find(100)), (Some("after 99"), None));
        assert_eq!(cursors.find(u64::MAX), None);
    }
}
