//! Queues, as users read of them, and what users do to a whole queue.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use gristmill_job::QueueName;
use gristmill_queue::{Queue, QueueStatus, Requeued, Totals, requeue_failed};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::parameters::{self, Nothing, parse_given, parse_queue};
use crate::problem::Problem;
use crate::routes::Front;

/// How a queue stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// Its name.
    pub name: QueueName,
    /// Whether no jobs are leased from it.
    pub paused: bool,
    /// Jobs whose time is ahead, or that wait for a retry.
    pub scheduled: u64,
    /// Jobs that wait for a free worker.
    pub queued: u64,
    /// Jobs that a worker holds.
    pub running: u64,
    /// Jobs that ended well, as far as they are kept.
    pub completed: u64,
    /// Jobs that ended badly, as far as they are kept.
    pub failed: u64,
    /// Jobs that were cancelled, as far as they are kept.
    pub cancelled: u64,
    /// The age of the oldest job that is ready to run, in milliseconds: what to scale by.
    pub latency_ms: u64,
    /// What the waiting jobs weigh.
    pub waiting_bytes: u64,
    /// Jobs over all time.
    pub totals: TotalsView,
}

/// How many jobs there ever were in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TotalsView {
    /// Jobs taken over.
    pub enqueued: u64,
    /// Jobs that ended well.
    pub completed: u64,
    /// Jobs that ended badly.
    pub failed: u64,
    /// Jobs that were cancelled.
    pub cancelled: u64,
    /// Attempts that failed and were tried again.
    pub retried: u64,
    /// Leases given back untouched.
    pub released: u64,
    /// Leases taken from workers that died.
    pub reaped: u64,
}

/// All queues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueuesView {
    /// Those that were ever used, by name.
    pub queues: Vec<QueueView>,
}

/// How many failed jobs were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClearedView {
    /// The number.
    pub cleared: u64,
}

/// How many failed jobs run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequeuedView {
    /// Jobs that wait again.
    pub requeued: u64,
    /// Jobs that stay failed, because their unique key is held by another job.
    pub conflicts: u64,
}

impl From<QueueStatus> for QueueView {
    fn from(status: QueueStatus) -> Self {
        let QueueStatus { queue, paused, counts, totals, latency, waiting_bytes } = status;
        Self {
            name: queue,
            paused,
            scheduled: counts.scheduled,
            queued: counts.queued,
            running: counts.running,
            completed: counts.completed,
            failed: counts.failed,
            cancelled: counts.cancelled,
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            waiting_bytes,
            totals: totals.into(),
        }
    }
}

impl From<Totals> for TotalsView {
    fn from(totals: Totals) -> Self {
        let Totals { enqueued, completed, failed, cancelled, retried, released, reaped } = totals;
        Self { enqueued, completed, failed, cancelled, retried, released, reaped }
    }
}

impl From<Requeued> for RequeuedView {
    fn from(Requeued { requeued, conflicts }: Requeued) -> Self {
        Self { requeued, conflicts }
    }
}

impl QueuesView {
    /// All queues as they stand.
    ///
    /// # Errors
    /// The queue can't be reached.
    pub async fn of(queue: &dyn Queue) -> Result<Self, gristmill_queue::Error> {
        let mut queues = Vec::new();
        for name in queue.queues().await? {
            queues.push(queue.status(&name).await?.into());
        }
        Ok(Self { queues })
    }
}

/// List the queues that were ever used
#[utoipa::path(get, path = "/v1/queues", operation_id = "listQueues", tag = "queues",
    responses((status = 200, body = QueuesView, description = "The queues, by name")))]
pub(crate) async fn list(State(front): State<Front>) -> Result<Json<QueuesView>, Problem> {
    Ok(Json(QueuesView::of(&*front.desk.queue).await?))
}

/// Show how a queue stands; an unused one is empty
#[utoipa::path(get, path = "/v1/queues/{name}", operation_id = "showQueue", tag = "queues",
    params(("name" = gristmill_job::QueueName, Path, description = "The queue's name")),
    responses((status = 200, body = QueueView, description = "How it stands")))]
pub(crate) async fn show(
    State(front): State<Front>,
    Path(name): Path<String>,
) -> Result<Json<QueueView>, Problem> {
    stands(&front, &parse_queue(&name)?).await
}

/// Stop leasing from a queue
///
/// Enqueueing, and what runs, go on.
#[utoipa::path(post, path = "/v1/queues/{name}/pause", operation_id = "pauseQueue", tag = "queues",
    params(("name" = gristmill_job::QueueName, Path, description = "The queue's name")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 200, body = QueueView, description = "How it stands then")))]
pub(crate) async fn pause(
    State(front): State<Front>,
    Path(name): Path<String>,
    _: Nothing,
) -> Result<Json<QueueView>, Problem> {
    set_paused(&front, &name, true).await
}

/// Lease from a queue again
#[utoipa::path(post, path = "/v1/queues/{name}/resume", operation_id = "resumeQueue", tag = "queues",
    params(("name" = gristmill_job::QueueName, Path, description = "The queue's name")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 200, body = QueueView, description = "How it stands then")))]
pub(crate) async fn resume(
    State(front): State<Front>,
    Path(name): Path<String>,
    _: Nothing,
) -> Result<Json<QueueView>, Problem> {
    set_paused(&front, &name, false).await
}

async fn set_paused(front: &Front, name: &str, paused: bool) -> Result<Json<QueueView>, Problem> {
    let name = parse_queue(name)?;
    front.desk.queue.set_paused(&name, paused).await?;
    stands(front, &name).await
}

async fn stands(front: &Front, name: &QueueName) -> Result<Json<QueueView>, Problem> {
    Ok(Json(front.desk.queue.status(name).await?.into()))
}

/// Forget all failed jobs of a queue
#[utoipa::path(post, path = "/v1/queues/{name}/clear-failed", operation_id = "clearFailed",
    tag = "queues",
    params(("name" = gristmill_job::QueueName, Path, description = "The queue's name")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 200, body = ClearedView, description = "How many there were")))]
pub(crate) async fn clear_failed(
    State(front): State<Front>,
    Path(name): Path<String>,
    _: Nothing,
) -> Result<Json<ClearedView>, Problem> {
    let cleared = front.desk.queue.clear_failed(&parse_queue(&name)?).await?;
    Ok(Json(ClearedView { cleared }))
}

/// Which failed jobs run again.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RequeueQuery {
    /// Only those of this plugin.
    #[param(value_type = Option<gristmill_job::PluginName>)]
    plugin: Option<String>,
}

/// Run all failed jobs of a queue again, or those of one plugin
#[utoipa::path(post, path = "/v1/queues/{name}/requeue-failed", operation_id = "requeueFailed",
    tag = "queues",
    params(("name" = gristmill_job::QueueName, Path, description = "The queue's name"), RequeueQuery),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 200, body = RequeuedView, description = "How many run again")))]
pub(crate) async fn requeue(
    State(front): State<Front>,
    Path(name): Path<String>,
    query: Result<Query<RequeueQuery>, QueryRejection>,
    _: Nothing,
) -> Result<Json<RequeuedView>, Problem> {
    let name = parse_queue(&name)?;
    let plugin = parse_given("plugin", parameters::query(query)?.plugin.as_deref())?;
    Ok(Json(requeue_failed(&*front.desk.queue, &name, plugin.as_ref()).await?.into()))
}
