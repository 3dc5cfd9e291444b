//! A request on its way, and what comes back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use gristmill_job::{LogLevel, time};
use reqwest::header::{CONTENT_LENGTH, HeaderName};
use reqwest::{Method, Url};
use tokio::sync::Semaphore;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::body::Awaited;
use super::{Fields, IncomingBody, Options, OutgoingRequest};
use crate::bindings::types::Error;
use crate::bindings::wasi_http::outgoing_handler::Host;
use crate::bindings::wasi_http::types::{
    DnsErrorPayload, ErrorCode, HostFutureIncomingResponse, HostIncomingResponse, Method as Verb,
    Scheme,
};
use crate::budget::Meter;
use crate::capabilities::http::{is_ours, method, parse};
use crate::grants::Reach;
use crate::outbound::{self, SendError};
use crate::plugin::Plugin;
use crate::state::{State, lock};

/// Requests of one attempt that are on their way at one time: each holds a connection.
const REQUESTS_AT_ONCE_MAX: usize = 16;

/// What came back, or why nothing did.
type Came = Result<outbound::Response, ErrorCode>;

/// A request on its way. It goes on while the guest waits for it or asks for its response, and ends
/// with the attempt.
pub enum Exchange {
    Sending(Pin<Box<dyn Future<Output = Came> + Send>>),
    Came(Came),
    Taken,
}

/// What came back.
pub struct IncomingResponse {
    status: u16,
    headers: Fields,
    /// None once it was taken.
    body: Option<Bytes>,
}

/// A request that is granted and will be sent as soon as its body is there.
struct Granted {
    plugin: Plugin,
    reach: Reach,
    method: Method,
    url: Url,
    headers: Fields,
    body: Option<Awaited>,
    options: Options,
    deadline: Instant,
    meter: Meter,
}

impl Host for State {
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<Options>>,
    ) -> wasmtime::Result<Result<Resource<Exchange>, ErrorCode>> {
        self.count_host_call()?;
        let request = self.table.delete(request)?;
        let options = match options {
            Some(options) => self.table.delete(options)?,
            None => Options::default(),
        };
        let granted = match self.grant(request, options) {
            Ok(granted) => granted,
            Err(code) => return Ok(Err(code)),
        };
        let places =
            self.http_places.get_or_insert_with(|| Arc::new(Semaphore::new(REQUESTS_AT_ONCE_MAX)));
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            return Ok(Err(ErrorCode::ConnectionLimitReached));
        };
        let sending = Box::pin(async move {
            let came = granted.send().await;
            drop(place);
            came
        });
        Ok(Ok(self.table.push(Exchange::Sending(sending))?))
    }
}

impl State {
    /// Whether a request may be sent: by its form, the manifest and the attempt's budget.
    fn grant(&mut self, request: OutgoingRequest, options: Options) -> Result<Granted, ErrorCode> {
        let method = verb(&request.method)?;
        let url = url(&request)?;
        let Some(reach) = self.plugin.outbound().reach(&url) else {
            let why = self.not_granted(&url);
            return Err(self.denied(why));
        };
        if let Err(why) = self.budget.take_http(&self.limits, url.as_str().len() as u64) {
            return Err(self.denied(why));
        }
        Ok(Granted {
            plugin: self.plugin.clone(),
            reach,
            method,
            url,
            headers: request.headers,
            body: request.body,
            options,
            deadline: self.deadline,
            meter: self.budget.http(&self.limits),
        })
    }

    /// The standard has no place for what is missing, so that goes to the job's log.
    fn denied(&mut self, why: Error) -> ErrorCode {
        if let Error::AccessDenied(why) | Error::QuotaExceeded(why) = why {
            let line = format!("wasi:http: {why}");
            lock(self.log()).line(LogLevel::Warn, &line, Vec::new());
        }
        ErrorCode::HttpRequestDenied
    }
}

impl Granted {
    async fn send(self) -> Came {
        let body = match self.body {
            // One that is dropped unfinished isn't sent.
            Some(body) => Some(body.await.map_err(|_| ErrorCode::HttpProtocolError)?),
            None => None,
        };
        let mut headers = self.headers.map().clone();
        // It is as long as it is: a body says so itself, and without one nothing follows.
        if let Some(said) = headers.remove(CONTENT_LENGTH)
            && body.is_none()
            && said != "0"
        {
            return Err(ErrorCode::HttpRequestBodySize(Some(0)));
        }
        let request = outbound::Request {
            method: self.method,
            url: self.url,
            headers,
            body,
            timeout: self.deadline.saturating_duration_since(time::monotonic()),
            first_byte: self.options.first_byte(),
            between_bytes: self.options.between_bytes(),
            meter: self.meter.clone(),
        };
        let came = self.plugin.outbound().send(request, self.reach).await;
        came.map_err(|error| code(&error, self.meter.max()))
    }
}

