//! Writing: one connection, one transaction for all the calls that wait.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use gristmill_job::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::lane::{Ask, Calls, gather};
use super::reader::Reader;
use super::schema::{millis, timestamp};
use super::upkeep::TEND_PERIOD;
use crate::common::{Place, sum};
use crate::{Condition, Error, Key, Space, Version};

/// Entries among the last written that stay where they are when they are written again: a counter that
/// is counted up all the time would else move through the whole index. It may be evicted as if it had
/// been written this many writes ago.
const FRESH_IDS: i64 = 64;
/// Transactions after which the writer looks after the file, however busy it is.
const TEND_TRANSACTIONS: u32 = 64;

/// The connection that writes, with what its transaction has changed.
pub(super) struct Writer {
    pub(super) reader: Reader,
    pub(super) disk_bytes_max: u64,
    /// The highest id of an entry, once it was looked up in this transaction.
    newest: Option<i64>,
    /// What is to be added to the totals.
    entries: i64,
    bytes: i64,
}

/// An entry of whatever age, without its value.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) size: i64,
    pub(super) expires_at: Option<Timestamp>,
}

impl Writer {
    pub(super) fn new(reader: Reader, disk_bytes_max: u64) -> Self {
        Self { reader, disk_bytes_max, newest: None, entries: 0, bytes: 0 }
    }

