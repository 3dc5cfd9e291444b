//! Requests to the hosts that the manifest allows.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{
    HostError, JobError, ToPayload,
    convert::decode,
    host::{Active, Host as _},
};

/// Outbound HTTP; [`Ctx::http`](crate::Ctx::http) gives it.
///
/// Hosts are granted by the manifest; another one answers [`HostError::AccessDenied`] with the line
/// that would grant it. A redirect isn't followed: it is a response like any other. Requests count
/// against the attempt's budget of them, 20 by default, and their bytes and those of their
/// responses against 8 MiB by default.
///
/// ```
/// use gristmill_guest::{HttpResponse, prelude::*};
///
/// #[job]
/// fn price(ctx: &Ctx, input: String) -> JobResult<f64> {
///     let url = format!("https://shop.example/prices/{input}");
///     let response = ctx.http().get(&url).header("accept", "application/json").send()?;
///     Ok(response.success()?.json()?)
/// }
///
/// let url = "https://shop.example/prices/tea";
/// let host = TestHost::new().with_response(url, HttpResponse::new(200, "3.2"));
/// assert_eq!(host.run::<price>("tea".to_owned()), Ok(3.2));
/// assert_eq!(host.requests()[0].url, url);
/// ```
pub struct Http<'a> {
    host: &'a Active,
}

/// A request that is being put together.
#[must_use = "it isn't sent before `send`"]
pub struct HttpCall<'a> {
    host: &'a Active,
    request: HttpRequest,
    /// What went wrong while it was put together.
    fault: Option<HostError>,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// Such as `GET`.
    pub method: String,
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
    /// For the whole exchange; 10 seconds, if not said.
    pub timeout: Option<Duration>,
}

/// What came back, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpResponse {
    /// Such as 200.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl<'a> Http<'a> {
    pub(crate) fn new(host: &'a Active) -> Http<'a> {
        Http { host }
    }

    /// A request with this method.
    pub fn request(&self, method: &str, url: &str) -> HttpCall<'a> {
        let request = HttpRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            timeout: None,
        };
        HttpCall { host: self.host, request, fault: None }
    }

    /// A `GET`.
    pub fn get(&self, url: &str) -> HttpCall<'a> {
        self.request("GET", url)
    }

    /// A `POST`.
    pub fn post(&self, url: &str) -> HttpCall<'a> {
        self.request("POST", url)
    }
}

impl HttpCall<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body, with its media type unless a header says one: a `String` is sent as its text
    /// and a `Vec<u8>` as its bytes, everything else as JSON.
    pub fn body<T: ToPayload + ?Sized>(mut self, body: &T) -> Self {
        match body.to_payload() {
            Ok(payload) => {
                let payload = payload.unwrap_or_default();
                let has_type =
                    |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
                if !payload.content_type.is_empty() && !self.request.headers.iter().any(has_type) {
                    self = self.header("content-type", &payload.content_type);
                }
                self.request.body = Some(payload.data);
            }
            Err(error) => self.fault = Some(HostError::Invalid(format!("the body: {error}"))),
        }
        self
    }

    /// Bounds the whole exchange; it never goes on beyond the attempt's own end.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(timeout);
        self
    }

    /// Sends the request and waits for the whole response. A status that tells of a failure is no
    /// error here; see [`HttpResponse::success`].
    pub fn send(self) -> Result<HttpResponse, HostError> {
        match self.fault {
            Some(fault) => Err(fault),
            None => self.host.send(self.request),
        }
    }
}

impl HttpResponse {
    /// A response, for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
        HttpResponse { status, headers: Vec::new(), body: body.into() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> HttpResponse {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The response, if its status is one of success. Otherwise the job's failure: 429 and 5xx are
    /// tried again, after the time that a header `retry-after` gives in seconds; everything else
    /// isn't.
    ///
    /// ```
    /// # use gristmill_guest::{HttpResponse, prelude::*};
    /// # use std::time::Duration;
    /// let busy = HttpResponse::new(503, "").with_header("Retry-After", "30");
    /// let error = busy.success().unwrap_err();
    /// assert_eq!(error.code.as_deref(), Some("http-503"));
    /// assert_eq!(error.disposition, Disposition::RetryAfter(Duration::from_secs(30)));
    /// assert_eq!(HttpResponse::new(404, "").success().unwrap_err().disposition, Disposition::Fatal);
    /// ```
    pub fn success(self) -> Result<HttpResponse, JobError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let message = format!("the server answered with status {}", self.status);
        let seconds = self.header("retry-after").and_then(|text| text.trim().parse().ok());
        let error = match (self.status, seconds) {
            (429 | 500..=599, Some(seconds)) => {
                JobError::retry_after(Duration::from_secs(seconds), message)
            }
            (429 | 500..=599, None) => JobError::retry(message),
            _ => JobError::fatal(message),
        };
        Err(error.code(format!("http-{}", self.status)))
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str, HostError> {
        std::str::from_utf8(&self.body)
            .map_err(|_| HostError::Invalid("the response is no text in UTF-8".to_owned()))
    }

    /// The body as a value: a `String` or `Vec<u8>` as it came, everything else from JSON.
    pub fn json<T: DeserializeOwned + 'static>(self) -> Result<T, HostError> {
        decode(self.body).map_err(|error| {
            let expected = std::any::type_name::<T>();
            HostError::Invalid(format!("the response is no {expected}: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn a_body_brings_its_media_type_unless_one_is_said() {
        let host = TestHost::new().with_response("https://a.example/", HttpResponse::new(204, ""));
        let ctx = host.ctx();
        ctx.http().post("https://a.example/").body(&[1, 2]).send().unwrap();
        let call = ctx.http().post("https://a.example/").header("Content-Type", "text/csv");
        call.body("1,2").timeout(Duration::from_secs(1)).send().unwrap();
        let sent = host.requests();
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(sent[0].headers, header("content-type", "application/json"));
        assert_eq!(sent[0].body.as_deref(), Some(&b"[1,2]"[..]));
        assert_eq!(sent[1].headers, header("Content-Type", "text/csv"));
        assert_eq!(
            (sent[1].method.as_str(), sent[1].timeout),
            ("POST", Some(Duration::from_secs(1)))
        );
    }

    #[test]
    fn a_host_without_a_response_is_not_granted() {
        let host = TestHost::new();
        let error = host.ctx().http().get("https://b.example/").send().unwrap_err();
        assert!(matches!(error, HostError::AccessDenied(_)), "{error}");
        assert_eq!(host.requests().len(), 1);
    }

    #[test]
    fn a_response_is_read_by_its_type() {
        let response = HttpResponse::new(200, "{\"a\": 1}").with_header("ETag", "x");
        assert_eq!(response.header("etag"), Some("x"));
        assert_eq!(response.text(), Ok("{\"a\": 1}"));
        let error = response.clone().json::<Vec<u8>>().map(|bytes| bytes.len());
        assert_eq!(error, Ok(8));
        assert!(response.json::<u8>().unwrap_err().to_string().contains("is no u8"));
        assert!(HttpResponse::new(200, [0xff]).text().is_err());
    }
}
