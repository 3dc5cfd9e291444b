//! Parts of paths and queries, each read to its type or named as what is wrong.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, Query, Request};
use axum::http::StatusCode;
use gristmill_job::{JobId, PluginName, QueueName, WorkerId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::edge::TooSlow;
use crate::limits;
use crate::problem::{Kind, Problem};

/// An empty object: the body of a request that is told by its path alone. No body is fine too.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await.map_err(unreadable_body)?;
        let given = body.trim_ascii();
        if given.is_empty() || serde_json::from_slice::<Self>(given).is_ok() {
            return Ok(Self {});
        }
        Err(Problem::new(Kind::MalformedBody, "the body is to be empty, or an empty object"))
    }
}

/// Bytes as they are.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes bodies that are no JSON")]
pub(crate) struct Raw(Vec<u8>);

/// A body that didn't come.
pub(crate) fn unreadable_body(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(limits::BODY_BYTES_MAX);
    }
    if TooSlow::is_behind(&rejection) {
        return Problem::new(Kind::TooSlow, TooSlow.to_string());
    }
    Problem::new(Kind::MalformedBody, rejection.body_text())
}

/// A body above this bound.
pub(crate) fn too_large(max: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("the body is larger than {max} bytes"))
}

pub(crate) fn parse_id(text: &str) -> Result<JobId, Problem> {
    parse_uuid("id", text)
}

pub(crate) fn parse_worker(text: &str) -> Result<WorkerId, Problem> {
    text.parse().map_err(|e| {
        let detail = format!("{text:?} is no worker's id, which is a UUID: {e}");
        Problem::new(Kind::InvalidParameter, detail).field("id")
    })
}

/// A job's id in a query.
pub(crate) fn parse_job(text: &str) -> Result<JobId, Problem> {
    parse_uuid("job", text)
}

fn parse_uuid(field: &str, text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|e| {
        let detail = format!("{text:?} is no job's id, which is a UUID: {e}");
        Problem::new(Kind::InvalidParameter, detail).field(field)
    })
}

pub(crate) fn parse_plugin(text: &str) -> Result<PluginName, Problem> {
    parse("name", text)
}

pub(crate) fn parse_queue(text: &str) -> Result<QueueName, Problem> {
    parse("queue", text)
}

/// Reads a parameter whose error says itself what it should be.
pub(crate) fn parse<T: FromStr<Err: Display>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| {
        Problem::new(Kind::InvalidParameter, error.to_string()).field(field)
    })
}

/// Reads a parameter that may be left out.
pub(crate) fn parse_given<T: FromStr<Err: Display>>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    text.map(|text| parse(field, text)).transpose()
}

/// The query of a request; keys that are not known are named.
pub(crate) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(error) => Err(Problem::new(Kind::InvalidParameter, error.body_text()).field("query")),
    }
}
