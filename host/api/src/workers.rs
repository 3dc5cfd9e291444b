//! Workers, as users read of them.

use axum::Json;
use axum::extract::State;
use gristmill_job::{FunctionName, JobId, PluginName, QueueName, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::routes::Front;

/// The workers of a daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkersView {
    /// This daemon's own. What others on the same queue do, their own daemons tell; the jobs that
    /// they run are listed with `GET /v1/jobs?state=running`.
    pub workers: Vec<WorkerView>,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    /// Its id; another one after its lease was reaped.
    pub id: WorkerId,
    /// When it began under this id.
    pub started_at: Timestamp,
    /// What it runs, the longest first.
    pub running: Vec<RunningView>,
}

/// An attempt that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunningView {
    /// The job.
    pub job: JobId,
    /// Its queue.
    pub queue: QueueName,
    /// Its plugin.
    pub plugin: PluginName,
    /// The function that it calls.
    pub function: Option<FunctionName>,
    /// Which attempt it is.
    pub attempt: u32,
    /// When the attempt began.
    pub started_at: Timestamp,
}

/// List this daemon's workers, and what they run
#[utoipa::path(get, path = "/v1/workers", operation_id = "listWorkers", tag = "daemon",
    responses((status = 200, body = WorkersView, description = "The workers")))]
pub(crate) async fn list(State(front): State<Front>) -> Json<WorkersView> {
    Json(WorkersView { workers: front.desk.feed.workers() })
}
