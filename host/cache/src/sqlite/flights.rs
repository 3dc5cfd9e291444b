//! Who computes which missing value, as the file knows it: all processes that share it agree.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, params};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::lane::Post;
use super::reader::Seen;
use super::schema::{millis, timestamp};
use super::writer::Writer;
use crate::common::{Place, locked};

/// What came of asking for a reservation.
pub(super) enum Asked {
    Value(Bytes),
    Reserved(Claim),
    /// Somebody else has it, for this long at most.
    Busy(Duration),
}

/// A reservation on its way to whoever asked for it. If that one has gone, it is given back.
pub(super) struct Claim {
    post: Option<Post<Writer>>,
    place: Place,
    token: u128,
}

impl Claim {
    /// The token, for the one who holds the reservation from now on.
    pub(super) fn take(mut self) -> u128 {
        self.post = None;
        self.token
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(post) = self.post.take() {
            let (place, token) = (self.place.clone(), self.token);
            post.put(move |writer| writer.release(&place, token).map(drop));
        }
    }
}

impl Writer {
    /// The value, the right to compute it, or for how long somebody else has that right.
    pub(super) fn reserve(
        &mut self,
        place: Place,
        lease: Duration,
        post: Option<Post<Self>>,
    ) -> rusqlite::Result<Asked> {
        match self.reader.seen(&place)? {
            Seen::Value(value) => return Ok(Asked::Value(value)),
            Seen::Reserved(left) => return Ok(Asked::Busy(left)),
            Seen::Nothing => {}
        }
        // The name of a reservation is never given twice, in this process or any other.
        let mut statement = self.reader.connection.prepare_cached(
            "INSERT OR REPLACE INTO flights VALUES (?1, ?2, randomblob(16), ?3) RETURNING token",
        )?;
        let key = place.key.as_str().as_bytes();
        let ends_at = millis(self.now().after(lease));
        let token = statement
            .query_row(params![place.space.to_string(), key, ends_at], |row| row.get(0))?;
        drop(statement);
        Ok(Asked::Reserved(Claim { post, place, token: u128::from_be_bytes(token) }))
    }

    /// Ends a reservation; true: it was held until now.
    pub(super) fn release(&self, place: &Place, token: u128) -> rusqlite::Result<bool> {
        let mut statement = self.reader.connection.prepare_cached(
            "DELETE FROM flights WHERE space = ?1 AND key = ?2 AND token = ?3 RETURNING ends_at",
        )?;
        let key = place.key.as_str().as_bytes();
        let parameters = params![place.space.to_string(), key, token.to_be_bytes()];
        let ends_at = statement.query_row(parameters, |row| row.get(0)).optional()?;
        Ok(ends_at.is_some_and(|ends_at| timestamp(ends_at) > self.now()))
    }

    /// Ends a reservation with its value; false: it had been lost.
    pub(super) fn fill(
        &mut self,
        place: &Place,
        token: u128,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> rusqlite::Result<bool> {
        let is_held = self.release(place, token)?;
        if is_held {
            self.put(place, value, self.end(ttl))?;
        }
        Ok(is_held)
    }
}

/// What tells those who wait in this process that a reservation of this process has ended.
#[derive(Default)]
pub(super) struct Bells(Mutex<HashMap<Place, (Arc<Notify>, usize)>>);

/// One who waits for the end of a reservation.
pub(super) struct Listener<'a> {
    bells: &'a Bells,
    place: Place,
    bell: Arc<Notify>,
}

impl Bells {
    pub(super) fn listen(&self, place: &Place) -> Listener<'_> {
        let mut bells = locked(&self.0);
        let (bell, listeners) = bells.entry(place.clone()).or_default();
        *listeners += 1;
        Listener { bells: self, place: place.clone(), bell: Arc::clone(bell) }
    }

    pub(super) fn ring(&self, place: &Place) {
        if let Some((bell, _)) = locked(&self.0).get(place) {
            bell.notify_waiters();
        }
    }
}

impl Listener<'_> {
    /// Hears every ring from now on, whether it is awaited yet or not.
    pub(super) fn ring(&self) -> OwnedNotified {
        Arc::clone(&self.bell).notified_owned()
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        let mut bells = locked(&self.bells.0);
        if let Some((_, listeners)) = bells.get_mut(&self.place) {
            *listeners -= 1;
            if *listeners == 0 {
                bells.remove(&self.place);
            }
        }
    }
}
