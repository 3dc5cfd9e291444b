//! What every back-end does.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Cursor, Entry, Error, Key, Lookup, Page, Reservation, SetOptions, Space, Stats, Version,
};

/// A cache: byte values under keys, in spaces that don't see each other, with times to live.
///
/// An expired entry is never returned, whether it was swept yet or not. Every call ends in bounded
/// time; after an [`Error::Unavailable`] a write may or may not have happened.
#[async_trait]
pub trait Cache: Send + Sync + 'static {
    /// The value under a key.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Bytes>, Error>;

    /// The value under a key with its version and time to live.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn get_entry(&self, space: &Space, key: &Key) -> Result<Option<Entry>, Error>;

    /// Whether there is an entry. Counts as neither hit nor miss.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn exists(&self, space: &Space, key: &Key) -> Result<bool, Error>;

    /// Stores a value; false: the condition didn't hold.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Unavailable`].
    async fn set(
        &self,
        space: &Space,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<bool, Error>;

    /// Stores a value if the entry has this version still (none: if there is no entry); false: it
    /// had changed. The version is of the content: an entry that was changed and changed back has
    /// its old one.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Unavailable`].
    async fn compare_and_set(
        &self,
        space: &Space,
        key: &Key,
        expected: Option<Version>,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error>;

    /// Removes an entry; false: there was none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn delete(&self, space: &Space, key: &Key) -> Result<bool, Error>;

    /// Gives an entry a new time to live, or none; false: there is no entry.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn touch(&self, space: &Space, key: &Key, ttl: Option<Duration>) -> Result<bool, Error>;

    /// Adds to a decimal number, starting from 0, and answers the sum; `ttl` is set only when this
    /// creates the entry.
    ///
    /// # Errors
    /// [`Error::NotANumber`] where something else is stored, or the sum doesn't fit an `i64`;
    /// [`Error::Unavailable`].
    async fn increment(
        &self,
        space: &Space,
        key: &Key,
        delta: i64,
        ttl: Option<Duration>,
    ) -> Result<i64, Error>;

    /// The values under keys, in their order.
    ///
    /// # Errors
    /// [`Error::TooMany`] above [`Config::batch_items_max`](crate::Config);
    /// [`Error::Unavailable`].
    async fn get_many(&self, space: &Space, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error>;

    /// Stores entries; others may see some before the rest.
    ///
    /// # Errors
    /// [`Error::TooMany`]; [`Error::TooLarge`], and then nothing is stored; [`Error::Unavailable`].
    async fn set_many(
        &self,
        space: &Space,
        entries: Vec<(Key, Bytes)>,
        ttl: Option<Duration>,
    ) -> Result<(), Error>;

    /// Removes entries and answers how many there were.
    ///
    /// # Errors
    /// [`Error::TooMany`]; [`Error::Unavailable`].
    async fn delete_many(&self, space: &Space, keys: &[Key]) -> Result<u64, Error>;

    /// Removes the entries whose keys start with `prefix` and answers how many there were. Others
    /// may see it half done.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn clear(&self, space: &Space, prefix: &str) -> Result<u64, Error>;

    /// Keys that start with `prefix`, a page at a time, in no particular order. An entry that is
    /// there from the first page to the last is listed at least once.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn scan(
        &self,
        space: &Space,
        prefix: &str,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Error>;

    /// The value under a key, or the right to be the only one who computes it, for `lease` at most.
    /// Waits up to `wait` while somebody else has that right. Safe to drop.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn get_or_reserve(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        wait: Duration,
    ) -> Result<Lookup, Error>;

    /// Stores the value that a reservation was for, and ends it; false: the reservation had been
    /// lost in the meantime, and nothing was stored.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and the reservation is released; [`Error::Unavailable`].
    async fn fill(
        &self,
        reservation: Reservation,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error>;

    /// Gives a reservation up, so that the next caller may compute the value.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it ends with its lease.
    async fn release(&self, reservation: Reservation) -> Result<(), Error>;

    /// What the cache has to say of itself.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn stats(&self) -> Result<Stats, Error>;
}
