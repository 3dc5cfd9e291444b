//! Enqueueing jobs, and reading them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gristmill_job::wire::{JobRequest, JobView, WireError};
use gristmill_job::{Job, JobId, NewJob, RejectionCode, Verdict, media, time::parse_duration};
use serde::Deserialize;
use serde_json::Value;

use crate::limits;
use crate::parameters::{self, parse_id};
use crate::problem::{Kind, Problem};
use crate::routes::Front;
use crate::verdict::VerdictView;

/// One job as an object, or many as an array.
pub(crate) async fn enqueue(
    State(front): State<Front>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(unreadable_body)?;
    if front.draining.is_cancelled() {
        return Err(Problem::new(Kind::Stopping, "no more jobs are taken; try again elsewhere"));
    }
    if body.trim_ascii_start().starts_with(b"[") {
        enqueue_many(&front, &body).await
    } else {
        enqueue_one(&front, &body).await
    }
}

async fn enqueue_one(front: &Front, body: &[u8]) -> Result<Response, Problem> {
    let request: JobRequest = serde_json::from_slice(body).map_err(malformed)?;
    let mut job = NewJob::try_from(request)?;
    front.desk.admit(&mut job).await?;
    let (id, spec, now) = (job.id, Arc::new(job.clone()), front.desk.clock.now());
    match front.desk.queue.enqueue(vec![job]).await?.pop() {
        Some(Verdict::Created) => {
            let location = [(header::LOCATION, format!("/v1/jobs/{id}"))];
            // By now it may have run, and be forgotten.
            let mut view = JobView::from(&Job::taken_over(spec, now));
            view.durable = front.desk.durable_mark();
            Ok((StatusCode::CREATED, location, Json(view)).into_response())
        }
        Some(Verdict::Duplicate) => {
            let job = front.desk.queue.get(id).await?.ok_or_else(|| Problem::unknown_job(id))?;
            Ok(Json(JobView::from(&job)).into_response())
        }
        Some(Verdict::UniqueConflict(owner)) => Err(Problem::unique_conflict(owner)),
        Some(Verdict::Rejected(rejection)) => Err(rejection.into()),
        None => Err(Problem::new(Kind::Unavailable, "the queue gave no verdict")),
    }
}

async fn enqueue_many(front: &Front, body: &[u8]) -> Result<Response, Problem> {
    let items: Vec<Value> = serde_json::from_slice(body).map_err(malformed)?;
    let mut parsed: Vec<Result<JobId, VerdictView>> = Vec::with_capacity(items.len());
    let mut jobs = Vec::with_capacity(items.len());
    for item in items {
        parsed.push(match parse_item(item) {
            Ok(job) => {
                let id = job.id;
                jobs.push(job);
                Ok(id)
            }
            Err(rejected) => Err(rejected),
        });
    }
    let mut verdicts = front.desk.enqueue(jobs).await?.into_iter();
    let durable = front.desk.durable_mark();
    let views: Vec<VerdictView> = parsed
        .into_iter()
        .filter_map(|item| match item {
            Ok(id) => verdicts.next().map(|verdict| VerdictView::new(id, verdict).marked(durable)),
            Err(rejected) => Some(rejected),
        })
        .collect();
    Ok(Json(views).into_response())
}

/// One faulty job must not cost the others of its batch their verdicts.
fn parse_item(item: Value) -> Result<NewJob, VerdictView> {
    let id = item.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let rejected = |message, field: Option<&str>| VerdictView::Rejected {
        id,
        code: RejectionCode::Invalid,
        message,
        field: field.map(str::to_owned),
    };
    let request: JobRequest =
        serde_json::from_value(item).map_err(|e| rejected(e.to_string(), None))?;
    NewJob::try_from(request).map_err(|WireError { field, problem }| rejected(problem, Some(field)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowQuery {
    wait: Option<String>,
}

/// A job, at once or as soon as it has ended.
pub(crate) async fn show(
    State(front): State<Front>,
    Path(id): Path<String>,
    query: Result<Query<ShowQuery>, QueryRejection>,
) -> Result<Json<JobView>, Problem> {
    let query = parameters::query(query)?;
    let id = parse_id(&id)?;
    let patience = match query.wait.as_deref().map(parse_duration).transpose() {
        Ok(wait) => wait.unwrap_or(Duration::ZERO).min(limits::WAIT_MAX),
        Err(why) => return Err(Problem::new(Kind::InvalidParameter, why).field("wait")),
    };
    let queue = &front.desk.queue;
    let found = tokio::select! {
        found = queue.wait(id, patience) => found?,
        () = front.closing.cancelled(), if !patience.is_zero() => queue.get(id).await?,
    };
    let job = found.ok_or_else(|| Problem::unknown_job(id))?;
    Ok(Json(JobView::from(&job)))
}

/// What a job handed back, byte for byte.
pub(crate) async fn result(
    State(front): State<Front>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let job = front.desk.queue.get(id).await?.ok_or_else(|| Problem::unknown_job(id))?;
    let Some(result) = job.result else {
        let detail = format!("job {id} is {} and has handed nothing back", job.state);
        return Err(Problem::new(Kind::NoResult, detail));
    };
    let media_type = HeaderValue::from_str(&result.content_type)
        .unwrap_or(HeaderValue::from_static(media::BYTES));
    // A guest chose type and content: a browser shall not run them as a page of this origin.
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox")),
    ];
    Ok((headers, result.data).into_response())
}

pub(crate) fn unreadable_body(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("the body is larger than {} bytes", limits::BODY_BYTES_MAX);
        return Problem::new(Kind::BodyTooLarge, detail);
    }
    Problem::new(Kind::MalformedBody, rejection.body_text())
}

fn malformed(error: serde_json::Error) -> Problem {
    Problem::new(Kind::MalformedBody, error.to_string())
}
