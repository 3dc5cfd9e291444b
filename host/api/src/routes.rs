//! Which path leads where, who may take it, and how it may refuse: the one table.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, Method, Uri, header};
use axum::routing::{MethodRouter, delete, get, post, put};
use axum::{Json, Router, middleware};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;

use crate::access::{Access, Needs, guard};
use crate::desk::Desk;
use crate::info::Info;
use crate::problem::{Kind, Problem};
use crate::{cache, change, edge, events, forms, health, idempotency, jobs, limits, listing};
use crate::{metrics, openapi, plugins, queues, workers};

/// What every handler is given. Cloned for every layer of every request, so it is one count.
#[derive(Clone)]
pub(crate) struct Front(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) desk: Desk,
    pub(crate) access: Arc<Access>,
    /// Cancelled when jobs are taken no more.
    pub(crate) draining: CancellationToken,
    /// Cancelled when nothing more is going to happen: whoever waits is answered.
    pub(crate) closing: CancellationToken,
}

impl Front {
    pub(crate) fn new(
        desk: Desk,
        access: Access,
        draining: CancellationToken,
        closing: CancellationToken,
    ) -> Self {
        Self(Arc::new(Parts { desk, access: Arc::new(access), draining, closing }))
    }
}

impl Deref for Front {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A route, as it is described.
pub(crate) struct Route {
    pub(crate) needs: Needs,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// How it may refuse, beside what all routes of its kind do.
    pub(crate) refusals: &'static [Kind],
}

/// Makes of a table the router, its description, and the paths of the OpenAPI document.
macro_rules! routes {
    ($($needs:ident $method:ident $path:literal $module:ident::$handler:ident [$($kind:ident)*];)*) => {
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            needs: Needs::$needs,
            method: stringify!($method),
            path: $path,
            refusals: &[$(Kind::$kind),*],
        }),*];

        fn table(access: &Arc<Access>, is_served: impl Fn(&str) -> bool) -> Router<Front> {
            let mut router = Router::new();
            $(if is_served($path) {
                let route = guarded(access, Needs::$needs, $path, $method($module::$handler));
                router = router.route($path, route);
            })*
            router
        }

        /// What the code says of itself.
        #[derive(OpenApi)]
        #[openapi(paths($($module::$handler),*), components(schemas(events::EventView, Problem)))]
        pub(crate) struct Described;
    };
}

