//! Many entries at a time.

use std::{collections::VecDeque, time::Duration};

use serde::de::DeserializeOwned;

use super::{Cache, encode, typed};
use crate::{
    HostError, ToPayload,
    host::{Active, Host as _},
};

/// How many keys go into one call of the host.
const BATCH_MAX: usize = 256;

impl<'a> Cache<'a> {
    /// The values under many keys, in the order of the keys.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("a", &1)?;
    /// assert_eq!(ctx.cache().get_many::<u32>(&["a", "b"])?, [Some(1), None]);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn get_many<T: DeserializeOwned + 'static>(
        &self,
        keys: &[impl AsRef<str>],
    ) -> Result<Vec<Option<T>>, HostError> {
        let mut values = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH_MAX) {
            let batch = owned(batch);
            for (key, value) in batch.iter().zip(self.host.get_many(&self.bucket, &batch)?) {
                values.push(value.map(|data| typed(key, data)).transpose()?);
            }
        }
        Ok(values)
    }

    /// Stores many entries. Not one step: others may see some before the rest, and an error may
    /// leave some stored.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set_many(&[("a", 1), ("b", 2)], None)?;
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn set_many<T: ToPayload>(
        &self,
        entries: &[(impl AsRef<str>, T)],
        ttl: Option<Duration>,
    ) -> Result<(), HostError> {
        for batch in entries.chunks(BATCH_MAX) {
            let encoded: Result<Vec<_>, HostError> = batch
                .iter()
                .map(|(key, value)| Ok((key.as_ref().to_owned(), encode(key.as_ref(), value)?)))
                .collect();
            self.host.set_many(&self.bucket, &encoded?, ttl)?;
        }
        Ok(())
    }

    /// Removes many entries and answers how many there were.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("a", &1)?;
    /// assert_eq!(ctx.cache().delete_many(&["a", "b"])?, 1);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn delete_many(&self, keys: &[impl AsRef<str>]) -> Result<u64, HostError> {
        keys.chunks(BATCH_MAX).map(|batch| self.host.delete_many(&self.bucket, &owned(batch))).sum()
    }

    /// Removes all entries whose keys start with a prefix and answers how many there were.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set_many(&[("page:1", "…"), ("page:2", "…"), ("icon", "…")], None)?;
    /// assert_eq!(ctx.cache().clear("page:")?, 2);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn clear(&self, prefix: &str) -> Result<u64, HostError> {
        self.host.clear(&self.bucket, prefix)
    }

    /// The keys that start with a prefix, in no particular order, read page by page. An entry that
    /// is there from the first page to the last is listed; a key may come twice.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("page:1", "…")?;
    /// let keys: Vec<String> = ctx.cache().scan("page:").collect::<Result<_, _>>()?;
    /// assert_eq!(keys, ["page:1"]);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn scan(&self, prefix: &str) -> Scan<'a> {
        Scan {
            host: self.host,
            bucket: self.bucket.clone(),
            prefix: prefix.to_owned(),
            page: VecDeque::new(),
            next: Next::First,
        }
    }
}

/// The keys that [`Cache::scan`] finds; ends after an error.
pub struct Scan<'a> {
    host: &'a Active,
    bucket: String,
    prefix: String,
    page: VecDeque<String>,
    next: Next,
}

/// Which page comes next.
enum Next {
    First,
    From(String),
    None,
}

impl Iterator for Scan<'_> {
    type Item = Result<String, HostError>;

    fn next(&mut self) -> Option<Result<String, HostError>> {
        while self.page.is_empty() {
            let cursor = match std::mem::replace(&mut self.next, Next::None) {
                Next::First => None,
                Next::From(cursor) => Some(cursor),
                Next::None => return None,
            };
            let limit = BATCH_MAX as u32;
            match self.host.scan(&self.bucket, &self.prefix, cursor.as_deref(), limit) {
                Ok((keys, cursor)) => {
                    self.page = keys.into();
                    self.next = cursor.map_or(Next::None, Next::From);
                }
                Err(error) => return Some(Err(error)),
            }
        }
        self.page.pop_front().map(Ok)
    }
}

fn owned(keys: &[impl AsRef<str>]) -> Vec<String> {
    keys.iter().map(|key| key.as_ref().to_owned()).collect()
}
