//! The cache in one file, each in a folder of its own.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gristmill_cache::{Cache, Config, SqliteCache};
use gristmill_conformance::cache::CacheBackend;
use gristmill_conformance::{Fixed, Time};
use tempfile::TempDir;

/// Caches in folders that stay as long as this.
#[derive(Default)]
pub(crate) struct Sqlite {
    folders: Mutex<Vec<TempDir>>,
}

#[async_trait]
impl CacheBackend for Sqlite {
    async fn open(&self, config: Config) -> (Arc<dyn Cache>, Arc<dyn Time>) {
        let folder = tempfile::tempdir().unwrap();
        let time = Fixed::default();
        let path = folder.path().join("cache.sqlite");
        let cache = SqliteCache::open(path, config, Arc::clone(&time.0) as _).await.unwrap();
        self.folders.lock().unwrap().push(folder);
        (Arc::new(cache), Arc::new(time))
    }
}
