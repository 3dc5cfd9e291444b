//! Why a shelf couldn't do what it was asked.

use gristmill_job::{Digest, PluginName};
use gristmill_redis::ConnectError;

/// Why a shelf couldn't do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Its server can't be used just now.
    #[error("the fleet's plugins can't be had: {0}")]
    Unavailable(#[from] ConnectError),
    /// A part of a version is larger than it may be.
    #[error("the {what} has {bytes} bytes, and {max} may be put on the shelf")]
    TooLarge {
        /// `component`, or `manifest and description`.
        what: &'static str,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// It has no room for the version.
    #[error("the shelf is full: {0}; remove plugins that nobody needs")]
    Full(String),
    /// What is kept of a component is another.
    #[error(
        "the component of plugin {name} is damaged on the shelf: it should be {wanted}, and is {found}; \
         push it again"
    )]
    Damaged {
        /// The plugin.
        name: PluginName,
        /// The digest under which it is kept.
        wanted: Digest,
        /// The digest of what is there.
        found: Digest,
    },
    /// A version is listed, and a part of it isn't there or can't be read.
    #[error("plugin {name} {digest} is damaged on the shelf: {reason}; push it again")]
    Incomplete {
        /// The plugin.
        name: PluginName,
        /// The version.
        digest: Digest,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// Whether it is the server's state alone, and the same may go well in a moment.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
