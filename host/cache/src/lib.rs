//! What jobs remember: the contract that every cache keeps, and its back-ends.
//!
//! The cache knows nothing of guests and grants: whoever calls it has decided already which
//! [`Space`] a key belongs to. Values are raw bytes on every back-end; a version is a hash of the
//! content. Start with [`Cache`]; `tests/conformance` holds all back-ends to the same rules.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod common;
mod config;
mod contract;
mod error;
mod fallback;
mod memory;
pub mod redis;
mod sqlite;
mod types;

pub use config::Config;
pub use contract::Cache;
pub use error::Error;
pub use fallback::FallbackCache;
pub use memory::MemoryCache;
pub use redis::RedisCache;
pub use sqlite::{OpenError, SqliteCache};
pub use types::{
    Condition, Cursor, Entry, InvalidSpace, Key, Lookup, Page, Reservation, SetOptions, Space,
    Stats, Version,
};
