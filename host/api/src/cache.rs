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
use utoipa::{IntoParams, ToSchema};

use crate::parameters::{self, Raw, parse, unreadable_body};
use crate::problem::{Kind, Problem};
use crate::queues::ClearedView;
use crate::routes::Front;

/// What the cache says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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

/// An entry.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntryQuery {
    /// The part of the cache: `plugin:NAME` or `bucket:NAME`.
    #[param(pattern = "^(plugin:[a-z][a-z0-9-]{0,62}|bucket:[A-Za-z0-9][A-Za-z0-9._-]{0,62})$")]
    space: String,
    /// The key.
    #[param(pattern = "^[!-~]{1,64}$")]
    key: String,
}

/// An entry to be, and for how long.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SetQuery {
    /// The part of the cache: `plugin:NAME` or `bucket:NAME`.
    #[param(pattern = "^(plugin:[a-z][a-z0-9-]{0,62}|bucket:[A-Za-z0-9][A-Za-z0-9._-]{0,62})$")]
    space: String,
    /// The key.
    #[param(pattern = "^[!-~]{1,64}$")]
    key: String,
    /// How long it is kept, such as `250ms`, `1s` or `5m`; as long as there is room, if not said.
    #[param(pattern = "^[1-9][0-9]{0,5}(ms|s|m|h)$")]
    ttl: Option<String>,
}

impl EntryQuery {
    fn place(&self, front: &Front) -> Result<(Space, Key), Problem> {
        let key = Key::new(&self.key, &front.desk.cache_config);
        let key = key.map_err(|error| Problem::from(error).field("key"))?;
        Ok((parse("space", &self.space)?, key))
    }
}

/// Show what the cache says of itself
#[utoipa::path(get, path = "/v1/cache", operation_id = "showCache", tag = "cache",
    responses((status = 200, body = CacheView, description = "How it does")))]
pub(crate) async fn show(State(front): State<Front>) -> Result<Json<CacheView>, Problem> {
    Ok(Json(front.desk.cache.stats().await?.into()))
}

/// Get a value, byte for byte
#[utoipa::path(get, path = "/v1/cache/entry", operation_id = "getEntry", tag = "cache",
    params(EntryQuery),
    responses((status = 200, body = Raw, content_type = "application/octet-stream",
        description = "The value")))]
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

/// Store the body under a key
#[utoipa::path(put, path = "/v1/cache/entry", operation_id = "setEntry", tag = "cache",
    params(SetQuery),
    request_body(content = Option<Raw>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It is stored")))]
pub(crate) async fn set(
    State(front): State<Front>,
    query: Result<Query<SetQuery>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let SetQuery { space, key, ttl } = parameters::query(query)?;
    let (space, key) = EntryQuery { space, key }.place(&front)?;
    let ttl = ttl.as_deref().map(parse_duration).transpose();
    let ttl: Option<Duration> =
        ttl.map_err(|why| Problem::new(Kind::InvalidParameter, why).field("ttl"))?;
    let value = body.map_err(unreadable_body)?;
    let options = SetOptions { ttl, ..SetOptions::default() };
    front.desk.cache.set(&space, &key, value, options).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove an entry
#[utoipa::path(delete, path = "/v1/cache/entry", operation_id = "deleteEntry", tag = "cache",
    params(EntryQuery),
    responses((status = 204, description = "It is gone")))]
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

/// Entries whose keys begin alike.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClearQuery {
    /// The part of the cache: `plugin:NAME` or `bucket:NAME`.
    #[param(pattern = "^(plugin:[a-z][a-z0-9-]{0,62}|bucket:[A-Za-z0-9][A-Za-z0-9._-]{0,62})$")]
    space: String,
    /// How their keys begin; all of them, if it is empty.
    prefix: String,
}

/// Remove the entries whose keys begin alike
#[utoipa::path(delete, path = "/v1/cache", operation_id = "clearCache", tag = "cache",
    params(ClearQuery),
    responses((status = 200, body = ClearedView, description = "How many there were")))]
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
