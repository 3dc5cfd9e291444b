//! Which path leads where.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, Uri};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::info::Info;
use crate::plugins::{PluginEntry, PluginsView};
use crate::problem::{Kind, Problem};
use crate::{cache, change, forms, health, jobs, limits, listing, metrics, queues};

/// What every handler is given.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) desk: Desk,
    /// Cancelled when jobs are taken no more.
    pub(crate) draining: CancellationToken,
    /// Cancelled when nothing more is going to happen: whoever waits is answered.
    pub(crate) closing: CancellationToken,
}

pub(crate) fn router(front: Front) -> Router {
    if front.desk.work_only {
        return watch().fallback(health::only).with_state(front);
    }
    watch()
        .route("/v1/jobs", get(listing::list).post(jobs::enqueue))
        .route("/v1/jobs/{id}", get(jobs::show).delete(change::remove))
        .route("/v1/jobs/{id}/result", get(jobs::result))
        .route("/v1/jobs/{id}/logs", get(listing::logs))
        .route("/v1/jobs/{id}/cancel", post(change::cancel))
        .route("/v1/jobs/{id}/retry", post(change::retry))
        .route("/v1/queues", get(queues::list))
        .route("/v1/queues/{name}", get(queues::show))
        .route("/v1/queues/{name}/pause", post(queues::pause))
        .route("/v1/queues/{name}/resume", post(queues::resume))
        .route("/v1/queues/{name}/clear-failed", post(queues::clear_failed))
        .route("/v1/queues/{name}/requeue-failed", post(queues::requeue))
        .route("/v1/cache", get(cache::show).delete(cache::clear))
        .route("/v1/cache/entry", get(cache::get).put(cache::set).delete(cache::delete))
        .route("/v1/plugins", get(plugins))
        .route("/v1/info", get(info))
        .route_layer(middleware::from_fn(forms::refuse))
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX))
        .with_state(front)
}

/// What tells how the daemon is.
fn watch() -> Router<Front> {
    Router::new()
        .route("/healthz", get(health::healthy))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::scrape))
}

async fn info(State(front): State<Front>) -> Result<Json<Info>, Problem> {
    Ok(Json(front.desk.info().await?))
}

/// The plugins that can be used. One that can't be is named with the reason, and so is a new version
/// that can't take its place.
async fn plugins(State(front): State<Front>) -> Result<Json<PluginsView>, Problem> {
    let unreadable =
        |error: gristmill_runtime::LoadError| Problem::new(Kind::Unavailable, error.to_string());
    let mut plugins = Vec::new();
    for name in front.desk.plugin_names().await.map_err(unreadable)? {
        plugins.push(match front.desk.plugin(&name).await {
            Ok(plugin) => PluginEntry::Usable(front.desk.view(&plugin)),
            Err(error) => PluginEntry::Unusable { name, error: error.to_string() },
        });
    }
    Ok(Json(PluginsView { plugins, fault: front.desk.plugins.folder_fault() }))
}

async fn unknown_route(uri: Uri) -> Problem {
    let detail = format!("{:?} leads nowhere; jobs are at \"/v1/jobs\"", uri.path());
    Problem::new(Kind::UnknownRoute, detail)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{:?} doesn't take {method}", uri.path());
    Problem::new(Kind::MethodNotAllowed, detail)
}
