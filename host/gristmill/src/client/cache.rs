//! The daemon's cache.

use std::time::Duration;

use bytes::Bytes;
use gristmill_api::{CacheView, ClearedView, Kind};
use gristmill_cache::Space;
use reqwest::{Method, RequestBuilder, Response};

use super::{Client, Error};

impl Client {
    /// What the cache says of itself.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cache_stats(&self) -> Result<CacheView, Error> {
        self.look("/v1/cache").await
    }

    /// The value under a key.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cache_get(&self, space: &Space, key: &str) -> Result<Option<Bytes>, Error> {
        let request = self.entry(Method::GET, space, key);
        let Some(response) = self.found(request).await? else { return Ok(None) };
        response.bytes().await.map(Some).map_err(|error| self.unreachable(&error))
    }

    /// Stores a value, for so long.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cache_set(
        &self,
        space: &Space,
        key: &str,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        let ttl = ttl.map(|ttl| ("ttl", format!("{}ms", ttl.as_millis())));
        let request = self.entry(Method::PUT, space, key).query(ttl.as_slice()).body(value);
        let response = self.send(request, Duration::ZERO).await?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(self.problem(response).await),
        }
    }

    /// Removes an entry; false: there was none.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cache_delete(&self, space: &Space, key: &str) -> Result<bool, Error> {
        let request = self.entry(Method::DELETE, space, key);
        Ok(self.found(request).await?.is_some())
    }

    /// Removes the entries whose keys begin so, and answers how many there were.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cache_clear(&self, space: &Space, prefix: &str) -> Result<u64, Error> {
        let query = [("space", space.to_string()), ("prefix", prefix.to_owned())];
        let request = self.http.delete(self.url("/v1/cache")).query(&query);
        let view: ClearedView = self.read(self.send(request, Duration::ZERO).await?).await?;
        Ok(view.cleared)
    }

    fn entry(&self, method: Method, space: &Space, key: &str) -> RequestBuilder {
        let query = [("space", space.to_string()), ("key", key.to_owned())];
        self.http.request(method, self.url("/v1/cache/entry")).query(&query)
    }

    /// The answer, unless it is that there is no such entry.
    async fn found(&self, request: RequestBuilder) -> Result<Option<Response>, Error> {
        let response = self.send(request, Duration::ZERO).await?;
        if response.status().is_success() {
            return Ok(Some(response));
        }
        match self.problem(response).await {
            Error::Refused(problem) if problem.is(Kind::UnknownEntry) => Ok(None),
            error => Err(error),
        }
    }
}
