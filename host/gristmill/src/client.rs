//! The client of a daemon: jobs over HTTP.

mod cache;
mod jobs;
mod queues;
mod wire;

pub use self::wire::request;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use gristmill_api::{Info, Kind, PluginsView, Problem, VerdictView};
use gristmill_job::wire::JobView;
use gristmill_job::{JobId, NewJob, Payload, StateName, media, time};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Response, Url};
use serde::de::DeserializeOwned;

/// How long one request of a wait lasts: short enough for whatever stands between client and daemon.
const POLL: Duration = Duration::from_secs(30);
/// How long the daemon has to take a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long the daemon has to answer, beside what it was asked to wait.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// Why a daemon couldn't be asked, or said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// That is no server's address.
    #[error("{0:?} is no server's address such as http://127.0.0.1:7430")]
    InvalidServer(String),
    /// Nobody answers there.
    #[error("no server can be reached at {server}: {reason}")]
    Unreachable {
        /// The address.
        server: String,
        /// Why.
        reason: String,
    },
    /// The daemon said no.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// Whoever answers there is no daemon of this version.
    #[error("the server at {server} doesn't answer as Gristmill does: {reason}")]
    Unexpected {
        /// The address.
        server: String,
        /// What it did instead.
        reason: String,
    },
}

/// A client of the daemon `gristmill serve`. Cloning shares its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
}

/// A configuration of TLS that trusts nobody.
fn no_tls() -> Option<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().ok()?;
    let nobody = rustls::RootCertStore::empty();
    Some(config.with_root_certificates(nobody).with_no_client_auth())
}

impl Client {
    /// A client of the daemon at an address such as `http://127.0.0.1:7430`. Doesn't connect yet.
    ///
    /// # Errors
    /// [`Error::InvalidServer`].
    pub fn new(server: &str) -> Result<Self, Error> {
        let invalid = || Error::InvalidServer(server.to_owned());
        let url: Url = server.parse().map_err(|_| invalid())?;
        if url.scheme() != "http" || url.host().is_none() {
            return Err(invalid());
        }
        // Daemons listen on this machine alone, where no proxy leads, and without TLS: the certificates
        // that this machine trusts needn't be read.
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(no_tls().ok_or_else(invalid)?)
            .connect_timeout(CONNECT_PATIENCE)
            .build()
            .map_err(|_| invalid())?;
        Ok(Self { http, server: url })
    }

    /// Enqueues a job; repeating it with the same id is harmless. Answers the job as it was taken
    /// over.
    ///
    /// # Errors
    /// [`Error`]; every refusal is [`Error::Refused`].
    pub async fn enqueue(&self, job: &NewJob) -> Result<JobView, Error> {
        let request = self.http.post(self.url("/v1/jobs")).json(&wire::request(job));
        self.read(self.send(request, Duration::ZERO).await?).await
    }

    /// Enqueues jobs in one step; a verdict each, in their order.
    ///
    /// # Errors
    /// [`Error`]; a refused job is a verdict, a refused batch [`Error::Refused`].
    pub async fn enqueue_many(&self, jobs: &[NewJob]) -> Result<Vec<VerdictView>, Error> {
        let body: Vec<_> = jobs.iter().map(wire::request).collect();
        let request = self.http.post(self.url("/v1/jobs")).json(&body);
        self.read(self.send(request, Duration::ZERO).await?).await
    }

    /// A job, as long as its record is kept.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job(&self, id: JobId) -> Result<Option<JobView>, Error> {
        self.poll(id, Duration::ZERO).await
    }

    /// A job as soon as its life has ended, or as it is when `patience` is over; without patience,
    /// it may take as long as it takes. Safe to drop.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn wait(
        &self,
        id: JobId,
        patience: Option<Duration>,
    ) -> Result<Option<JobView>, Error> {
        let begun = time::monotonic();
        loop {
            let passed = time::monotonic().saturating_duration_since(begun);
            let left = patience.map(|patience| patience.saturating_sub(passed));
            let job = self.poll(id, left.unwrap_or(POLL).min(POLL)).await?;
            let has_ended = job.as_ref().is_none_or(|job| {
                use StateName as S;
                matches!(job.state, S::Completed | S::Failed | S::Cancelled)
            });
            if has_ended || left.is_some_and(|left| left <= POLL) {
                return Ok(job);
            }
        }
    }

    /// What a job handed back, byte for byte; none, if it has no result or isn't kept any more.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn result(&self, id: JobId) -> Result<Option<Payload>, Error> {
        let request = self.http.get(self.url(&format!("/v1/jobs/{id}/result")));
        let response = self.send(request, Duration::ZERO).await?;
        if !response.status().is_success() {
            return match self.problem(response).await {
                Error::Refused(problem)
                    if problem.is(Kind::UnknownJob) || problem.is(Kind::NoResult) =>
                {
                    Ok(None)
                }
                error => Err(error),
            };
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let data = response.bytes().await.map_err(|e| self.unreachable(&e))?;
        Ok(Some(Payload { content_type, data }))
    }

    /// What the daemon says of itself.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn info(&self) -> Result<Info, Error> {
        self.read(self.send(self.http.get(self.url("/v1/info")), Duration::ZERO).await?).await
    }

    /// The plugins of the daemon, and what is wrong with them.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn plugins(&self) -> Result<PluginsView, Error> {
        self.read(self.send(self.http.get(self.url("/v1/plugins")), Duration::ZERO).await?).await
    }

    async fn poll(&self, id: JobId, wait: Duration) -> Result<Option<JobView>, Error> {
        let request = self
            .http
            .get(self.url(&format!("/v1/jobs/{id}")))
            .query(&[("wait", format!("{}ms", wait.as_millis()))]);
        match self.read(self.send(request, wait).await?).await {
            Ok(job) => Ok(Some(job)),
            Err(Error::Refused(problem)) if problem.is(Kind::UnknownJob) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a change that is told by the path alone. The daemon takes only what no page of
    /// another origin can send, which is JSON.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        parameter: Option<(&str, &str)>,
    ) -> Result<T, Error> {
        let request = self
            .http
            .request(method, self.url(path))
            .query(parameter.as_slice())
            .header(CONTENT_TYPE, media::JSON);
        self.read(self.send(request, Duration::ZERO).await?).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.server.clone();
        url.set_path(path);
        url
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        wait: Duration,
    ) -> Result<Response, Error> {
        request.timeout(wait + ANSWER_PATIENCE).send().await.map_err(|e| self.unreachable(&e))
    }

    /// The body of an answer that is what was asked for.
    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Error> {
        if !response.status().is_success() {
            return Err(self.problem(response).await);
        }
        let body = response.bytes().await.map_err(|e| self.unreachable(&e))?;
        serde_json::from_slice(&body).map_err(|e| self.unexpected(e.to_string()))
    }

    /// The problem that an answer tells of.
    async fn problem(&self, response: Response) -> Error {
        let status = response.status();
        match response.json::<Problem>().await {
            Ok(problem) => Error::Refused(Box::new(problem)),
            Err(_) => self.unexpected(format!("status {status}")),
        }
    }

    fn unexpected(&self, reason: String) -> Error {
        Error::Unexpected { server: self.address(), reason }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        // The outer layers say in long words that a request failed; the innermost says why.
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        Error::Unreachable { server: self.address(), reason }
    }

    fn address(&self) -> String {
        self.server.as_str().trim_end_matches('/').to_owned()
    }
}