fn code(error: &SendError, bytes_max: u64) -> ErrorCode {
    match error {
        SendError::TooLarge => ErrorCode::HttpResponseBodySize(Some(bytes_max)),
        SendError::NotPublic(_) => ErrorCode::DestinationIpProhibited,
        SendError::TimedOut => ErrorCode::ConnectionReadTimeout,
        SendError::NotResolved(_) => {
            ErrorCode::DnsError(DnsErrorPayload { rcode: None, info_code: None })
        }
        SendError::NotConnected(_) => ErrorCode::ConnectionRefused,
        SendError::Failed(_) => ErrorCode::HttpProtocolError,
    }
}

fn verb(verb: &Verb) -> Result<Method, ErrorCode> {
    let name = match verb {
        Verb::Get => "GET",
        Verb::Head => "HEAD",
        Verb::Post => "POST",
        Verb::Put => "PUT",
        Verb::Delete => "DELETE",
        Verb::Connect => "CONNECT",
        Verb::Options => "OPTIONS",
        Verb::Trace => "TRACE",
        Verb::Patch => "PATCH",
        Verb::Other(name) => name,
    };
    method(name).map_err(|_| ErrorCode::HttpRequestMethodInvalid)
}

/// Where a request goes, put together of its parts: what is checked is what is sent.
fn url(request: &OutgoingRequest) -> Result<Url, ErrorCode> {
    let scheme = match &request.scheme {
        Some(Scheme::Http) => "http",
        Some(Scheme::Https) | None => "https",
        Some(Scheme::Other(_)) => return Err(ErrorCode::HttpProtocolError),
    };
    let authority = request.authority.as_deref().unwrap_or_default();
    // A host and a port, and nothing that would make another host of what follows.
    if authority.is_empty() || authority.contains(['/', '\\', '?', '#', '@']) {
        return Err(ErrorCode::HttpRequestUriInvalid);
    }
    let path = request.path_with_query.as_deref().unwrap_or_default();
    parse(&format!("{scheme}://{authority}{path}")).map_err(|error| match error {
        Error::TooLarge(_) => ErrorCode::HttpRequestUriTooLong,
        _ => ErrorCode::HttpRequestUriInvalid,
    })
}

#[async_trait::async_trait]
impl Pollable for Exchange {
    async fn ready(&mut self) {
        if let Self::Sending(sending) = self {
            *self = Self::Came(sending.await);
        }
    }
}

/// What asking for a response answers: whether it is here, whether it was taken before, and what went
/// wrong.
type Response = Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>;

impl HostFutureIncomingResponse for State {
    fn subscribe(
        &mut self,
        exchange: Resource<Exchange>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, exchange)
    }

    fn get(&mut self, exchange: Resource<Exchange>) -> wasmtime::Result<Response> {
        let exchange = self.table.get_mut(&exchange)?;
        // A guest may ask again and again instead of waiting.
        let mut context = Context::from_waker(Waker::noop());
        if exchange.ready().as_mut().poll(&mut context) == Poll::Pending {
            return Ok(None);
        }
        let Exchange::Came(came) = std::mem::replace(exchange, Exchange::Taken) else {
            return Ok(Some(Err(())));
        };
        let mut response = match came {
            Ok(response) => response,
            Err(code) => return Ok(Some(Ok(Err(code)))),
        };
        // What was between the host and the server ended with the host.
        let gone: Vec<HeaderName> =
            response.headers.keys().filter(|n| is_hop(n)).cloned().collect();
        for name in gone {
            response.headers.remove(name);
        }
        let response = IncomingResponse {
            status: response.status,
            headers: Fields::immutable(response.headers),
            body: Some(response.body),
        };
        Ok(Some(Ok(Ok(self.table.push(response)?))))
    }

    fn drop(&mut self, exchange: Resource<Exchange>) -> wasmtime::Result<()> {
        self.table.delete(exchange)?;
        Ok(())
    }
}

fn is_hop(name: &HeaderName) -> bool {
    is_ours(name) && name != CONTENT_LENGTH
}

impl HostIncomingResponse for State {
    fn status(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&response)?.status)
    }

    fn headers(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push(headers)?)
    }

    fn consume(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        let Some(body) = self.table.get_mut(&response)?.body.take() else { return Ok(Err(())) };
        Ok(Ok(self.table.push(IncomingBody(Some(body)))?))
    }

    fn drop(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}
