//! The cache over HTTP: entries, prefixes, statistics.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gristmill_cache::{Key, SetOptions, Space, Stats};
use gristmill_job::media;
use gristmill_job::time::parse_duration;
use serde::{Deserialize, Serialize};

use crate::jobs::unreadable_body;
use crate::parameters::{self, parse};
use crate::problem::{Kind, Problem};
use crate::queues::ClearedView;
use crate::routes::Front;

/// What the cache says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheView {
    /// Its back-end.
    pub backend: String,
    /// What a user should know of it.
    pub note: String,
    /// Lookups that found a value.
    pub hits: u64,
    /// Lookups that found none.
    pub misses: u64,
    /// The part of the lookups that found a value, from 0 to 1; `null` before the first lookup.
    pub hit_ratio: Option<f64>,
    /// Entries, as far as the back-end can tell.
    pub entries: u64,
    /// Bytes of keys and values, as far as the back-end can tell.
    pub bytes: u64,
}

impl From<Stats> for CacheView {
    fn from(stats: Stats) -> Self {
        let Stats { hits, misses, entries, bytes, backend, note, .. } = stats;
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let hit_ratio = (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64);
        Self { backend: backend.to_owned(), note, hits, misses, hit_ratio, entries, bytes }
    }
}

/// An entry: `space` is `plugin:NAME` or `bucket:NAME`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryQuery {
    space: String,
    key: String,
    ttl: Option<String>,
}

impl EntryQuery {
    fn place(&self, front: &Front) -> Result<(Space, Key), Problem> {
        let key = Key::new(&self.key, &front.desk.cache_config);
        let key = key.map_err(|error| Problem::from(error).field("key"))?;
        Ok((parse("space", &self.space)?, key))
    }
}

pub(crate) async fn show(State(front): State<Front>) -> Result<Json<CacheView>, Problem> {
    Ok(Json(front.desk.cache.stats().await?.into()))
}

/// A value, byte for byte.
pub(crate) async fn get(
    State(front): State<Front>,
    query: Result<Query<EntryQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let (space, key) = parameters::query(query)?.place(&front)?;
    let found = front.desk.cache.get(&space, &key).await?;
    let value = found.ok_or_else(|| unknown(&space, &key))?;
    // A guest chose the content: a browser shall not run it as a page of this origin.
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media::BYTES)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, value).into_response())
}

/// Stores the body.
pub(crate) async fn set(
    State(front): State<Front>,
    query: Result<Query<EntryQuery>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let query = parameters::query(query)?;
    let (space, key) = query.place(&front)?;
    let ttl = query.ttl.as_deref().map(parse_duration).transpose();
    let ttl: Option<Duration> =
        ttl.map_err(|why| Problem::new(Kind::InvalidParameter, why).field("ttl"))?;
    let value = body.map_err(unreadable_body)?;
    let options = SetOptions { ttl, ..SetOptions::default() };
    front.desk.cache.set(&space, &key, value, options).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn delete(
    State(front): State<Front>,
    query: Result<Query<EntryQuery>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let (space, key) = parameters::query(query)?.place(&front)?;
    match front.desk.cache.delete(&space, &key).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&space, &key)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClearQuery {
    space: String,
    prefix: String,
}

/// Removes the entries whose keys begin so.
pub(crate) async fn clear(
    State(front): State<Front>,
    query: Result<Query<ClearQuery>, QueryRejection>,
) -> Result<Json<ClearedView>, Problem> {
    let ClearQuery { space, prefix } = parameters::query(query)?;
    let space: Space = parse("space", &space)?;
    let cleared = front.desk.cache.clear(&space, &prefix).await?;
    Ok(Json(ClearedView { cleared }))
}

fn unknown(space: &Space, key: &Key) -> Problem {
    let detail = format!("there is no entry {:?} in {space}", key.as_str());
    Problem::new(Kind::UnknownEntry, detail)
}
