//! Enqueueing jobs, and reading them.

mod batch;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gristmill_job::wire::{JobRequest, JobView};
use gristmill_job::{Job, NewJob, Verdict, media, time::parse_duration};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::idempotency::Idempotency;
use crate::limits;
use crate::parameters::{self, Raw, parse_id, unreadable_body};
use crate::problem::{Kind, Problem};
use crate::routes::Front;
use crate::verdict::VerdictView;

/// One job, or many at once.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what `enqueue` takes")]
pub(crate) enum Enqueued {
    /// A job.
    One(Box<JobRequest>),
    /// Jobs, each with a verdict of its own.
    Many(Vec<JobRequest>),
}

/// Enqueue one job as an object, or many as an array
///
/// A job's id is its producer's, so that enqueueing it again is harmless: the answer then is the job
/// that is there, with status 200. Where producers give none, `Idempotency-Key` makes a repeated
/// request harmless: it is answered as it was at first, as long as the record of its job is kept; the
/// same key with another body is refused. Many jobs are enqueued in one step, with a verdict each.
#[utoipa::path(post, path = "/v1/jobs", operation_id = "enqueueJobs", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$",
        description = "The same for a repeated request, and for no other")),
    request_body(content = Enqueued),
    responses(
        (status = 201, body = JobView, description = "The job as it was taken over",
            headers(("location" = String, description = "Where the job is"))),
        (status = 200, body = Answered, description = "The job that is there, or a verdict each"),
    ))]
pub(crate) async fn enqueue(
    State(front): State<Front>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(unreadable_body)?;
    if front.draining.is_cancelled() {
        return Err(Problem::new(Kind::Stopping, "no more jobs are taken; try again elsewhere"));
    }
    let key = Idempotency::of(&headers, &body)?;
    if body.trim_ascii_start().starts_with(b"[") {
        batch::enqueue(&front, key.as_ref(), &body).await
    } else {
        enqueue_one(&front, key.as_ref(), &body).await
    }
}

/// What is answered where nothing new is there, or many jobs were given.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what `enqueue` answers")]
pub(crate) enum Answered {
    /// The job that is there.
    One(Box<JobView>),
    /// A verdict for each job, in their order.
    Many(Vec<VerdictView>),
}

async fn enqueue_one(
    front: &Front,
    key: Option<&Idempotency>,
    body: &[u8],
) -> Result<Response, Problem> {
    let request: JobRequest = read_json(body)?;
    let has_id = request.id.is_some();
    let mut job = NewJob::try_from(request)?;
    if let Some(key) = key {
        key.mark(&mut job, 0, has_id).map_err(|why| headers_full(&why))?;
        // Before anything is checked that may have changed since.
        if let Some(known) = key.known(&*front.desk.queue, [job.id]).await?.pop() {
            return Ok(taken_over(front, &known));
        }
    }
    front.desk.admit(&mut job).await?;
    let (id, spec, now) = (job.id, Arc::new(job.clone()), front.desk.clock.now());
    match front.desk.queue.enqueue(vec![job]).await?.pop() {
        Some(Verdict::Created) => {
            // A repeated request is answered with the queue's own times, so the first one is, too.
            let known = match key {
                Some(_) => front.desk.queue.get(id).await.ok().flatten(),
                None => None,
            };
            // By now it may have run, and be forgotten.
            Ok(taken_over(front, &known.unwrap_or_else(|| Job::taken_over(spec, now))))
        }
        Some(Verdict::Duplicate) => {
            let job = front.desk.queue.get(id).await?.ok_or_else(|| Problem::unknown_job(id))?;
            let Some(key) = key else { return Ok(Json(JobView::from(&job)).into_response()) };
            key.same(&job).map(|()| taken_over(front, &job))
        }
        Some(Verdict::UniqueConflict(owner)) => Err(Problem::unique_conflict(owner)),
        Some(Verdict::Rejected(rejection)) => Err(rejection.into()),
        None => Err(Problem::new(Kind::Unavailable, "the queue gave no verdict")),
    }
}

/// A job as it was when it was taken over, whatever has become of it since.
fn taken_over(front: &Front, job: &Job) -> Response {
    let location = [(header::LOCATION, format!("/v1/jobs/{}", job.spec.id))];
    let job = Job::taken_over(Arc::clone(&job.spec), job.enqueued_at);
    let mut view = JobView::from(&job);
    view.durable = front.desk.durable_mark();
    (StatusCode::CREATED, location, Json(view)).into_response()
}

fn headers_full(why: &str) -> Problem {
    let detail = format!("{why}; a request with an idempotency key takes one of them");
    Problem::new(Kind::Invalid, detail).field("headers")
}

/// Reads a body, and says where in it something is wrong.
fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let problem = Problem::new(Kind::MalformedBody, error.into_inner().to_string());
        if path == "." { problem } else { problem.field(path) }
    })?;
    json.end().map_err(|error| Problem::new(Kind::MalformedBody, error.to_string()))?;
    Ok(read)
}

/// How a job is looked at.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowQuery {
    /// How long to wait for the job to end, such as `250ms` or `30s`; a minute at most.
    #[param(pattern = "^(0|[1-9][0-9]{0,2})ms$")]
    wait: Option<String>,
}

/// Show a job, at once or as soon as it has ended
///
/// With `wait`, the answer comes when the job has ended, or is the job as it is when that time is over.
#[utoipa::path(get, path = "/v1/jobs/{id}", operation_id = "showJob", tag = "jobs",
    params(("id" = gristmill_job::JobId, Path, description = "The job's id"), ShowQuery),
    responses((status = 200, body = JobView, description = "The job")))]
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

/// Get what a job handed back, byte for byte
///
/// Its media type is the one that the plugin gave it.
#[utoipa::path(get, path = "/v1/jobs/{id}/result", operation_id = "getResult", tag = "jobs",
    params(("id" = gristmill_job::JobId, Path, description = "The job's id")),
    responses((status = 200, body = Raw, content_type = "*/*", description = "The result")))]
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
