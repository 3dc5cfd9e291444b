//! Which part of the cache a call is about, and whether it may be made: grant, key and budget.
//!
//! Every interface that reaches the cache comes through here, so that no back-end and no other
//! interface can forget it.

use gristmill_cache::{self as cache, Key, Space};
use gristmill_job::BucketName;

use super::cache::said;
use crate::bindings::types::Error;
use crate::grants::Access;
use crate::state::State;

/// What a host call answers: the outer error ends the attempt, the inner one is the guest's to
/// handle.
pub(super) type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// Ends a host call with the guest's error.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        }
    };
}
pub(super) use attempt;

impl State {
    /// The space that a bucket's name means, if this much may be done in it. The empty name is the
    /// plugin's own.
    pub(super) fn space(&self, bucket: &str, wanted: Access) -> Result<Space, Error> {
        if bucket.is_empty() {
            return Ok(Space::Plugin(self.plugin.name().clone()));
        }
        let bucket = BucketName::new(bucket).map_err(|e| Error::Invalid(e.to_string()))?;
        let granted = self.plugin.grants().cache.get(&bucket);
        if granted.is_some_and(|granted| *granted >= wanted) {
            return Ok(Space::Bucket(bucket));
        }
        let is = match granted {
            Some(granted) => format!("granted to this plugin as {granted}"),
            None => "not granted to this plugin".to_owned(),
        };
        let plugin = self.plugin.name();
        Err(Error::AccessDenied(format!(
            "the bucket {bucket:?} is {is}; what this needs is {bucket:?} = \"{wanted}\" under \
             [grants.cache] in its manifest, {plugin}.toml"
        )))
    }

    /// Counts a call on one key, and checks grant, key and budget.
    pub(super) fn admit(
        &mut self,
        bucket: &str,
        wanted: Access,
        key: &str,
        bytes: usize,
    ) -> Answer<(Space, Key)> {
        self.count_host_call()?;
        let space = attempt!(self.space(bucket, wanted));
        let key = attempt!(Key::new(key, &self.shared.cache_config).map_err(said));
        let bytes = (key.as_str().len() + bytes) as u64;
        attempt!(self.budget.take_cache(&self.limits, 1, bytes));
        Ok(Ok((space, key)))
    }

    /// The same for a batch, in which each key is an operation.
    pub(super) fn admit_many(
        &mut self,
        bucket: &str,
        wanted: Access,
        keys: &[String],
        bytes: usize,
    ) -> Answer<(Space, Vec<Key>)> {
        self.count_host_call()?;
        let space = attempt!(self.space(bucket, wanted));
        let config = &self.shared.cache_config;
        if keys.len() > config.batch_items_max {
            let too_many = cache::Error::TooMany { items: keys.len(), max: config.batch_items_max };
            return Ok(Err(said(too_many)));
        }
        let parsed: Result<Vec<Key>, _> = keys.iter().map(|key| Key::new(key, config)).collect();
        let parsed = attempt!(parsed.map_err(said));
        let bytes = (keys.iter().map(String::len).sum::<usize>() + bytes) as u64;
        attempt!(self.budget.take_cache(&self.limits, parsed.len() as u64, bytes));
        Ok(Ok((space, parsed)))
    }

    /// The same for all keys with a prefix, which is one operation.
    pub(super) fn admit_prefix(
        &mut self,
        bucket: &str,
        wanted: Access,
        prefix: &str,
    ) -> Answer<Space> {
        self.count_host_call()?;
        let space = attempt!(self.space(bucket, wanted));
        attempt!(self.budget.take_cache(&self.limits, 1, prefix.len() as u64));
        Ok(Ok(space))
    }
}
