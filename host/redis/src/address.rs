//! Where a Redis server is.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionInfo, IntoConnectionInfo as _};

/// Where a Redis server is: `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS,
/// or `unix:///path/to/socket[?db=N&user=…&pass=…]`. It never shows its password.
#[derive(Clone)]
pub struct Address {
    info: ConnectionInfo,
    shown: String,
}

/// A text that is no address of a Redis server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is no address such as redis://127.0.0.1:6379/0: {reason}")]
pub struct InvalidAddress {
    shown: String,
    reason: String,
}

impl Address {
    /// What a client connects by.
    pub(crate) fn info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = without_password(text);
        match text.into_connection_info() {
            Ok(info) => Ok(Self { info, shown }),
            Err(error) => {
                let reason = error.detail().map_or_else(|| error.to_string(), str::to_owned);
                // The parser may have quoted what it was given.
                let reason = reason.replace(text, &shown);
                Err(InvalidAddress { shown, reason })
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
}

/// The text with `***` where a password may be: before the last `@`, and in `pass=`.
fn without_password(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let rest = match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split_once(':').map_or("", |(user, _)| user);
            format!("{user}:***@{place}")
        }
        None => rest.to_owned(),
    };
    let rest = match rest.split_once("pass=") {
        Some((before, after)) => {
            let others =
                after.split_once('&').map_or(String::new(), |(_, rest)| format!("&{rest}"));
            format!("{before}pass=***{others}")
        }
        None => rest,
    };
    if scheme.is_empty() { rest } else { format!("{scheme}://{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match text.parse::<Address>() {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(shown("redis://127.0.0.1:6379/3"), "redis://127.0.0.1:6379/3");
        assert_eq!(shown("redis://me:s3cr:t@host/1"), "redis://me:***@host/1");
        assert_eq!(shown("redis://:s3cret@host"), "redis://:***@host");
        assert_eq!(
            shown("unix:///run/redis.sock?pass=s3cret&db=2"),
            "unix:///run/redis.sock?pass=***&db=2"
        );
    }

    #[test]
    fn a_faulty_address_is_refused_without_telling_its_password() {
        for text in ["http://me:s3cret@host", "redis://me:s3cret@host/many", "s3cret@host", ""] {
            assert!(text.parse::<Address>().is_err(), "{text}");
            assert!(!shown(text).contains("s3cret"), "{}", shown(text));
        }
    }
}
