//! Reading: what a connection that changes nothing is asked.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gristmill_job::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use super::lane::{Calls, gather};
use super::schema::{BUSY_PATIENCE, millis, timestamp};
use crate::common::{Place, SteadyClock, locked};
use crate::{Entry, Key, Space, Version};

/// Expired entries that are counted to tell how many are live. While there are more, which the sweep
/// ends within moments, the rest count as entries.
const EXPIRED_COUNTED_MAX: i64 = 10_000;

/// A connection with the moment at which its transaction began.
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) now: Timestamp,
    clock: Arc<SteadyClock>,
    path: Arc<PathBuf>,
}

/// A value that is live, and its end.
pub(super) struct Stored {
    pub(super) value: Bytes,
    pub(super) expires_at: Option<Timestamp>,
}

/// What there is under a key for one who would compute it.
pub(super) enum Seen {
    Value(Bytes),
    /// Somebody computes it, for this long at most.
    Reserved(Duration),
    Nothing,
}

impl Reader {
    pub(super) fn new(connection: Connection, clock: Arc<SteadyClock>, path: Arc<PathBuf>) -> Self {
        Self { connection, now: Timestamp::default(), clock, path }
    }

    /// Does what it is asked until nobody can ask any more.
    pub(super) fn serve(mut self, calls: &Mutex<Calls<Self>>) {
        loop {
            // One reader waits for calls, the others wait for its place.
            let batch = {
                let calls = locked(calls);
                let Ok(first) = calls.recv() else { return };
                gather(first, &calls)
            };
            let begun = self.begin("BEGIN");
            for mut call in batch {
                let done = begun.as_ref().map_err(|fault| self.describe(fault));
                let done = done.and_then(|()| call.run(&mut self).map_err(|e| self.describe(&e)));
                call.settle(done.err().as_deref());
            }
            // There is nothing that it could fail to keep.
            let _ = self.run("COMMIT");
        }
    }

    pub(super) fn begin(&mut self, sql: &str) -> rusqlite::Result<()> {
        self.run(sql)?;
        self.look_at_clock();
        Ok(())
    }

    pub(super) fn look_at_clock(&mut self) {
        self.now = self.clock.now();
    }

    pub(super) fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Why something couldn't be done, for people.
    pub(super) fn describe(&self, error: &rusqlite::Error) -> String {
        let path = self.path.display();
        let tell = |advice: &dyn Display| format!("{path}: {error}: {advice}");
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                tell(&format_args!("another process kept it for {} s", BUSY_PATIENCE.as_secs()))
            }
            Some(ErrorCode::DiskFull) => tell(&"make room on its disk"),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                tell(&"stop what uses it and remove it, to begin with an empty cache")
            }
            _ => format!("{path}: {error}"),
        }
    }

    pub(super) fn stored(&self, place: &Place) -> rusqlite::Result<Option<Stored>> {
        self.stored_under(&place.space.to_string(), &place.key)
    }

    fn stored_under(&self, space: &str, key: &Key) -> rusqlite::Result<Option<Stored>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT value, expires_at FROM entries WHERE space = ?1 AND key = ?2
             AND (expires_at IS NULL OR expires_at > ?3)",
        )?;
        let parameters = params![space, key.as_str().as_bytes(), millis(self.now)];
        let stored = statement.query_row(parameters, |row| {
            let value = Bytes::copy_from_slice(row.get_ref(0)?.as_blob()?);
            Ok(Stored { value, expires_at: row.get::<_, Option<i64>>(1)?.map(timestamp) })
        });
        stored.optional()
    }

    pub(super) fn entry(&self, place: &Place) -> rusqlite::Result<Option<Entry>> {
        let stored = self.stored(place)?;
        Ok(stored.map(|stored| Entry {
            version: Version::of(&stored.value),
            ttl: stored.expires_at.map(|expires_at| expires_at.since(self.now)),
            value: stored.value,
        }))
    }

    pub(super) fn exists(&self, place: &Place) -> rusqlite::Result<bool> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM entries WHERE space = ?1 AND key = ?2
             AND (expires_at IS NULL OR expires_at > ?3)",
        )?;
        let key = place.key.as_str().as_bytes();
        statement.exists(params![place.space.to_string(), key, millis(self.now)])
    }

    pub(super) fn values(
        &self,
        space: &Space,
        keys: &[Key],
    ) -> rusqlite::Result<Vec<Option<Bytes>>> {
        let space = space.to_string();
        let values = keys.iter().map(|key| self.stored_under(&space, key));
        values.map(|stored| Ok(stored?.map(|stored| stored.value))).collect()
    }

    /// What is live or reserved under a key.
    pub(super) fn seen(&self, place: &Place) -> rusqlite::Result<Seen> {
        if let Some(stored) = self.stored(place)? {
            return Ok(Seen::Value(stored.value));
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT ends_at FROM flights WHERE space = ?1 AND key = ?2 AND ends_at > ?3",
        )?;
        let key = place.key.as_str().as_bytes();
        let parameters = params![place.space.to_string(), key, millis(self.now)];
        let ends_at = statement.query_row(parameters, |row| row.get(0)).optional()?;
        Ok(match ends_at {
            Some(ends_at) => Seen::Reserved(timestamp(ends_at).since(self.now)),
            None => Seen::Nothing,
        })
    }

    /// The first `limit` keys behind `after` that start with `prefix`, each with whether it is live.
    pub(super) fn keys(
        &self,
        space: &Space,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> rusqlite::Result<Vec<(String, bool)>> {
        let (from, to) = range(prefix, after);
        let mut statement = self.connection.prepare_cached(
            "SELECT key, expires_at IS NULL OR expires_at > ?5 FROM entries
             WHERE space = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(
            params![space.to_string(), from, to, limit, millis(self.now)],
            |row| {
                let key = String::from_utf8_lossy(row.get_ref(0)?.as_blob()?).into_owned();
                Ok((key, row.get(1)?))
            },
        )?;
        rows.collect()
    }

    /// How many entries are live, and their bytes of keys and values.
    pub(super) fn totals(&self) -> rusqlite::Result<(u64, u64)> {
        let mut statement = self.connection.prepare_cached("SELECT entries, bytes FROM totals")?;
        let all: (i64, i64) = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*), coalesce(sum(size), 0) FROM
             (SELECT size FROM entries WHERE expires_at <= ?1 LIMIT ?2)",
        )?;
        let parameters = params![millis(self.now), EXPIRED_COUNTED_MAX];
        let over: (i64, i64) =
            statement.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let live = |all: i64, over: i64| u64::try_from(all - over).unwrap_or(0);
        Ok((live(all.0, over.0), live(all.1, over.1)))
    }
}

/// The keys that start with `prefix` and come behind `after`: from the first bound up to the second.
/// Text never holds the byte that ends the second, and the zero that ends the first makes it the very
/// next after `after`.
fn range(prefix: &str, after: Option<&str>) -> (Vec<u8>, Vec<u8>) {
    let behind = after.map(|after| [after.as_bytes(), &[0]].concat());
    let from = behind.unwrap_or_default().max(prefix.as_bytes().to_vec());
    (from, [prefix.as_bytes(), &[u8::MAX]].concat())
}
