//! What a shelf does, whatever keeps it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_job::{Digest, PluginName};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::Error;

/// What is said of a version beside its component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The manifest's text, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// What the plugin offers, in a form that whoever put it there understands.
    pub description: String,
}

/// A version of a plugin to be put on the shelf.
#[derive(Debug, Clone)]
pub struct Release {
    /// The plugin.
    pub name: PluginName,
    /// Its component.
    pub component: Bytes,
    /// The rest of it.
    pub about: About,
}

/// A version of a plugin as it was fetched: whole, and of the digest that was asked for.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its component.
    pub component: Bytes,
    /// The rest of it.
    pub about: About,
}

/// A version that is there. The same component with another manifest has another serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelved {
    /// The component's digest.
    pub digest: Digest,
    /// When it was put there: which of all changes of the shelf it was.
    pub serial: u64,
}

/// All that is on the shelf, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// How often the shelf was changed so far; less than before, if it has lost what it had.
    pub serial: u64,
    /// The versions of each plugin, the one that serves first.
    pub plugins: BTreeMap<PluginName, Vec<Shelved>>,
}

impl Listing {
    /// The version of a plugin that serves.
    #[must_use]
    pub fn current(&self, name: &PluginName) -> Option<Shelved> {
        self.plugins.get(name)?.first().copied()
    }
}

/// Where a fleet's plugins are kept.
///
/// A version is there whole or not at all. All calls may be repeated.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// Puts a version there, which serves from now on; the oldest one goes where there are more than
    /// [`VERSIONS_MAX`](crate::limits::VERSIONS_MAX).
    ///
    /// # Errors
    /// [`Error`]; then nothing was changed, or, where the server can't be reached, perhaps all.
    async fn publish(&self, release: &Release) -> Result<Shelved, Error>;

    /// Takes all versions of a plugin away; false: there were none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn remove(&self, name: &PluginName) -> Result<bool, Error>;

    /// All that is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn list(&self) -> Result<Listing, Error>;

    /// The versions of one plugin, the one that serves first; none, if it isn't there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn versions(&self, name: &PluginName) -> Result<Vec<Shelved>, Error>;

    /// What is said of a version; none, if it isn't there.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Incomplete`].
    async fn about(&self, name: &PluginName, digest: Digest) -> Result<Option<About>, Error>;

    /// A version; none, if it isn't there.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Incomplete`], [`Error::Damaged`].
    async fn fetch(&self, name: &PluginName, digest: Digest) -> Result<Option<Version>, Error>;

    /// Counts what is heard of changes. It is a hint: some may be lost, and what is counted may
    /// have changed nothing.
    fn changes(&self) -> watch::Receiver<u64>;
}
