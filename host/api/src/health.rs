//! Whether the daemon lives (`/healthz`), and whether it does what it is for (`/readyz`).

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use gristmill_job::{Clock as _, SystemClock};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::problem::{Kind, Problem};
use crate::routes::Front;

/// How long a back-end has to answer: less than probes commonly wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// That the process is there.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// `ok`.
    status: &'static str,
    /// Whether other back-ends are used than were asked for.
    degraded: bool,
}

/// That the daemon does what it is for.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadyView {
    /// `ready`.
    status: &'static str,
    /// Whether other back-ends are used than were asked for.
    degraded: bool,
    /// Why they are.
    degraded_reason: Option<String>,
    /// Whether the worker was told to begin nothing new.
    quiet: bool,
}

/// Tell whether the process is there
#[utoipa::path(get, path = "/healthz", operation_id = "health", tag = "daemon",
    responses((status = 200, body = HealthView, description = "It is")))]
pub(crate) async fn healthy(State(front): State<Front>) -> Json<HealthView> {
    Json(HealthView { status: "ok", degraded: front.desk.degraded.is_set() })
}

/// Tell whether jobs can be taken and run
///
/// The daemon isn't about to end, the worker's loop goes on and hears from each of its queues, and queue
/// and cache answer.
#[utoipa::path(get, path = "/readyz", operation_id = "readiness", tag = "daemon",
    responses((status = 200, body = ReadyView, description = "They can")))]
pub(crate) async fn ready(State(front): State<Front>) -> Result<Json<ReadyView>, Problem> {
    if front.draining.is_cancelled() {
        return Err(Problem::new(Kind::Stopping, "no more jobs are taken"));
    }
    let desk = &front.desk;
    let vitals = desk.pulse.vitals();
    if let Some(fault) = vitals.fault(SystemClock.uptime()) {
        return Err(Problem::new(Kind::Unavailable, fault));
    }
    let (queue, cache) =
        tokio::join!(timeout(PATIENCE, desk.queue.info()), timeout(PATIENCE, desk.cache.stats()));
    let silent =
        |what: &str| Problem::new(Kind::Unavailable, format!("{what} doesn't answer in time"));
    queue.map_err(|_| silent("the queue"))??;
    cache.map_err(|_| silent("the cache"))??;
    Ok(Json(ReadyView {
        status: "ready",
        degraded: desk.degraded.is_set(),
        degraded_reason: desk.degraded.reason(),
        quiet: vitals.quiet,
    }))
}

/// Whatever else is asked of a daemon that only works.
pub(crate) async fn only() -> Problem {
    let detail = "this daemon only works: it serves \"/healthz\", \"/readyz\" and \"/metrics\"";
    Problem::new(Kind::UnknownRoute, detail)
}
