//! Many jobs in one request.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use gristmill_job::wire::{JobRequest, WireError};
use gristmill_job::{JobId, NewJob, RejectionCode, Verdict};
use serde_json::Value;

use super::read_json;
use crate::idempotency::Idempotency;
use crate::problem::Problem;
use crate::routes::Front;
use crate::verdict::VerdictView;

/// What became of the parsing of each item.
type Parsed = Vec<Result<JobId, VerdictView>>;

/// Enqueues them in one step; a verdict each, in their order.
pub(super) async fn enqueue(
    front: &Front,
    key: Option<&Idempotency>,
    body: &[u8],
) -> Result<Response, Problem> {
    let (parsed, jobs) = parse(read_json(body)?, key);
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let queue = &*front.desk.queue;
    if let Some(key) = key {
        // All of them, before any is enqueued.
        key.known(queue, ids.iter().copied()).await?;
    }
    let verdicts = front.desk.enqueue(jobs).await?;
    if let Some(key) = key {
        let is_duplicate = |(id, verdict): (&JobId, &Verdict)| {
            matches!(verdict, Verdict::Duplicate).then_some(*id)
        };
        // Another request with this key may have come in between.
        key.known(queue, ids.iter().zip(&verdicts).filter_map(is_duplicate)).await?;
    }
    let (mut verdicts, durable) = (verdicts.into_iter(), front.desk.durable_mark());
    let view = |id, verdict| match verdict {
        // A repeated request is answered as it was at first.
        Verdict::Duplicate if key.is_some() => VerdictView::new(id, Verdict::Created),
        other => VerdictView::new(id, other),
    };
    let views: Vec<VerdictView> = parsed
        .into_iter()
        .filter_map(|item| match item {
            Ok(id) => verdicts.next().map(|verdict| view(id, verdict).marked(durable)),
            Err(rejected) => Some(rejected),
        })
        .collect();
    Ok(Json(views).into_response())
}

fn parse(items: Vec<Value>, key: Option<&Idempotency>) -> (Parsed, Vec<NewJob>) {
    let mut parsed = Vec::with_capacity(items.len());
    let mut jobs = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        parsed.push(match parse_item(item, index, key) {
            Ok(job) => {
                let id = job.id;
                jobs.push(job);
                Ok(id)
            }
            Err(rejected) => Err(rejected),
        });
    }
    (parsed, jobs)
}

/// One faulty job must not cost the others of its batch their verdicts.
fn parse_item(item: Value, index: usize, key: Option<&Idempotency>) -> Result<NewJob, VerdictView> {
    let id: Option<JobId> = item.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let rejected = |message, field: Option<&str>| VerdictView::Rejected {
        id,
        code: RejectionCode::Invalid,
        message,
        field: field.map(str::to_owned),
    };
    let request: JobRequest = serde_path_to_error::deserialize(item).map_err(|error| {
        let path = error.path().to_string();
        rejected(error.into_inner().to_string(), (path != ".").then_some(&path))
    })?;
    let has_id = request.id.is_some();
    let mut job = NewJob::try_from(request)
        .map_err(|WireError { field, problem }| rejected(problem, Some(field)))?;
    if let Some(key) = key {
        key.mark(&mut job, index, has_id).map_err(|why| rejected(why, Some("headers")))?;
    }
    Ok(job)
}
