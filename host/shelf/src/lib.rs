//! Where a fleet's plugins are kept, for all workers to fetch.
//!
//! A [`Shelf`] has components by their digest, and of each plugin which versions there are, the one
//! that serves first. What a manifest or a description means is the business of whoever puts them
//! there and takes them out; here they are texts. [`RedisShelf`] keeps them on a Redis server.
//! `docs/redis.md` names the keys, `docs/plugins.md` says what workers do with it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod contract;
mod error;
pub mod limits;
pub mod redis;

pub use contract::{About, Listing, Release, Shelf, Shelved, Version};
pub use error::Error;
pub use redis::RedisShelf;
