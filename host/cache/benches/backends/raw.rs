//! What the back-ends are built on, without them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use rusqlite::Connection;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::{ENTRIES, entry_key, value};

/// The map of the memory cache, and the plainest way to compute a value once.
pub(crate) struct RawMap {
    map: moka::sync::Cache<String, Bytes>,
    cells: Arc<Mutex<HashMap<String, Arc<OnceCell<Bytes>>>>>,
}

impl RawMap {
    pub(crate) fn new() -> Self {
        let map = moka::sync::Cache::new(u64::MAX);
        (0..ENTRIES).for_each(|number| map.insert(entry_key(number), value()));
        Self { map, cells: Arc::default() }
    }

    pub(crate) fn get_many(&self, keys: &[String]) {
        let values: Vec<Option<Bytes>> = keys.iter().map(|key| self.map.get(key)).collect();
        assert!(values.iter().all(Option::is_some), "all of them are there");
    }

    pub(crate) async fn compute_once(&self, callers: usize) {
        let mut waiting = JoinSet::new();
        for _ in 0..callers {
            let cells = Arc::clone(&self.cells);
            waiting.spawn(async move {
                let cell = {
                    let mut cells = cells.lock().expect("no panic");
                    Arc::clone(cells.entry("wanted".to_owned()).or_default())
                };
                let compute = async || {
                    tokio::task::yield_now().await;
                    value()
                };
                cell.get_or_init(compute).await.clone()
            });
        }
        waiting.join_all().await;
        self.cells.lock().expect("no panic").clear();
    }
}

/// A server, spoken to by its client alone.
pub(crate) struct RawServer(MultiplexedConnection);

impl RawServer {
    pub(crate) async fn new(url: &str) -> Self {
        let client = redis::Client::open(url).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let mut all = redis::cmd("MSET");
        (0..ENTRIES).for_each(|number| {
            all.arg(entry_key(number)).arg(&value()[..]);
        });
        all.exec_async(&mut connection).await.expect("they are stored");
        Self(connection)
    }

    pub(crate) async fn get_many(&self, keys: &[String]) {
        let mut connection = self.0.clone();
        let values: Vec<Option<Vec<u8>>> =
            redis::cmd("MGET").arg(keys).query_async(&mut connection).await.expect("an answer");
        assert!(values.iter().all(Option::is_some), "all of them are there");
    }
}

/// A file, read on the spot.
pub(crate) struct RawFile(Connection);

impl RawFile {
    pub(crate) fn new(path: &Path) -> Self {
        let mut connection = Connection::open(path).expect("a file");
        connection.pragma_update(None, "journal_mode", "wal").expect("a log");
        connection
            .execute_batch("CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB) STRICT")
            .expect("a table");
        let all = connection.transaction().expect("a transaction");
        for number in 0..ENTRIES {
            all.prepare_cached("INSERT INTO entries VALUES (?1, ?2)")
                .and_then(|mut insert| insert.execute((entry_key(number), &value()[..])))
                .expect("it is stored");
        }
        all.commit().expect("they are stored");
        Self(connection)
    }

    pub(crate) fn get_many(&mut self, keys: &[String]) {
        let reading = self.0.transaction().expect("a transaction");
        let mut select = reading
            .prepare_cached("SELECT value FROM entries WHERE key = ?1")
            .expect("a statement");
        let values: Vec<Vec<u8>> = keys
            .iter()
            .map(|key| select.query_row([key], |row| row.get(0)).expect("it is there"))
            .collect();
        assert_eq!(values.len(), keys.len());
    }
}
