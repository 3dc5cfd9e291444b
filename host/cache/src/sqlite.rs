//! The cache in one file of SQLite: it survives restarts, and several processes may share it.
//!
//! **What is kept.** A write that was acknowledged is in the file, or in the log beside it
//! (`…-wal`), as far as the system is concerned: killing the process, `kill -9` included, loses
//! nothing of it. When the machine itself goes down, by a crash of its system or a power failure, the
//! last writes may be lost, never more than what came after the last checkpoint; the file still opens
//! and holds what it held at some moment before. Waiting for the disk at each write would keep these
//! too, a hundred times slower, which a cache isn't worth.
//!
//! **Where it may be.** On a local disk, in a folder that the process may write: `…-wal` and `…-shm`
//! lie beside the file while it is open. Not on a network share: SQLite's locks and shared memory
//! don't work there. Processes of one machine may share it; each counts its own hits and misses.
//! A clock that is set back between two runs lets what had expired, and wasn't swept, live again.
//!
//! **How large it gets.** [`Config::disk_bytes_max`] bounds the pages of the file that hold something;
//! when a write passes it, entries make room in the same transaction, those first whose last write is
//! the longest ago. (The memory cache looks at reads too; here every read would have to write.) Beside
//! that there may be 4 MiB of spare pages and a log of about 16 MiB. Expired entries are swept with
//! every write and every second; pages that become free go back to the disk in small steps.
//!
//! **Reservations** are in the file like the entries, so two daemons don't compute the same value
//! at one time either. Who waits for one of another process looks again ten times a second. A
//! reservation whose process was killed ends with its lease.
//!
//! **How it works.** One thread writes: it takes all calls that wait and does them in one transaction.
//! Two threads read, each a snapshot for all the calls that wait. A call that can't be answered, for
//! another process keeps the file or its disk is full, ends in [`Error::Unavailable`] within 15
//! seconds. All futures are safe to drop; a write may have happened by then.
//!
//! [`open`] has the checks of a file, [`schema`] the tables, [`lane`] the way from a call to its
//! thread, [`reader`], [`writer`] and [`flights`] what is asked of a connection, [`upkeep`] the sweep.

mod flights;
mod lane;
mod open;
mod reader;
mod schema;
mod upkeep;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_job::Clock;

use self::flights::{Asked, Bells};
use self::lane::Lane;
pub use self::open::OpenError;
use self::reader::{Reader, Seen};
use self::writer::Writer;
use crate::common::{Place, SteadyClock, Tally};
use crate::{
    Cache, Condition, Config, Cursor, Entry, Error, Key, Lookup, Page, Reservation, SetOptions,
    Space, Stats, Version,
};

/// Threads that read: a scan must not hold up every lookup.
const READERS: usize = 2;
/// Keys that a prefix clear takes at a time.
const CLEAR_ITEMS: usize = 256;
/// How often one who waits for a reservation looks whether another process has ended it: seldom enough
/// to cost nothing, and soon beside the time that anything worth caching takes.
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// The cache in one file of SQLite.
///
/// Dropping it waits until the last write is done and the file is closed.
pub struct SqliteCache {
    config: Config,
    path: Arc<PathBuf>,
    reader: Lane<Reader>,
    /// Behind the readers, so that it closes the file last and tidies its log up.
    writer: Lane<Writer>,
    bells: Bells,
    tally: Tally,
}

impl SqliteCache {
    /// The cache in this file, which is made if it isn't there, within these bounds; in it, it is as
    /// late as `clock` says. Needs a tokio runtime with its timer.
    ///
    /// # Errors
    /// [`OpenError`]; a file that was there is as it was, byte for byte.
    pub async fn open(
        path: impl AsRef<Path>,
        config: Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let other = |path, source| OpenError::Other { path, source };
        let full = std::path::absolute(&path).map_err(|error| other(path, error.into()))?;
        let file = full.clone();
        let opened = tokio::task::spawn_blocking(move || Self::open_now(full, config, clock)).await;
        opened.unwrap_or_else(|error| Err(other(file, error.into())))
    }

