//! What goes into a cache and comes out of it.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_job::{BucketName, InvalidName, PluginName};
use sha1_smol::Sha1;

use crate::{Config, Error};

/// Characters of a faulty text that its error shows.
const SHOWN_MAX: usize = 128;

/// A namespace: the entries of one never meet those of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// A plugin's own.
    Plugin(PluginName),
    /// A bucket that manifests share by name.
    Bucket(BucketName),
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No name can hold a colon, so no space's name makes up another's.
        match self {
            Self::Plugin(name) => write!(f, "plugin:{name}"),
            Self::Bucket(name) => write!(f, "bucket:{name}"),
        }
    }
}

/// A text that names no space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpace {
    /// It says of neither kind which it is.
    #[error("{0:?} names no part of the cache: write it as plugin:NAME or bucket:NAME")]
    Kind(String),
    /// The name can't be one.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl FromStr for Space {
    type Err = InvalidSpace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("plugin", name)) => Ok(Self::Plugin(name.parse()?)),
            Some(("bucket", name)) => Ok(Self::Bucket(name.parse()?)),
            _ => Err(InvalidSpace::Kind(text.chars().take(SHOWN_MAX).collect())),
        }
    }
}

/// A key: any bytes that are text, 1 to [`Config::key_bytes_max`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn new(text: &str, config: &Config) -> Result<Self, Error> {
        if text.is_empty() || text.len() > config.key_bytes_max {
            return Err(Error::InvalidKey { bytes: text.len(), max: config.key_bytes_max });
        }
        Ok(Self(text.into()))
    }

    /// A key that was within the bounds when it was stored.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// A version: a hash of an entry's content, opaque to whoever holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(pub u64);

impl Version {
    /// The version of an entry with this value: the first 52 bits of its SHA-1, the same on every
    /// back-end and machine. A server that compares versions by itself knows that hash alone; what
    /// could be gained by making two values of one version up is one's own lost update. 52 bits, since
    /// a guest in JavaScript has no whole numbers beyond 53.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let hash = Sha1::from(value).digest().bytes();
        let start = hash.iter().take(8).fold(0, |hash, &byte| (hash << 8) | u64::from(byte));
        Self(start >> 12)
    }

    /// The same as the start of a SHA-1 in hexadecimal digits.
    pub(crate) fn to_hex(self) -> String {
        format!("{:013x}", self.0)
    }
}

/// A value with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// For compare-and-set.
    pub version: Version,
    /// How long it will stay, if it expires.
    pub ttl: Option<Duration>,
}

/// When a `set` takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// Whatever is there.
    #[default]
    Always,
    /// Only where there is no entry.
    IfAbsent,
    /// Only where there is an entry.
    IfPresent,
}

/// How a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetOptions {
    /// How long the entry stays; until it is deleted or evicted, if not said.
    pub ttl: Option<Duration>,
    /// When the value is stored at all.
    pub condition: Condition,
}

/// Where a scan goes on; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A page of keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The keys.
    pub keys: Vec<String>,
    /// Where to go on; none: this was the last page.
    pub cursor: Option<Cursor>,
}

/// What a lookup with reservation found.
#[derive(Debug)]
pub enum Lookup {
    /// The value.
    Hit(Bytes),
    /// There is none, and the caller is the one to compute it.
    Reserved(Reservation),
    /// Somebody else is computing it, and wasn't done in time.
    Busy,
}

/// The right to fill one missing key, until its lease ends. It isn't given up by dropping it:
/// whoever holds it calls [`Cache::fill`](crate::Cache::fill) or
/// [`Cache::release`](crate::Cache::release).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The space of the key.
    pub space: Space,
    /// The key.
    pub key: Key,
    /// Tells this reservation from every other of the same key.
    pub token: u128,
}

/// What a cache has to say of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Lookups that found a value.
    pub hits: u64,
    /// Lookups that found none.
    pub misses: u64,
    /// Entries, as far as the back-end can tell.
    pub entries: u64,
    /// Bytes of keys and values, as far as the back-end can tell.
    pub bytes: u64,
    /// The back-end's name.
    pub backend: &'static str,
    /// What the back-end says of itself, in one line.
    pub note: String,
    /// Round trips to a server, of this process and so far; 0 where there is none.
    pub round_trips: u64,
}
