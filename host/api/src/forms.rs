//! No page of another origin gets through to this machine.

use axum::extract::Request;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use gristmill_job::media;

use crate::problem::{Kind, Problem};

/// A page of another origin can send forms and text to this machine, with or without a body, but not
/// what is said to be JSON unless it asks first: so no other POST is taken. It would have to ask for
/// every other method that changes something too.
pub(crate) async fn refuse(request: Request, next: Next) -> Response {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if request.method() != Method::POST || given.is_some_and(media::is_json) {
        return next.run(request).await;
    }
    let detail = format!(
        "a POST must be said to be application/json, even without a body, and is {}",
        given.unwrap_or("not said to be anything")
    );
    Problem::new(Kind::UnsupportedMediaType, detail).field("content-type").into_response()
}
