//! Sends what it is told to.

use std::time::Duration;

use gristmill_guest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Call {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    timeout_ms: Option<u64>,
}

fn get() -> String {
    "GET".to_owned()
}

#[derive(Serialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Sends requests one after another, and gives the responses, or errors in words.
#[job]
fn http_user(ctx: &Ctx, input: Vec<Call>) -> JobResult<Vec<Result<Answer, String>>> {
    let send = |call: Call| {
        let mut request = ctx.http().request(&call.method, &call.url);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body);
        }
        if let Some(millis) = call.timeout_ms {
            request = request.timeout(Duration::from_millis(millis));
        }
        let response = request.send().map_err(|error| error.to_string())?;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        Ok(Answer { status: response.status, headers: response.headers, body })
    };
    Ok(input.into_iter().map(send).collect())
}

gristmill_guest::export!(http_user);
