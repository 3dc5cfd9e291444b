//! `wasi:keyvalue@0.2.0-draft2`: its cursors are texts, counters have a sign, and there is a
//! compare-and-set.

use super::Cas;
use crate::bindings::keyvalue::draft2::atomics::CasError;

super::common::implement_for!(draft2);

type Cursor = String;

fn position(_state: &State, cursor: Cursor) -> Result<String, Refusal> {
    Ok(cursor)
}

fn pointing_at(_state: &mut State, position: String) -> Cursor {
    position
}

impl atomics::Host for State {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Answer<i64> {
        Ok(self.add(&bucket, key, delta).await?.map_err(Error::from))
    }

    async fn swap(
        &mut self,
        cas: Resource<Cas>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), CasError>> {
        let Cas { bucket, key, version } = self.table.delete(cas)?;
        let (in_bucket, at) = (bucket.clone(), key.clone());
        let swapped = Cache::compare_and_set(self, in_bucket, at, version, value, None).await?;
        Ok(match self.reply(swapped) {
            Ok(true) => Ok(()),
            Ok(false) => Err(match self.remember(bucket, key).await? {
                Ok(cas) => CasError::CasFailed(cas),
                Err(refusal) => CasError::StoreError(refusal.into()),
            }),
            Err(refusal) => Err(CasError::StoreError(refusal.into())),
        })
    }
}

impl atomics::HostCas for State {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Resource<Cas>> {
        let bucket = self.bucket(&bucket)?;
        Ok(self.remember(bucket, key).await?.map_err(Error::from))
    }

    async fn current(&mut self, this: Resource<Cas>) -> Answer<Option<Vec<u8>>> {
        let Cas { bucket, key, .. } = self.table.get(&this)?;
        let (bucket, key) = (bucket.clone(), key.clone());
        let found = Cache::get(self, bucket, key).await?;
        Ok(self.reply(found).map_err(Error::from))
    }

    async fn drop(&mut self, this: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl State {
    /// A handle on what an entry is now. It keeps the version alone: values are the cache's to
    /// keep, and a thousand handles must not hold a thousand of them.
    async fn remember(&mut self, bucket: String, key: String) -> super::Answer<Resource<Cas>> {
        let entry = Cache::get_entry(self, bucket.clone(), key.clone()).await?;
        Ok(match self.reply(entry) {
            Ok(entry) => {
                let version = entry.map(|entry| entry.version);
                Ok(self.table.push(Cas { bucket, key, version })?)
            }
            Err(refusal) => Err(refusal),
        })
    }
}
