//! Parts of paths and queries, each read to its type or named as what is wrong.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use gristmill_job::{JobId, QueueName};

use crate::problem::{Kind, Problem};

pub(crate) fn parse_id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|e| {
        let detail = format!("{text:?} is no job's id, which is a UUID: {e}");
        Problem::new(Kind::InvalidParameter, detail).field("id")
    })
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
