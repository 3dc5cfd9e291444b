//! What keeps the file small: expired entries go, the oldest make room, free pages go back to the disk.
//! All of it in bounded steps, between which calls are answered.

use std::time::Duration;

use rusqlite::params;

use super::schema::{BUSY_PATIENCE, millis};
use super::writer::{Row, Writer};

/// How often the writer looks after the file when nothing else is to do.
pub(super) const TEND_PERIOD: Duration = Duration::from_secs(1);
/// Expired entries that go in one step of its own: about a millisecond.
const SWEEP_ITEMS: usize = 256;
/// Expired entries that each call takes along: more than it adds, so that the sweep keeps up with
/// whatever is written.
const SWEEP_ITEMS_PER_CALL: usize = 4;
/// The oldest entries that are looked at together when room is needed.
const EVICT_ITEMS: i64 = 64;
/// Entries that one transaction evicts at most, a fraction of a second; the rest goes in the next.
const EVICTED_MAX: i64 = 65_536;
/// How much more room is made than is needed at once, so that not every write has to make some.
const EVICT_AHEAD_BYTES: u64 = 1 << 20;
/// The part of a small bound that is made room for ahead.
const EVICT_AHEAD_PART: u64 = 64;
/// Free pages that a file keeps for the next writes: 4 MiB.
const SPARE_PAGES: u64 = 1_024;
/// Pages that go back to the disk in one step, each of which may have to be moved.
const VACUUM_PAGES: u64 = 256;

impl Writer {
    /// What every transaction does on the side, for this many calls.
    pub(super) fn tidy(&mut self, calls: usize) -> rusqlite::Result<()> {
        self.sweep(calls.saturating_mul(SWEEP_ITEMS_PER_CALL))?;
        self.evict().map(drop)
    }

    /// Looks after the file for a moment; true: there is more to do. What fails is tried again.
    pub(super) fn tend(&mut self) -> bool {
        // It is in no hurry: while another process writes, calls must not wait for it.
        let _ = self.reader.connection.busy_timeout(Duration::ZERO);
        let more = self.step().unwrap_or(false);
        let _ = self.reader.connection.busy_timeout(BUSY_PATIENCE);
        more
    }

    fn step(&mut self) -> rusqlite::Result<bool> {
        self.reader.look_at_clock();
        if self.has_expired()? || self.used_bytes()? > self.disk_bytes_max {
            return self.transact(|writer| {
                let swept = writer.sweep(SWEEP_ITEMS)?;
                Ok(swept == SWEEP_ITEMS || writer.evict()?)
            });
        }
        self.shrink()
    }

    fn has_expired(&self) -> rusqlite::Result<bool> {
        let connection = &self.reader.connection;
        let sql = "SELECT EXISTS (SELECT 1 FROM entries WHERE expires_at <= ?1)
                   OR EXISTS (SELECT 1 FROM flights WHERE ends_at <= ?1)";
        connection.prepare_cached(sql)?.query_row([millis(self.now())], |row| row.get(0))
    }

    /// Removes expired entries and reservations, and answers how many, up to `limit` of each.
    fn sweep(&mut self, limit: usize) -> rusqlite::Result<usize> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let connection = &self.reader.connection;
        let now = millis(self.now());
        let flights = connection
            .prepare_cached(
                "DELETE FROM flights WHERE (space, key) IN
                 (SELECT space, key FROM flights WHERE ends_at <= ?1 LIMIT ?2)",
            )?
            .execute([now, limit])?;
        let mut statement = connection
            .prepare_cached("SELECT id, size FROM entries WHERE expires_at <= ?1 LIMIT ?2")?;
        let rows = statement.query_map([now, limit], |row| {
            Ok(Row { id: row.get(0)?, size: row.get(1)?, expires_at: None })
        });
        let rows: Vec<Row> = rows?.collect::<Result<_, _>>()?;
        drop(statement);
        rows.iter().try_for_each(|row| self.drop_row(*row))?;
        Ok(rows.len().max(flights))
    }

    /// Makes room by the entries whose last write is the longest ago, where the bound is passed; true:
    /// there is more to do.
    ///
    /// Not the least recently used: then every read would have to write.
    fn evict(&mut self) -> rusqlite::Result<bool> {
        if self.used_bytes()? <= self.disk_bytes_max {
            return Ok(false);
        }
        let ahead = EVICT_AHEAD_BYTES.min(self.disk_bytes_max / EVICT_AHEAD_PART);
        let goal = self.disk_bytes_max - ahead;
        let mut evicted = 0;
        while evicted < EVICTED_MAX {
            let excess = self.used_bytes()?.saturating_sub(goal);
            let gone = if excess > 0 { self.evict_oldest(excess)? } else { 0 };
            if gone == 0 {
                return Ok(false);
            }
            evicted += gone;
        }
        Ok(true)
    }

    /// Removes some of the oldest entries, this many bytes of them or a few more, and answers how many.
    fn evict_oldest(&mut self, excess: u64) -> rusqlite::Result<i64> {
        let excess = i64::try_from(excess).unwrap_or(i64::MAX);
        let connection = &self.reader.connection;
        let mut statement =
            connection.prepare_cached("SELECT id, size FROM entries ORDER BY id LIMIT ?1")?;
        let mut rows = statement.query([EVICT_ITEMS])?;
        let (mut last, mut entries, mut bytes) = (0, 0, 0);
        while bytes < excess
            && let Some(row) = rows.next()?
        {
            last = row.get(0)?;
            entries += 1;
            bytes += row.get::<_, i64>(1)?;
        }
        drop(rows);
        drop(statement);
        if entries > 0 {
            connection.prepare_cached("DELETE FROM entries WHERE id <= ?1")?.execute([last])?;
            self.forget(entries, bytes);
        }
        Ok(entries)
    }

    /// Gives some pages back to the disk; true: there are more.
    fn shrink(&self) -> rusqlite::Result<bool> {
        if self.pages("PRAGMA freelist_count")? <= SPARE_PAGES {
            return Ok(false);
        }
        let connection = &self.reader.connection;
        let mut statement =
            connection.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        drop(rows);
        if self.pages("PRAGMA freelist_count")? > SPARE_PAGES {
            return Ok(true);
        }
        // The file itself gets shorter when the log is copied into it.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", params![], |_| Ok(()))?;
        Ok(false)
    }

    /// Bytes of the file that hold something.
    pub(super) fn used_bytes(&self) -> rusqlite::Result<u64> {
        let pages = self.pages("PRAGMA page_count")? - self.pages("PRAGMA freelist_count")?;
        Ok(pages.saturating_mul(self.pages("PRAGMA page_size")?))
    }

    fn pages(&self, sql: &str) -> rusqlite::Result<u64> {
        let connection = &self.reader.connection;
        let pages: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(u64::try_from(pages).unwrap_or(0))
    }
}
