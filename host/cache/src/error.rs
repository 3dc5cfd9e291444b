//! Why a cache couldn't do what it was asked.

use gristmill_redis::ConnectError;

/// Why a cache couldn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is empty or too long.
    #[error("a key of {bytes} bytes is not within 1 to {max}")]
    InvalidKey {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// The value is too large.
    #[error("a value of {bytes} bytes is more than {max}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// The batch is too large.
    #[error("a batch of {items} keys is more than {max}")]
    TooMany {
        /// How many it holds.
        items: usize,
        /// How many it may hold.
        max: usize,
    },
    /// What is stored is no decimal number, or the sum doesn't fit.
    #[error("the entry holds no number that this could be added to")]
    NotANumber,
    /// The back-end can't be reached, or didn't answer.
    #[error("the cache can't be reached")]
    Unavailable(#[source] anyhow::Error),
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Unavailable(error.into())
    }
}
