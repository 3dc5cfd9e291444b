//! Requests that leave this machine for a guest: to the hosts that its manifest names, and to those of
//! their addresses that it allows.
//!
//! The address that was looked up and found to be allowed is the one that is connected to: a name
//! can't answer one thing to the check and another to the connection. Redirects are answers, which a
//! guest follows by a request of its own. Each plugin has connections of its own, so that none goes
//! where only another may.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Url};

use crate::budget::Meter;
use crate::grants::{HttpHost, Reach};

/// How long a connection may take: what doesn't answer by then won't.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections to one host that are kept for the next request.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// How long they are kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A plugin's way out.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    hosts: Vec<HttpHost>,
    /// By reach; made when first used: most plugins send nothing.
    clients: [OnceLock<Client>; 2],
}

/// A request that may be sent.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// From here to the end of the response.
    pub(crate) timeout: Duration,
    /// To the response's head, if that is asked to be sooner.
    pub(crate) first_byte: Option<Duration>,
    /// The same between parts of its body.
    pub(crate) between_bytes: Option<Duration>,
    /// Takes the bytes of the response.
    pub(crate) meter: Meter,
}

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("the response has more bytes than are left")]
    TooLarge,
    #[error("{0}")]
    NotPublic(NotPublic),
    #[error("no response in time")]
    TimedOut,
    #[error("{0}")]
    NotResolved(String),
    #[error("{0}")]
    NotConnected(String),
    #[error("{0}")]
    Failed(String),
}

/// None of a host's addresses may be reached.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0} has no public address, and only those are granted")]
pub(crate) struct NotPublic(String);

/// A host's name wasn't found.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotResolved(std::io::Error);

impl Outbound {
    pub(crate) fn new(hosts: &[HttpHost]) -> Self {
        Self { hosts: hosts.to_vec(), ..Self::default() }
    }

    /// How far a request to this URL may reach; none: it isn't granted.
    pub(crate) fn reach(&self, url: &Url) -> Option<Reach> {
        self.hosts.iter().filter(|host| host.covers(url)).map(|host| host.reach).max()
    }

    /// Sends a request whose host is granted so far.
    pub(crate) async fn send(&self, request: Request, reach: Reach) -> Result<Response, SendError> {
        // A literal address is never looked up, so it is checked here.
        if let Some(address) = literal(&request.url)
            && !reach.allows(address)
        {
            return Err(SendError::NotPublic(NotPublic(address.to_string())));
        }
        let Request { method, url, headers, body, timeout, first_byte, between_bytes, meter } =
            request;
        let mut request = self.client(reach)?.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut response = within(first_byte, request.timeout(timeout).send()).await?;
        let mut holding = meter.holding();
        let head = response.headers().iter();
        let head: usize = head.map(|(name, value)| name.as_str().len() + value.len()).sum();
        if !holding.take(head) {
            return Err(SendError::TooLarge);
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = within(between_bytes, response.chunk()).await? {
            if !holding.take(chunk.len()) {
                return Err(SendError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        holding.keep();
        let headers = std::mem::take(response.headers_mut());
        Ok(Response { status: response.status().as_u16(), headers, body: body.freeze() })
    }

    fn client(&self, reach: Reach) -> Result<&Client, SendError> {
        let slot = &self.clients[reach as usize];
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        // Another part of the process may have chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(Arc::new(Resolver(reach)))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(failed)?;
        Ok(slot.get_or_init(|| client))
    }
}

/// Looks names up, and leaves out what may not be reached.
struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let name = name.as_str();
            let found = tokio::net::lookup_host((name, 0)).await.map_err(NotResolved)?;
            let allowed: Vec<SocketAddr> = found.filter(|found| reach.allows(found.ip())).collect();
            if allowed.is_empty() {
                return Err(NotPublic(name.to_owned()).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Waits for a part of a response no longer than is asked for.
async fn within<T>(
    wait: Option<Duration>,
    part: impl Future<Output = reqwest::Result<T>>,
) -> Result<T, SendError> {
    let came = match wait {
        Some(wait) => tokio::time::timeout(wait, part).await.map_err(|_| SendError::TimedOut)?,
        None => part.await,
    };
    came.map_err(failed)
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        url::Host::Ipv4(address) => Some(address.into()),
        url::Host::Ipv6(address) => Some(address.into()),
        url::Host::Domain(_) => None,
    }
}

/// The innermost cause says the most; the URL is left out, since secrets may be in it.
fn failed(error: reqwest::Error) -> SendError {
    if error.is_timeout() {
        return SendError::TimedOut;
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if let Some(not_public) = cause.downcast_ref::<NotPublic>() {
        return SendError::NotPublic(not_public.clone());
    }
    let why = cause.to_string();
    if cause.is::<NotResolved>() {
        return SendError::NotResolved(why);
    }
    if error.is_connect() { SendError::NotConnected(why) } else { SendError::Failed(why) }
}
