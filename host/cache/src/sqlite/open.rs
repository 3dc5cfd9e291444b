//! Opening the file: what isn't ours is told apart before anything could change it.
//!
//! The first look is through SQLite with `immutable`, which takes no lock, makes no file and reads
//! no log. (A plain read of the file by us would end, when it is closed, all the locks that other
//! connections of this process hold on it.)

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema::{self, APPLICATION_ID, BUSY_PATIENCE, Mark, SCHEMA};

/// Why a file can't be used as a cache. The file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder that the file would be in isn't there.
    #[error("{path}: the folder {folder} isn't there: create it, or name another file",
        path = .path.display(), folder = .folder.display())]
    FolderMissing {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// The file or its folder can't be written.
    #[error("{}: it can't be written: the cache needs the right to write the file and its folder",
        .path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What SQLite said of it, if it was asked.
        #[source]
        source: Option<rusqlite::Error>,
    },
    /// It is no database of SQLite.
    #[error("{}: it is no SQLite database: name another file for the cache", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is a database of another program.
    #[error("{}: it is a database of another program (application id {application_id:#010x}): \
        name another file for the cache", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Which program's, if the program says so.
        application_id: i32,
    },
    /// A later version of Gristmill made it.
    #[error("{}: its schema is {found}, and this version of Gristmill knows {known}: \
        use the version that made it, or name another file", .path.display())]
    LaterSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i32,
        /// The latest schema that is known here.
        known: i32,
    },
    /// It is damaged.
    #[error("{}: it is damaged: remove it to begin with an empty cache", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite found, if it did.
        #[source]
        source: Option<rusqlite::Error>,
    },
    /// Another process keeps it locked.
    #[error("{}: another process kept it locked for {} s", .path.display(), BUSY_PATIENCE.as_secs())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{}: it can't be opened", .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: anyhow::Error,
    },
}

/// Connections to one file of ours, made if it isn't there yet: the first to write, the others to
/// read.
pub(super) fn open(
    path: &Path,
    readers: usize,
) -> Result<(Connection, Vec<Connection>), OpenError> {
    check_folder(path)?;
    look(path)?;
    let fault = |error| explain(path, error);
    let writer = connect(path)?;
    schema::create(&writer).map_err(fault)?;
    check_mark(path, &schema::mark(&writer).map_err(fault)?)?;
    let mode: String = writer
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(fault)?;
    if mode != "wal" {
        let source = anyhow::anyhow!("its disk allows no shared log (journal mode {mode})");
        return Err(OpenError::Other { path: path.to_owned(), source });
    }
    check_tables(path, &writer)?;
    writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(fault)?;
    let readers = (0..readers).map(|_| {
        let reader = connect(path)?;
        reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(fault)?;
        reader.pragma_update(None, "query_only", true).map_err(fault)?;
        Ok(reader)
    });
    let readers = readers.collect::<Result<_, OpenError>>()?;
    Ok((writer, readers))
}

fn check_folder(path: &Path) -> Result<(), OpenError> {
    let folder = path.parent().unwrap_or(path);
    if !folder.is_dir() {
        let folder = folder.to_owned();
        return Err(OpenError::FolderMissing { path: path.to_owned(), folder });
    }
    if path.is_dir() {
        return Err(OpenError::NotADatabase { path: path.to_owned() });
    }
    Ok(())
}

/// Looks at a file without touching it.
fn look(path: &Path) -> Result<(), OpenError> {
    if !path.exists() {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let mark = Connection::open_with_flags(immutable_uri(path), flags)
        .and_then(|connection| schema::mark(&connection));
    match mark {
        Ok(mark) => check_mark(path, &mark),
        // Another process may be about to write the rest of it. SQLite knows by locks, which it takes
        // in the files that are beside it already.
        Err(error)
            if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
                && (has_beside(path, "-wal") || has_beside(path, "-journal")) =>
        {
            Ok(())
        }
        Err(error) => Err(explain(path, error)),
    }
}

fn check_mark(path: &Path, mark: &Mark) -> Result<(), OpenError> {
    let path = path.to_owned();
    let Mark { application_id, schema, .. } = *mark;
    if mark.is_empty() {
        Ok(())
    } else if application_id != APPLICATION_ID {
        Err(OpenError::Foreign { path, application_id })
    } else if schema > SCHEMA {
        Err(OpenError::LaterSchema { path, found: schema, known: SCHEMA })
    } else if schema < SCHEMA {
        Err(OpenError::Corrupt { path, source: None })
    } else {
        Ok(())
    }
}

/// Finds tables that aren't what their schema says.
fn check_tables(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let all = "SELECT id, space, key, size, expires_at, value FROM entries LIMIT 1";
    let flights = "SELECT space, key, token, ends_at FROM flights LIMIT 1";
    let totals = "SELECT entries, bytes FROM totals";
    let read = |sql| connection.prepare(sql)?.exists([]);
    let checked = read(all).and_then(|_| read(flights)).and_then(|_| read(totals));
    match checked {
        Ok(true) => Ok(()),
        Ok(false) => Err(OpenError::Corrupt { path: path.to_owned(), source: None }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => {
            Err(OpenError::Corrupt { path: path.to_owned(), source: Some(error) })
        }
        Err(error) => Err(explain(path, error)),
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fault = |error| explain(path, error);
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    // A log that is there already stays there until it is known to be ours.
    let keep = has_beside(path, "-wal");
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)
        .and_then(|_| schema::set_up(&connection))
        .map_err(fault)?;
    if connection.is_readonly("main").map_err(fault)? {
        return Err(OpenError::NotWritable { path: path.to_owned(), source: None });
    }
    Ok(connection)
}

fn explain(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Corrupt { path, source: Some(error) },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Busy { path },
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            OpenError::NotWritable { path, source: Some(error) }
        }
        _ => OpenError::Other { path, source: error.into() },
    }
}

fn has_beside(path: &Path, suffix: &str) -> bool {
    let mut beside = path.as_os_str().to_owned();
    beside.push(suffix);
    fs::symlink_metadata(beside).is_ok()
}

/// The file as one that nobody changes.
fn immutable_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02x}"));
        }
    }
    uri + "?immutable=1"
}
