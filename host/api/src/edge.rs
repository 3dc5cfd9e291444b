//! What happens to every request before and after its handler: its id, its span, its body's patience.

use std::error::Error as StdError;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use gristmill_job::time;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::limits;
use crate::problem::Blame;

/// By what a request is found in the logs of client and daemon.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The body didn't come in time.
#[derive(Debug, thiserror::Error)]
#[error("the body didn't come within {} seconds", limits::BODY_PATIENCE.as_secs())]
pub(crate) struct TooSlow;

impl TooSlow {
    /// Whether this is what is behind an error.
    pub(crate) fn is_behind(error: &(dyn StdError + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if error.is::<Self>() {
                return true;
            }
            next = error.source();
        }
        false
    }
}

/// A probe's answer is what it is asked for, whatever it is, and it is asked for every few seconds.
const PROBED: &str = "/readyz";

/// Gives a request its id and its span, and its body a deadline. Requests go by at `debug`: there may be
/// thousands a second. Of one that fails by our own doing there is a line for whoever only hears of trouble.
pub(crate) async fn receive(request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let shown = id.to_str().unwrap_or_default();
    let span = tracing::debug_span!("request", id = shown, %method, path);
    let request = request.map(|body| if body.is_end_stream() { body } else { hasty(body) });
    let begun = time::monotonic();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took_us = time::monotonic().saturating_duration_since(begun).as_micros();
    let status = response.status().as_u16();
    if response.status().is_server_error() && path != PROBED {
        let why = response.extensions().get().map(|Blame(why)| why.as_str()).unwrap_or_default();
        tracing::warn!(id = shown, %method, path, status, took_us, "a request could not be served: {why}");
    } else {
        span.in_scope(|| tracing::debug!(status, took_us, "answered"));
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id that the client or a proxy gave, if it can stand in a log, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_fine = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=limits::REQUEST_ID_BYTES_MAX).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
    };
    let given = headers.get(REQUEST_ID).filter(is_fine).cloned();
    given.unwrap_or_else(|| {
        let made = HeaderValue::from_str(&Uuid::new_v4().to_string());
        made.unwrap_or(HeaderValue::from_static("-"))
    })
}

/// A body that fails once its time is up.
fn hasty(body: Body) -> Body {
    type Parts = Option<(BodyDataStream, std::pin::Pin<Box<tokio::time::Sleep>>)>;
    let patience = Box::pin(tokio::time::sleep(limits::BODY_PATIENCE));
    let parts: Parts = Some((body.into_data_stream(), patience));
    Body::from_stream(stream::unfold(parts, |parts: Parts| async move {
        let (mut data, mut patience) = parts?;
        tokio::select! {
            part = data.next() => match part? {
                Ok(part) => Some((Ok(part), Some((data, patience)))),
                Err(error) => Some((Err(error.into_inner()), None)),
            },
            () = &mut patience => Some((Err(TooSlow.into()), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_line_of_the_log_is_replaced() {
        let id = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, given.parse().unwrap());
            request_id(&headers).to_str().unwrap().to_owned()
        };
        assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
        for bad in ["", "a b", "a\tstatus=200", &"a".repeat(65)] {
            assert_eq!(id(bad).len(), 36, "{bad}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_fails_when_its_time_is_up() {
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>("x"), ()))
        });
        let body = hasty(Body::from_stream(trickle));
        let error = axum::body::to_bytes(body, usize::MAX).await.unwrap_err();
        assert!(TooSlow::is_behind(&error), "{error:?}");
        let whole = axum::body::to_bytes(hasty(Body::from("abc")), usize::MAX).await.unwrap();
        assert_eq!(&whole[..], b"abc");
    }
}
