//! Redis, by the address that a user gives.

use std::sync::Arc;

use gristmill_queue::redis::{Address, ConnectError, InvalidAddress};
use gristmill_queue::{Config, Queue, RedisQueue};
use gristmill_shelf::{RedisShelf, Shelf};

/// Why Redis isn't used.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// That is no address of a Redis server.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// It must be used, and no address is given.
    #[error("Redis is required, and no address of a server is given")]
    Unsaid,
    /// The server can't be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// The shelf of a fleet's plugins on the Redis server at an address such as `redis://127.0.0.1:6379/0`. It
/// is connected to when it is first needed, on the async runtime that this is called on.
///
/// # Errors
/// [`RedisError::Address`], [`RedisError::Connect`].
pub fn shelf(url: &str) -> Result<Arc<dyn Shelf>, RedisError> {
    let address: Address = url.parse()?;
    Ok(Arc::new(RedisShelf::new(address)?))
}

/// The queue on the Redis server at an address such as `redis://127.0.0.1:6379/0`, connected on the
/// async runtime that this is called on.
///
/// # Errors
/// [`RedisError::Address`], [`RedisError::Connect`].
pub async fn queue(url: &str) -> Result<Arc<dyn Queue>, RedisError> {
    let address: Address = url.parse()?;
    Ok(Arc::new(RedisQueue::connect(address, Config::default()).await?))
}
