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
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) timeout: Duration,
    pub(crate) response_bytes_max: u64,
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
    Failed(String),
}

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
            return Err(SendError::Failed(not_public(&address.to_string())));
        }
        let Request { method, url, headers, body, timeout, response_bytes_max } = request;
        let mut request = self.client(reach)?.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut response = request.timeout(timeout).send().await.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if (body.len() + chunk.len()) as u64 > response_bytes_max {
                return Err(SendError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
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
            let found = tokio::net::lookup_host((name, 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| reach.allows(found.ip())).collect();
            if allowed.is_empty() {
                return Err(not_public(name).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn not_public(host: &str) -> String {
    format!("{host} has no public address, and only those are granted")
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
        return SendError::Failed("no response in time".to_owned());
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    SendError::Failed(cause.to_string())
}
