//! Workers: those of this daemon, and of all that share its queue.
//!
//! [`fleet`] tells others of this daemon's and reads what they tell.

mod fleet;

use std::fmt;
use std::str::FromStr;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use gristmill_job::{FunctionName, JobId, PluginName, QueueName, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use self::fleet::keep_told;
use crate::parameters::{Nothing, parse_worker};
use crate::problem::Problem;
use crate::routes::Front;

/// The workers of all daemons that share the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkersView {
    /// The workers, the oldest first.
    pub workers: Vec<WorkerView>,
    /// Why those of other daemons aren't known just now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<String>,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    /// Its id; another one after its lease was reaped.
    pub id: WorkerId,
    /// Whether it is the one of the daemon that answers.
    #[serde(default)]
    pub here: bool,
    /// The name of the machine that it is on.
    pub machine: String,
    /// Its process's id there.
    pub pid: u32,
    /// The daemon's version.
    pub version: String,
    /// When it began under this id.
    pub started_at: Timestamp,
    /// When its daemon told this of it: three times in a lease, and when it is asked something.
    pub seen_at: Timestamp,
    /// The queues that it takes jobs from.
    pub queues: Vec<QueueName>,
    /// How many attempts it runs at one time.
    pub slots: usize,
    /// How many jobs it holds: they run, or soon will.
    pub jobs: usize,
    /// Whether it takes no more jobs for now.
    pub quiet: bool,
    /// Whether it is about to end.
    pub stopping: bool,
    /// What it runs, the longest first; of a worker of another daemon the first 100.
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

/// What this daemon's events say of a worker.
pub(crate) struct Working {
    pub(crate) id: WorkerId,
    pub(crate) started_at: Timestamp,
    /// What it runs, the longest first.
    pub(crate) running: Vec<RunningView>,
}

/// What can be asked of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Take no more jobs; those that run go on.
    Quiet,
    /// Take jobs again.
    Resume,
    /// End, as after SIGTERM.
    Stop,
}

const WISHES: [(Wish, &str); 3] =
    [(Wish::Quiet, "quiet"), (Wish::Resume, "resume"), (Wish::Stop, "stop")];

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WISHES[*self as usize].1)
    }
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = WISHES.iter().find(|(_, name)| *name == text);
        found.map(|(wish, _)| *wish).ok_or_else(|| format!("{text:?} can't be asked of a worker"))
    }
}

/// List the workers of all daemons that share the queue, and what they run
///
/// A daemon that died is listed until its lease has ended.
#[utoipa::path(get, path = "/v1/workers", operation_id = "listWorkers", tag = "daemon",
    responses((status = 200, body = WorkersView, description = "The workers")))]
pub(crate) async fn list(State(front): State<Front>) -> Json<WorkersView> {
    Json(front.workers().await)
}

/// Let a worker take no more jobs, as SIGTSTP does
///
/// Those that run go on. It is asked, and does so in a moment: `quiet` in the list says when.
#[utoipa::path(post, path = "/v1/workers/{id}/quiet", operation_id = "quietWorker", tag = "daemon",
    params(("id" = WorkerId, Path, description = "The worker's id")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 202, body = WorkerView, description = "It is asked; how it was last heard of")))]
pub(crate) async fn quiet(
    State(front): State<Front>,
    Path(id): Path<String>,
    _: Nothing,
) -> Result<(StatusCode, Json<WorkerView>), Problem> {
    ask(&front, &id, Wish::Quiet).await
}

/// Let a worker take jobs again, as SIGCONT does
#[utoipa::path(post, path = "/v1/workers/{id}/resume", operation_id = "resumeWorker", tag = "daemon",
    params(("id" = WorkerId, Path, description = "The worker's id")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 202, body = WorkerView, description = "It is asked; how it was last heard of")))]
pub(crate) async fn resume(
    State(front): State<Front>,
    Path(id): Path<String>,
    _: Nothing,
) -> Result<(StatusCode, Json<WorkerView>), Problem> {
    ask(&front, &id, Wish::Resume).await
}

/// End a worker and its daemon, as SIGTERM does
///
/// What runs has its grace, the rest goes back to the queue. What started the daemon may start it again.
#[utoipa::path(post, path = "/v1/workers/{id}/stop", operation_id = "stopWorker", tag = "daemon",
    params(("id" = WorkerId, Path, description = "The worker's id")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 202, body = WorkerView, description = "It is asked; how it was last heard of")))]
pub(crate) async fn stop(
    State(front): State<Front>,
    Path(id): Path<String>,
    _: Nothing,
) -> Result<(StatusCode, Json<WorkerView>), Problem> {
    ask(&front, &id, Wish::Stop).await
}

async fn ask(
    front: &Front,
    id: &str,
    wish: Wish,
) -> Result<(StatusCode, Json<WorkerView>), Problem> {
    let view = front.ask_worker(parse_worker(id)?, wish).await?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}
