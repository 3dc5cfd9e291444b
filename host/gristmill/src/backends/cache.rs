//! Which cache a host uses.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use gristmill_cache::redis::{Address, ConnectError, InvalidAddress};
use gristmill_cache::{Cache, Config, MemoryCache, OpenError, RedisCache, SqliteCache};
use gristmill_job::Clock;

/// The file of the cache in a host's state folder.
const STATE_FILE: &str = "cache.sqlite";

/// Where the cache is: `memory:`, `sqlite:PATH`, or the address of a Redis server.
#[derive(Debug, Clone)]
pub enum CacheUrl {
    /// In this process.
    Memory,
    /// In this file.
    Sqlite(PathBuf),
    /// On this server.
    Redis(Box<Address>),
}

/// A text that says of no cache where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCacheUrl {
    /// No file is named.
    #[error("\"sqlite:\" names no file: write it as sqlite:PATH")]
    NoFile,
    /// It is of another kind.
    #[error("it is neither memory:, sqlite:PATH nor the address of a Redis server: {0}")]
    Other(#[from] InvalidAddress),
}

impl FromStr for CacheUrl {
    type Err = InvalidCacheUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", "")) => Err(InvalidCacheUrl::NoFile),
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            _ => Ok(Self::Redis(Box::new(text.parse()?))),
        }
    }
}

impl fmt::Display for CacheUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Redis(address) => address.fmt(f),
        }
    }
}

/// Why a cache can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file can't.
    #[error(transparent)]
    File(#[from] OpenError),
    /// The server can't.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

impl CacheUrl {
    /// Opens the cache, on the async runtime that this is called on.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn open(
        &self,
        config: Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Cache>, CacheError> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryCache::new(config, clock)),
            Self::Sqlite(path) => Arc::new(SqliteCache::open(path, config, clock).await?),
            Self::Redis(address) => {
                Arc::new(RedisCache::connect((**address).clone(), config).await?)
            }
        })
    }

    /// What takes the place of a server that isn't there: a file, where there is a folder for it.
    pub(super) fn standby(state_dir: Option<&Path>) -> Self {
        state_dir.map_or(Self::Memory, |dir| Self::Sqlite(dir.join(STATE_FILE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_cache_has_its_form() {
        let shown = |text: &str| match text.parse::<CacheUrl>() {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        };
        for text in ["memory:", "sqlite:/var/lib/cache.db", "sqlite:a b", "redis://127.0.0.1/2"] {
            assert_eq!(shown(text), text);
        }
        assert!(shown("sqlite:").contains("names no file"));
        assert!(shown("memory:x").contains("neither memory:"));
        let wrong = shown("http://me:s3cret@host");
        assert!(wrong.contains("neither memory:") && !wrong.contains("s3cret"), "{wrong}");
    }
}
