//! Tells all that the host says about the attempt.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use gristmill_guest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    headers: Vec<String>,
    secrets: Vec<String>,
}

#[derive(Serialize)]
struct Known {
    job_id: String,
    queue: String,
    attempt: u32,
    max_attempts: u32,
    enqueued_at_ms: u128,
    parent_id: Option<String>,
    headers: BTreeMap<String, Option<String>>,
    remaining_ms: u128,
    cancelled: bool,
    config: BTreeMap<String, String>,
    /// The secret, or the error's code.
    secrets: BTreeMap<String, Result<String, String>>,
}

/// Gives back everything that the context knows, with the headers and secrets that were asked for.
#[job]
fn reads_context(ctx: &Ctx, input: Option<Wanted>) -> JobResult<Known> {
    let wanted = input.unwrap_or_default();
    let secret = |name: String| {
        let answer = ctx.secret(&name).map_err(|error| error.code().to_owned());
        (name, answer)
    };
    Ok(Known {
        job_id: ctx.job_id(),
        queue: ctx.queue(),
        attempt: ctx.attempt(),
        max_attempts: ctx.max_attempts(),
        enqueued_at_ms: ctx.enqueued_at().duration_since(UNIX_EPOCH)?.as_millis(),
        parent_id: ctx.parent_id(),
        headers: wanted.headers.into_iter().map(|name| (name.clone(), ctx.header(&name))).collect(),
        remaining_ms: ctx.remaining().as_millis(),
        cancelled: ctx.cancelled(),
        config: ctx.config_all().into_iter().collect(),
        secrets: wanted.secrets.into_iter().map(secret).collect(),
    })
}

gristmill_guest::export!(reads_context);