routes! {
    Enqueue post "/v1/jobs" jobs::enqueue [
        MalformedBody Invalid InvalidParameter UnknownPlugin UnknownFunction InvalidInput
        IdempotencyConflict UniqueConflict QueueFull Stopping
    ];
    Read get "/v1/jobs" listing::list [InvalidParameter];
    Job get "/v1/jobs/{id}" jobs::show [InvalidParameter UnknownJob];
    Admin delete "/v1/jobs/{id}" change::remove [InvalidParameter UnknownJob WrongState];
    Job get "/v1/jobs/{id}/result" jobs::result [InvalidParameter UnknownJob NoResult];
    Job get "/v1/jobs/{id}/logs" listing::logs [InvalidParameter UnknownJob];
    Enqueue post "/v1/jobs/{id}/cancel" change::cancel [
        MalformedBody InvalidParameter UnknownJob WrongState
    ];
    Admin post "/v1/jobs/{id}/retry" change::retry [
        MalformedBody InvalidParameter UnknownJob WrongState UniqueConflict
    ];
    Read get "/v1/queues" queues::list [];
    Read get "/v1/queues/{name}" queues::show [InvalidParameter];
    Admin post "/v1/queues/{name}/pause" queues::pause [MalformedBody InvalidParameter];
    Admin post "/v1/queues/{name}/resume" queues::resume [MalformedBody InvalidParameter];
    Admin post "/v1/queues/{name}/clear-failed" queues::clear_failed [
        MalformedBody InvalidParameter
    ];
    Admin post "/v1/queues/{name}/requeue-failed" queues::requeue [MalformedBody InvalidParameter];
    Read get "/v1/cache" cache::show [];
    Admin delete "/v1/cache" cache::clear [InvalidParameter];
    Read get "/v1/cache/entry" cache::get [InvalidParameter UnknownEntry];
    Admin put "/v1/cache/entry" cache::set [MalformedBody InvalidParameter];
    Admin delete "/v1/cache/entry" cache::delete [InvalidParameter UnknownEntry];
    Read get "/v1/plugins" plugins::list [];
    Read get "/v1/plugins/{name}" plugins::show [InvalidParameter NoPlugin FaultyPlugin];
    Owner put "/v1/plugins/{name}" plugins::push [
        MalformedBody UnsupportedMediaType InvalidParameter FaultyPlugin
    ];
    Owner delete "/v1/plugins/{name}" plugins::remove [InvalidParameter NoPlugin];
    Read get "/v1/plugins/{name}/schema" plugins::schema [InvalidParameter NoPlugin FaultyPlugin];
    Read get "/v1/plugins/{name}/versions" plugins::versions [
        InvalidParameter NoPlugin FaultyPlugin
    ];
    Read get "/v1/workers" workers::list [];
    Admin post "/v1/workers/{id}/quiet" workers::quiet [
        MalformedBody InvalidParameter UnknownWorker
    ];
    Admin post "/v1/workers/{id}/resume" workers::resume [
        MalformedBody InvalidParameter UnknownWorker
    ];
    Admin post "/v1/workers/{id}/stop" workers::stop [
        MalformedBody InvalidParameter UnknownWorker
    ];
    Read get "/v1/events" events::listen [InvalidParameter TooManyListeners];
    Read get "/v1/info" daemon::info [];
    Nobody get "/healthz" health::healthy [];
    Nobody get "/readyz" health::ready [Stopping];
    Read get "/metrics" metrics::scrape [];
    Nobody get "/openapi.json" openapi::show [];
}

fn guarded(
    access: &Arc<Access>,
    needs: Needs,
    path: &str,
    route: MethodRouter<Front>,
) -> MethodRouter<Front> {
    let bytes_max = match path {
        "/v1/plugins/{name}" => limits::PLUGIN_BODY_BYTES_MAX,
        _ => limits::BODY_BYTES_MAX,
    };
    route
        .route_layer(DefaultBodyLimit::max(bytes_max))
        .route_layer(middleware::from_fn_with_state((Arc::clone(access), needs), guard))
}

/// The routes of a daemon that only works.
const WATCHED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

pub(crate) fn router(front: Front) -> Router {
    let work_only = front.desk.work_only;
    let mut router = table(&front.access, |path| !work_only || WATCHED.contains(&path))
        .route_layer(middleware::from_fn(forms::refuse));
    router = if work_only { router.fallback(health::only) } else { router.fallback(unknown_route) };
    router = router.method_not_allowed_fallback(method_not_allowed).layer(CompressionLayer::new());
    if !front.access.origins.is_empty() {
        router = router.layer(cors(&front.access));
    }
    router.layer(middleware::from_fn(edge::receive)).with_state(front)
}

/// What pages of the origins that are allowed may ask, and read of the answer.
fn cors(access: &Access) -> CorsLayer {
    let asked: [HeaderName; 5] = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        idempotency::HEADER,
        edge::REQUEST_ID,
        HeaderName::from_static("last-event-id"),
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(access.origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(asked)
        .expose_headers([header::LOCATION, edge::REQUEST_ID])
}

async fn unknown_route(uri: Uri) -> Problem {
    let detail = format!("{:?} leads nowhere; jobs are at \"/v1/jobs\"", uri.path());
    Problem::new(Kind::UnknownRoute, detail)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{:?} doesn't take {method}", uri.path());
    Problem::new(Kind::MethodNotAllowed, detail)
}

/// The daemon's own state.
mod daemon {
    use super::*;

    /// Show what the daemon says of itself
    #[utoipa::path(get, path = "/v1/info", operation_id = "info", tag = "daemon",
        responses((status = 200, body = Info, description = "Back-ends, engine and limits")))]
    pub(super) async fn info(State(front): State<Front>) -> Result<Json<Info>, Problem> {
        Ok(Json(front.desk.info().await?))
    }
}
