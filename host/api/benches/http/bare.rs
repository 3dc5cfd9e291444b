//! The least that a server of this framework does: reads a body as JSON and writes one.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) async fn serve(
    listener: TcpListener,
    closing: CancellationToken,
) -> Result<(), std::io::Error> {
    let router = Router::new().route("/v1/jobs", post(enqueue)).route("/v1/jobs/{id}", get(show));
    axum::serve(listener, router).with_graceful_shutdown(closing.cancelled_owned()).await
}

async fn enqueue(Json(job): Json<Value>) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "plugin": job["plugin"], "state": "queued" })))
}

async fn show(Path(id): Path<String>) -> Json<Value> {
    Json(json!({ "id": id, "plugin": "echo", "state": "queued" }))
}
