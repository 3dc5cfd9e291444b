//! What is in the file, and how each connection uses it.

use std::time::Duration;

use gristmill_job::Timestamp;
use rusqlite::Connection;

/// Tells our files from those of other programs: the letters G, M, c, h.
pub(super) const APPLICATION_ID: i32 = 0x474d_6368;
/// The shape of the tables below. It grows when a version of Gristmill that knows the old shape can't
/// use the new one.
pub(super) const SCHEMA: i32 = 1;

/// How long another process may keep the file before a call gives up. The other one writes in
/// transactions of milliseconds; what lasts longer isn't a write but a fault.
pub(super) const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// Pages that each connection keeps in memory, in KiB: the upper levels of the indexes of a full file
/// fit, and the file itself is in the system's cache anyway.
const CACHE_KIB: i32 = 8 << 10;
/// More than there are statements, so that each is compiled once.
const STATEMENTS: usize = 64;
/// Pages that the log collects before they are copied into the file, which waits for the disk twice:
/// 16 MiB, so that waits are rare and the log is still small beside the file.
const CHECKPOINT_PAGES: u32 = 4_000;
/// What stays of the log's file when it had to grow for a while.
const LOG_BYTES_MAX: u32 = 32 << 20;

/// An entry's place in the order of `id` is that of its last write: the oldest come first and are the
/// first to be evicted. `size` is of key and value, so that an entry is counted without its value.
const TABLES: &str = "
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    space TEXT NOT NULL,
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    expires_at INTEGER,
    value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_by_key ON entries (space, key);
CREATE INDEX entries_by_end ON entries (expires_at, size) WHERE expires_at IS NOT NULL;
CREATE TABLE flights (
    space TEXT NOT NULL,
    key BLOB NOT NULL,
    token BLOB NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX flights_by_end ON flights (ends_at);
CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO totals VALUES (0, 0);
";

/// What can be said of a file without a look at its tables.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) application_id: i32,
    pub(super) schema: i32,
    has_tables: bool,
    has_pages: bool,
}

impl Mark {
    /// Whether there is nothing in the file at all.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_pages
    }

    /// Whether there is nothing of anybody's in it. A transaction that writes has a page already.
    fn is_blank(&self) -> bool {
        !self.has_tables && self.application_id == 0 && self.schema == 0
    }
}

pub(super) fn mark(connection: &Connection) -> rusqlite::Result<Mark> {
    // The first that reads the list of tables, so that a damaged one is found.
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
    Ok(Mark {
        application_id: number("application_id")?,
        schema: number("user_version")?,
        has_tables: tables > 0,
        has_pages: pages > 0,
    })
}

/// Makes the tables where there are none yet. Two processes may try at one time.
///
/// The file isn't in WAL mode before this is done, so that its first page says at any time whose it
/// is, whether there is a log beside it or not.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; BEGIN IMMEDIATE")?;
    if mark(connection)?.is_blank() {
        connection.execute_batch(TABLES)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", SCHEMA)?;
    }
    connection.execute_batch("COMMIT")
}

/// Settles how a connection uses the file.
pub(super) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // A write that was acknowledged is in the system's hands, which is enough for a process that is
    // killed. Waiting for the disk with every write would make it a hundred times slower.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)
}

/// A time as the file keeps it; what is later than it can say, is never.
pub(super) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))
}
