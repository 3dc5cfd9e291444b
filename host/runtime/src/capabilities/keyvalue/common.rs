//! What both drafts of `wasi:keyvalue` have: opening stores, single values, listings and batches.

/// Implements it for one draft. The draft's file says besides what its cursor is, and how one is
/// read (`position`) and made (`pointing_at`).
macro_rules! implement_for {
    ($draft:ident) => {
        use wasmtime::component::Resource;

        use super::{Bucket, Refusal};
        use crate::bindings::cache::{Condition, Host as Cache};
        use crate::bindings::keyvalue::$draft::store::{Error, KeyResponse};
        use crate::bindings::keyvalue::$draft::{atomics, batch, store};
        use crate::state::State;

        type Answer<T> = wasmtime::Result<Result<T, Error>>;

        impl From<Refusal> for Error {
            fn from(refusal: Refusal) -> Self {
                match refusal {
                    Refusal::NoSuchStore => Self::NoSuchStore,
                    Refusal::AccessDenied => Self::AccessDenied,
                    Refusal::Other(text) => Self::Other(text),
                }
            }
        }

        impl store::Host for State {
            fn open(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
                Ok(self.open_store(identifier)?.map_err(Error::from))
            }
        }

        impl store::HostBucket for State {
            async fn get(
                &mut self,
                this: Resource<Bucket>,
                key: String,
            ) -> Answer<Option<Vec<u8>>> {
                let bucket = self.bucket(&this)?;
                let found = Cache::get(self, bucket, key).await?;
                Ok(self.reply(found).map_err(Error::from))
            }

            async fn set(
                &mut self,
                this: Resource<Bucket>,
                key: String,
                value: Vec<u8>,
            ) -> Answer<()> {
                let bucket = self.bucket(&this)?;
                let stored = Cache::set(self, bucket, key, value, None, Condition::Always).await?;
                Ok(self.reply(stored.map(drop)).map_err(Error::from))
            }

            async fn delete(&mut self, this: Resource<Bucket>, key: String) -> Answer<()> {
                let bucket = self.bucket(&this)?;
                let removed = Cache::delete(self, bucket, key).await?;
                Ok(self.reply(removed.map(drop)).map_err(Error::from))
            }

            async fn exists(&mut self, this: Resource<Bucket>, key: String) -> Answer<bool> {
                let bucket = self.bucket(&this)?;
                let found = Cache::exists(self, bucket, key).await?;
                Ok(self.reply(found).map_err(Error::from))
            }

            async fn list_keys(
                &mut self,
                this: Resource<Bucket>,
                cursor: Option<Cursor>,
            ) -> Answer<KeyResponse> {
                let cursor = match cursor.map(|cursor| position(self, cursor)).transpose() {
                    Ok(position) => position,
                    Err(refusal) => {
                        self.count_host_call()?;
                        return Ok(Err(refusal.into()));
                    }
                };
                Ok(match self.page(&this, cursor).await? {
                    Ok(page) => Ok(KeyResponse {
                        keys: page.keys,
                        cursor: page.cursor.map(|position| pointing_at(self, position)),
                    }),
                    Err(refusal) => Err(refusal.into()),
                })
            }

            async fn drop(&mut self, this: Resource<Bucket>) -> wasmtime::Result<()> {
                self.table.delete(this)?;
                Ok(())
            }
        }

        impl batch::Host for State {
            async fn get_many(
                &mut self,
                bucket: Resource<Bucket>,
                keys: Vec<String>,
            ) -> Answer<Vec<Option<(String, Vec<u8>)>>> {
                let bucket = self.bucket(&bucket)?;
                let found = Cache::get_many(self, bucket, keys.clone()).await?;
                let entries = found.map(|values| {
                    let entries = keys.into_iter().zip(values);
                    entries.map(|(key, value)| Some((key, value?))).collect()
                });
                Ok(self.reply(entries).map_err(Error::from))
            }

            async fn set_many(
                &mut self,
                bucket: Resource<Bucket>,
                entries: Vec<(String, Vec<u8>)>,
            ) -> Answer<()> {
                let bucket = self.bucket(&bucket)?;
                let stored = Cache::set_many(self, bucket, entries, None).await?;
                Ok(self.reply(stored).map_err(Error::from))
            }

            async fn delete_many(
                &mut self,
                bucket: Resource<Bucket>,
                keys: Vec<String>,
            ) -> Answer<()> {
                let bucket = self.bucket(&bucket)?;
                let removed = Cache::delete_many(self, bucket, keys).await?;
                Ok(self.reply(removed.map(drop)).map_err(Error::from))
            }
        }
    };
}
pub(super) use implement_for;