    fn open_now(path: PathBuf, config: Config, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let (writer, readers) = open::open(&path, READERS)?;
        let (path, clock) = (Arc::new(path), Arc::new(SteadyClock::new(clock)));
        let reader = |connection| Reader::new(connection, Arc::clone(&clock), Arc::clone(&path));
        let writer = Writer::new(reader(writer), config.disk_bytes_max);

        let start = |name: &str, serve: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(serve);
            let path = path.as_ref().clone();
            thread.map_err(|error| OpenError::Other { path, source: error.into() })
        };
        let (post, calls) = channel();
        let thread = start("cache-write", Box::new(move || writer.serve(&calls)))?;
        let writer = Lane::new(post, vec![thread]);
        let (post, calls) = channel();
        let calls = Arc::new(Mutex::new(calls));
        let threads = readers.into_iter().map(|connection| {
            let (reader, calls) = (reader(connection), Arc::clone(&calls));
            start("cache-read", Box::new(move || reader.serve(&calls)))
        });
        let threads: Vec<JoinHandle<()>> = threads.collect::<Result<_, _>>()?;
        let reader = Lane::new(post, threads);
        Ok(Self { config, path, writer, reader, bells: Bells::default(), tally: Tally::default() })
    }

    /// What is there, or what came of asking for the right to compute it.
    async fn look_or_ask(&self, place: &Place, lease: Duration) -> Result<Asked, Error> {
        let wanted = place.clone();
        match self.reader.ask(move |reader| reader.seen(&wanted)).await? {
            Seen::Value(value) => Ok(Asked::Value(value)),
            Seen::Reserved(left) => Ok(Asked::Busy(left)),
            Seen::Nothing => {
                let (wanted, post) = (place.clone(), self.writer.post());
                self.writer.ask(move |writer| writer.reserve(wanted, lease, post)).await
            }
        }
    }

    /// Asks, and asks again whenever a reservation has or may have ended.
    async fn wait_or_ask(
        &self,
        place: &Place,
        lease: Duration,
        wait: Duration,
    ) -> Result<Asked, Error> {
        let listener = self.bells.listen(place);
        // What rings while it is asked counts, too.
        let mut ring = listener.ring();
        // Once without a limit: who doesn't want to wait wants an answer all the same.
        let mut asked = self.look_or_ask(place, lease).await?;
        if wait.is_zero() {
            return Ok(asked);
        }
        let waiting = async {
            while let Asked::Busy(left) = asked {
                let _ = tokio::time::timeout(left.min(LOOK_PERIOD), ring).await;
                ring = listener.ring();
                asked = self.look_or_ask(place, lease).await?;
            }
            Ok(asked)
        };
        tokio::time::timeout(wait, waiting).await.unwrap_or(Ok(Asked::Busy(Duration::ZERO)))
    }
}

