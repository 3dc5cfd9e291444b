//! Why a server can't be used, or doesn't answer.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::Address;

/// Why a server can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answers there.
    #[error("Redis at {address} can't be reached: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// User or password are wrong or missing.
    #[error(
        "Redis at {address} refuses the login: {reason}; check user and password in the address"
    )]
    Login {
        /// Where.
        address: String,
        /// What the server says.
        reason: String,
    },
    /// It is a replica that takes no writes.
    #[error("Redis at {address} is a read-only replica; use its primary")]
    ReadOnly {
        /// Where.
        address: String,
    },
    /// Its keys were written by a later version.
    #[error(
        "the keys of Redis at {address} are of schema {found}, and this version knows {known}; \
         use a later version, or another prefix"
    )]
    Schema {
        /// Where.
        address: String,
        /// The schema of the keys.
        found: String,
        /// The one that this version knows.
        known: u64,
    },
    /// Its memory is full.
    #[error(
        "Redis at {address} has no memory left (maxmemory), and may evict nothing: give it more, or \
         let jobs come to their end"
    )]
    Full {
        /// Where.
        address: String,
    },
    /// It answers, but not as it should.
    #[error("Redis at {address} can't be used: {reason}")]
    Unusable {
        /// Where.
        address: String,
        /// What it answered.
        reason: String,
    },
}

/// Why a command has no answer.
pub(crate) enum Fault {
    Connect(ConnectError),
    Answer(RedisError),
}

impl Fault {
    pub(crate) fn is(&self, kind: ServerErrorKind) -> bool {
        matches!(self, Self::Answer(error) if error.kind() == ErrorKind::Server(kind))
    }
}

/// Whether the connection is of no use any more, or leads to a server that is none.
pub(crate) fn is_of_the_connection(error: &RedisError) -> bool {
    let kind = error.kind();
    // After a failover the old primary refuses writes: the name may lead to the new one by now.
    let is_wrong_server = matches!(kind, ErrorKind::Server(ServerErrorKind::ReadOnly));
    error.is_io_error() || error.is_timeout() || kind == ErrorKind::Parse || is_wrong_server
}

/// An error as users should hear of it.
#[must_use]
pub fn blame(address: &Address, error: &RedisError) -> ConnectError {
    let address = address.to_string();
    let reason = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
            ConnectError::Login { address, reason }
        }
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => ConnectError::ReadOnly { address },
        // It will be there again in a moment.
        (ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown), _)
        | (_, Some("BUSY")) => ConnectError::Unreachable { address, reason: error.to_string() },
        (ErrorKind::Io, _) => ConnectError::Unreachable { address, reason: error.to_string() },
        (_, Some("OOM")) => ConnectError::Full { address },
        _ => ConnectError::Unusable { address, reason: error.to_string() },
    }
}
