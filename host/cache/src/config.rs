//! The bounds of a cache.

use bytes::Bytes;

use crate::Error;

/// The bounds of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// A key: room for a hash and a few words; longer ones should be hashed.
    pub key_bytes_max: usize,
    /// A value: a cache of references and small results, not of files.
    pub value_bytes_max: usize,
    /// Keys in one batch: a batch is one round trip.
    pub batch_items_max: usize,
    /// Keys and values in memory together; above it the least useful entries are evicted.
    pub memory_bytes_max: u64,
    /// What a back-end on a disk may fill of it, its indexes included; above it the entries that were
    /// written the longest ago are evicted.
    pub disk_bytes_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            key_bytes_max: 512,
            value_bytes_max: 1 << 20,
            batch_items_max: 256,
            memory_bytes_max: 256 << 20,
            disk_bytes_max: 1 << 30,
        }
    }
}

impl Config {
    pub(crate) fn check_value(&self, value: &Bytes) -> Result<(), Error> {
        let (bytes, max) = (value.len(), self.value_bytes_max);
        if bytes > max { Err(Error::TooLarge { bytes, max }) } else { Ok(()) }
    }

    pub(crate) fn check_batch(&self, items: usize) -> Result<(), Error> {
        let max = self.batch_items_max;
        if items > max { Err(Error::TooMany { items, max }) } else { Ok(()) }
    }
}