impl fmt::Debug for SqliteCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteCache").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Cache for SqliteCache {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Bytes>, Error> {
        let place = Place::new(space, key);
        let stored = self.reader.ask(move |reader| reader.stored(&place)).await?;
        self.tally.count(stored.is_some());
        Ok(stored.map(|stored| stored.value))
    }

    async fn get_entry(&self, space: &Space, key: &Key) -> Result<Option<Entry>, Error> {
        let place = Place::new(space, key);
        let entry = self.reader.ask(move |reader| reader.entry(&place)).await?;
        self.tally.count(entry.is_some());
        Ok(entry)
    }

    async fn exists(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        let place = Place::new(space, key);
        self.reader.ask(move |reader| reader.exists(&place)).await
    }

    async fn set(
        &self,
        space: &Space,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<bool, Error> {
        self.config.check_value(&value)?;
        let (place, SetOptions { ttl, condition }) = (Place::new(space, key), options);
        self.writer.ask(move |writer| writer.set(&place, &value, ttl, condition)).await
    }

    async fn compare_and_set(
        &self,
        space: &Space,
        key: &Key,
        expected: Option<Version>,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.config.check_value(&value)?;
        let place = Place::new(space, key);
        self.writer.ask(move |writer| writer.swap(&place, expected, &value, ttl)).await
    }

    async fn delete(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        let place = Place::new(space, key);
        self.writer.ask(move |writer| writer.remove(&place)).await
    }

    async fn touch(&self, space: &Space, key: &Key, ttl: Option<Duration>) -> Result<bool, Error> {
        let place = Place::new(space, key);
        self.writer.ask(move |writer| writer.touch(&place, ttl)).await
    }

    async fn increment(
        &self,
        space: &Space,
        key: &Key,
        delta: i64,
        ttl: Option<Duration>,
    ) -> Result<i64, Error> {
        let place = Place::new(space, key);
        self.writer.ask(move |writer| writer.increment(&place, delta, ttl)).await?
    }

    async fn get_many(&self, space: &Space, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        self.config.check_batch(keys.len())?;
        let (space, keys) = (space.clone(), keys.to_vec());
        let values = self.reader.ask(move |reader| reader.values(&space, &keys)).await?;
        values.iter().for_each(|value| self.tally.count(value.is_some()));
        Ok(values)
    }

    async fn set_many(
        &self,
        space: &Space,
        entries: Vec<(Key, Bytes)>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        self.config.check_batch(entries.len())?;
        entries.iter().try_for_each(|(_, value)| self.config.check_value(value))?;
        let space = space.clone();
        let set = move |writer: &mut Writer| {
            entries.iter().try_for_each(|(key, value)| {
                let place = Place::new(&space, key);
                writer.set(&place, value, ttl, Condition::Always).map(drop)
            })
        };
        self.writer.ask(set).await
    }

    async fn delete_many(&self, space: &Space, keys: &[Key]) -> Result<u64, Error> {
        self.config.check_batch(keys.len())?;
        let (space, keys) = (space.clone(), keys.to_vec());
        let delete = move |writer: &mut Writer| {
            keys.iter().try_fold(0, |deleted, key| {
                Ok(deleted + u64::from(writer.remove(&Place::new(&space, key))?))
            })
        };
        self.writer.ask(delete).await
    }

    async fn clear(&self, space: &Space, prefix: &str) -> Result<u64, Error> {
        let mut cleared = 0;
        let mut after: Option<String> = None;
        loop {
            let (space, prefix) = (space.clone(), prefix.to_owned());
            let clear = move |writer: &mut Writer| {
                writer.clear(&space, &prefix, after.as_deref(), CLEAR_ITEMS)
            };
            let (live, last) = self.writer.ask(clear).await?;
            cleared += live;
            if last.is_none() {
                return Ok(cleared);
            }
            after = last;
        }
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &str,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Error> {
        let limit = limit.clamp(1, self.config.batch_items_max);
        let (space, prefix) = (space.clone(), prefix.to_owned());
        let after = cursor.map(|Cursor(after)| after);
        let scan =
            move |reader: &mut Reader| reader.keys(&space, &prefix, after.as_deref(), limit + 1);
        let mut found = self.reader.ask(scan).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let cursor = found.last().filter(|_| more).map(|(last, _)| Cursor(last.clone()));
        let live = found.into_iter().filter(|(_, is_live)| *is_live);
        Ok(Page { keys: live.map(|(key, _)| key).collect(), cursor })
    }

    async fn get_or_reserve(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        wait: Duration,
    ) -> Result<Lookup, Error> {
        let place = Place::new(space, key);
        let lookup = match self.wait_or_ask(&place, lease, wait).await? {
            Asked::Value(value) => Lookup::Hit(value),
            Asked::Reserved(claim) => {
                let token = claim.take();
                Lookup::Reserved(Reservation { space: place.space, key: place.key, token })
            }
            Asked::Busy(_) => Lookup::Busy,
        };
        self.tally.count(matches!(lookup, Lookup::Hit(_)));
        Ok(lookup)
    }

    async fn fill(
        &self,
        reservation: Reservation,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        if let Err(error) = self.config.check_value(&value) {
            self.release(reservation).await?;
            return Err(error);
        }
        let Reservation { space, key, token } = reservation;
        let place = Arc::new(Place { space, key });
        let wanted = Arc::clone(&place);
        let filled =
            self.writer.ask(move |writer| writer.fill(&wanted, token, &value, ttl)).await?;
        self.bells.ring(&place);
        Ok(filled)
    }

    async fn release(&self, reservation: Reservation) -> Result<(), Error> {
        let Reservation { space, key, token } = reservation;
        let place = Arc::new(Place { space, key });
        let wanted = Arc::clone(&place);
        self.writer.ask(move |writer| writer.release(&wanted, token)).await?;
        self.bells.ring(&place);
        Ok(())
    }

    async fn stats(&self) -> Result<Stats, Error> {
        let (entries, bytes) = self.reader.ask(|reader| reader.totals()).await?;
        Ok(Stats {
            hits: self.tally.hits(),
            misses: self.tally.misses(),
            entries,
            bytes,
            backend: "sqlite",
            note: format!("entries are kept in {} and survive a restart", self.path.display()),
            round_trips: 0,
        })
    }
}
