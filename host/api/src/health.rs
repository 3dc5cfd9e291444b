//! Whether the daemon lives (`/healthz`), and whether it does what it is for (`/readyz`).

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use gristmill_job::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::problem::{Kind, Problem};
use crate::routes::Front;

/// How long a back-end has to answer: less than probes commonly wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process is there.
pub(crate) async fn healthy(State(front): State<Front>) -> Json<Value> {
    Json(json!({ "status": "ok", "degraded": front.desk.degraded.is_set() }))
}

/// Jobs can be taken and run: the daemon isn't about to end, the worker's loop goes on and hears from each
/// of its queues, and queue and cache answer.
pub(crate) async fn ready(State(front): State<Front>) -> Result<Json<Value>, Problem> {
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
    Ok(Json(json!({
        "status": "ready",
        "degraded": desk.degraded.is_set(),
        "degraded_reason": desk.degraded.reason(),
        "quiet": vitals.quiet,
    })))
}

/// Whatever else is asked of a daemon that only works.
pub(crate) async fn only() -> Problem {
    let detail = "this daemon only works: it serves \"/healthz\", \"/readyz\" and \"/metrics\"";
    Problem::new(Kind::UnknownRoute, detail)
}
