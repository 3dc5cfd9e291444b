//! `gristmill:job/http`: requests to the hosts that the manifest grants.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::admission::attempt;
use crate::bindings::http::{Host, Request, Response};
use crate::bindings::types::Error;
use crate::config;
use crate::log_book::cut;
use crate::outbound::{self, SendError};
use crate::state::State;

/// A request that doesn't say how long it may take has this long.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
/// Headers of a request: as many as common servers take.
pub(super) const HEADERS_MAX: usize = 64;
/// A URL: as long as common servers take.
pub(super) const URL_BYTES_MAX: usize = 8 << 10;
/// Headers that belong to the connection, or say where a request goes.
const OURS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Host for State {
    #[tracing::instrument(level = "trace", name = "http.send", skip_all)]
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        self.count_host_call()?;
        let url = attempt!(parse(&request.url));
        let Some(reach) = self.plugin.outbound().reach(&url) else {
            return Ok(Err(self.not_granted(&url)));
        };
        let method = attempt!(method(&request.method));
        let headers = attempt!(headers(&request.headers));
        let sent = request.url.len() + request.body.as_ref().map_or(0, Vec::len);
        attempt!(self.budget.take_http(&self.limits, sent as u64));
        let asked = request.timeout.map_or(TIMEOUT_DEFAULT, Duration::from_millis);
        let request = outbound::Request {
            method,
            headers,
            body: request.body.map(Into::into),
            timeout: asked.min(self.remaining()),
            first_byte: None,
            between_bytes: None,
            meter: self.budget.http(&self.limits),
            url,
        };
        let at = origin(&request.url);
        Ok(match self.plugin.clone().outbound().send(request, reach).await {
            Ok(response) => Ok(Response {
                status: response.status,
                headers: listed(&response.headers),
                body: response.body.into(),
            }),
            Err(SendError::TooLarge) => Err(self.budget.http_spent(&self.limits)),
            Err(why) => Err(Error::Unavailable(format!("{at}: {why}"))),
        })
    }
}

impl State {
    pub(super) fn not_granted(&self, url: &Url) -> Error {
        let (at, plugin) = (origin(url), self.plugin.name());
        let at = cut(&at, config::NAME_BYTES_SHOWN);
        Error::AccessDenied(format!(
            "requests to {at} are not granted to this plugin; what this needs is {at:?} = \"public\" \
             under [grants.http] in its manifest, {plugin}.toml"
        ))
    }
}

pub(super) fn parse(text: &str) -> Result<Url, Error> {
    if text.len() > URL_BYTES_MAX {
        return Err(Error::TooLarge(URL_BYTES_MAX as u64));
    }
    // What stands behind the host may be a secret.
    let shown = || {
        cut(text.split(['?', '#']).next().unwrap_or_default(), config::NAME_BYTES_SHOWN).to_owned()
    };
    let wrong = |why: &str| Error::Invalid(format!("the URL {:?} {why}", shown()));
    let url = Url::parse(text).map_err(|error| wrong(&format!("can't be read: {error}")))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Invalid(
            "a URL may not hold a user: set the header authorization".to_owned(),
        ));
    }
    Ok(url)
}

/// Where a URL leads to, without what it asks for there.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

pub(super) fn method(name: &str) -> Result<Method, Error> {
    let wrong = || Error::Invalid(format!("{:?} is no method that can be sent", cut(name, 32)));
    let method = Method::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
    // Tunnels and echoes of what was sent are for proxies and debugging.
    if [Method::CONNECT, Method::TRACE].contains(&method) { Err(wrong()) } else { Ok(method) }
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, Error> {
    if given.len() > HEADERS_MAX {
        return Err(Error::Invalid(format!("a request may have {HEADERS_MAX} headers")));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let shown = cut(name, config::NAME_BYTES_SHOWN);
        let wrong = |why| Error::Invalid(format!("the header {shown:?} {why}"));
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("has no header's name"))?;
        if is_ours(&name) {
            return Err(wrong("is set by the host"));
        }
        let value =
            HeaderValue::from_str(value).map_err(|_| wrong("has a value that can't be sent"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// Whether a header is the host's to set.
pub(super) fn is_ours(name: &HeaderName) -> bool {
    OURS.contains(&name.as_str()) || name.as_str().starts_with("proxy-")
}

/// The response's headers; bytes that are no text are replaced.
fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.iter().map(pair).collect()
}