    /// Does what it is asked until nobody can ask any more, and looks after the file meanwhile.
    pub(super) fn serve(mut self, calls: &Calls<Self>) {
        let mut transactions = 0;
        let mut wait = TEND_PERIOD;
        loop {
            match calls.recv_timeout(wait) {
                Ok(first) => {
                    self.answer(gather(first, calls));
                    transactions += 1;
                    if transactions < TEND_TRANSACTIONS {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            transactions = 0;
            wait = if self.tend() { Duration::ZERO } else { TEND_PERIOD };
        }
    }

    /// Answers calls once what they did can't be lost any more. One fault fails them all: what was
    /// done before it in the same transaction is undone, too.
    fn answer(&mut self, mut batch: Vec<Box<dyn Ask<Self>>>) {
        let done = self.transact(|writer| {
            batch.iter_mut().try_for_each(|call| call.run(writer))?;
            writer.tidy(batch.len())
        });
        let fault = done.err().map(|error| self.reader.describe(&error));
        for call in batch {
            call.settle(fault.as_deref());
        }
    }

    /// Does something as one step.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.reader.begin("BEGIN IMMEDIATE")?;
        (self.newest, self.entries, self.bytes) = (None, 0, 0);
        let done = work(self).and_then(|out| self.commit().map(|()| out));
        if done.is_err() {
            // Some faults have undone it already.
            let _ = self.reader.run("ROLLBACK");
        }
        done
    }

    fn commit(&self) -> rusqlite::Result<()> {
        if (self.entries, self.bytes) != (0, 0) {
            self.reader
                .connection
                .prepare_cached("UPDATE totals SET entries = entries + ?1, bytes = bytes + ?2")?
                .execute([self.entries, self.bytes])?;
        }
        self.reader.run("COMMIT")
    }

    pub(super) fn now(&self) -> Timestamp {
        self.reader.now
    }

    /// When what lives this long from now is over.
    pub(super) fn end(&self, ttl: Option<Duration>) -> Option<Timestamp> {
        ttl.map(|ttl| self.now().after(ttl))
    }

    fn row(&self, place: &Place) -> rusqlite::Result<Option<Row>> {
        let mut statement = self.reader.connection.prepare_cached(
            "SELECT id, size, expires_at FROM entries WHERE space = ?1 AND key = ?2",
        )?;
        let key = place.key.as_str().as_bytes();
        let row = statement.query_row(params![place.space.to_string(), key], |row| {
            let expires_at = row.get::<_, Option<i64>>(2)?.map(timestamp);
            Ok(Row { id: row.get(0)?, size: row.get(1)?, expires_at })
        });
        row.optional()
    }

    fn is_live(&self, row: Row) -> bool {
        row.expires_at.is_none_or(|expires_at| expires_at > self.now())
    }

    /// Stores a value over what is there; what is over at once is not stored.
    pub(super) fn put(
        &mut self,
        place: &Place,
        value: &[u8],
        expires_at: Option<Timestamp>,
    ) -> rusqlite::Result<()> {
        let old = self.row(place)?;
        self.put_over(old, place, value, expires_at)
    }

    fn put_over(
        &mut self,
        old: Option<Row>,
        place: &Place,
        value: &[u8],
        expires_at: Option<Timestamp>,
    ) -> rusqlite::Result<()> {
        if expires_at.is_some_and(|expires_at| expires_at <= self.now()) {
            return old.map_or(Ok(()), |old| self.drop_row(old));
        }
        let key = place.key.as_str().as_bytes();
        let size = i64::try_from(key.len() + value.len()).unwrap_or(i64::MAX);
        let id = self.next_id(old)?;
        let connection = &self.reader.connection;
        let end = expires_at.map(millis);
        match old {
            Some(old) => connection
                .prepare_cached(
                    "UPDATE entries SET id = ?1, size = ?2, expires_at = ?3, value = ?4
                     WHERE id = ?5",
                )?
                .execute(params![id, size, end, value, old.id])?,
            None => connection
                .prepare_cached("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![id, place.space.to_string(), key, size, end, value])?,
        };
        self.entries += i64::from(old.is_none());
        self.bytes += size - old.map_or(0, |old| old.size);
        Ok(())
    }

    /// The id of an entry that is written: behind all others, unless it is nearly there.
    fn next_id(&mut self, old: Option<Row>) -> rusqlite::Result<i64> {
        let newest = match self.newest {
            Some(newest) => newest,
            None => {
                let sql = "SELECT coalesce(max(id), 0) FROM entries";
                self.reader.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?
            }
        };
        let id = match old {
            Some(old) if newest - old.id < FRESH_IDS => old.id,
            _ => newest + 1,
        };
        self.newest = Some(newest.max(id));
        Ok(id)
    }

    pub(super) fn drop_row(&mut self, row: Row) -> rusqlite::Result<()> {
        let sql = "DELETE FROM entries WHERE id = ?1";
        self.reader.connection.prepare_cached(sql)?.execute([row.id])?;
        self.forget(1, row.size);
        Ok(())
    }

    /// Takes what was deleted off the totals.
    pub(super) fn forget(&mut self, entries: i64, bytes: i64) {
        self.entries -= entries;
        self.bytes -= bytes;
    }

    pub(super) fn set(
        &mut self,
        place: &Place,
        value: &[u8],
        ttl: Option<Duration>,
        condition: Condition,
    ) -> rusqlite::Result<bool> {
        let old = self.row(place)?;
        let is_there = old.is_some_and(|old| self.is_live(old));
        let holds = match condition {
            Condition::Always => true,
            Condition::IfAbsent => !is_there,
            Condition::IfPresent => is_there,
        };
        if holds {
            self.put_over(old, place, value, self.end(ttl))?;
        }
        Ok(holds)
    }

    pub(super) fn swap(
        &mut self,
        place: &Place,
        expected: Option<Version>,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> rusqlite::Result<bool> {
        let old = self.reader.stored(place)?;
        let is_same = old.map(|old| Version::of(&old.value)) == expected;
        if is_same {
            self.put(place, value, self.end(ttl))?;
        }
        Ok(is_same)
    }

    /// Removes an entry; false: there was none that is live.
    pub(super) fn remove(&mut self, place: &Place) -> rusqlite::Result<bool> {
        let Some(old) = self.row(place)? else { return Ok(false) };
        self.drop_row(old)?;
        Ok(self.is_live(old))
    }

    pub(super) fn touch(&mut self, place: &Place, ttl: Option<Duration>) -> rusqlite::Result<bool> {
        let Some(old) = self.row(place)?.filter(|old| self.is_live(*old)) else {
            return Ok(false);
        };
        let expires_at = self.end(ttl);
        if expires_at.is_some_and(|expires_at| expires_at <= self.now()) {
            self.drop_row(old)?;
            return Ok(true);
        }
        let id = self.next_id(Some(old))?;
        self.reader
            .connection
            .prepare_cached("UPDATE entries SET id = ?1, expires_at = ?2 WHERE id = ?3")?
            .execute(params![id, expires_at.map(millis), old.id])?;
        Ok(true)
    }

    pub(super) fn increment(
        &mut self,
        place: &Place,
        delta: i64,
        ttl: Option<Duration>,
    ) -> rusqlite::Result<Result<i64, Error>> {
        let old = self.reader.stored(place)?;
        let Some(sum) = sum(old.as_ref().map(|old| &*old.value), delta) else {
            return Ok(Err(Error::NotANumber));
        };
        let expires_at = old.map_or(self.end(ttl), |old| old.expires_at);
        self.put(place, sum.to_string().as_bytes(), expires_at)?;
        Ok(Ok(sum))
    }

    /// Removes the first `limit` entries behind `after` whose keys start with `prefix`, and answers
    /// how many of them were live and which was the last.
    pub(super) fn clear(
        &mut self,
        space: &Space,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> rusqlite::Result<(u64, Option<String>)> {
        let keys = self.reader.keys(space, prefix, after, limit)?;
        let mut live = 0;
        for (key, _) in &keys {
            let place = Place { space: space.clone(), key: Key::stored(key) };
            live += u64::from(self.remove(&place)?);
        }
        Ok((live, keys.into_iter().next_back().map(|(key, _)| key)))
    }
}
