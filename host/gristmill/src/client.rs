//! The client of a daemon: jobs over HTTP.

mod builder;
mod cache;
mod jobs;
mod plugins;
mod queues;
mod send;
mod wire;
mod workers;

pub use self::builder::ClientBuilder;
pub use self::wire::request;

use std::path::PathBuf;
use std::time::Duration;

use gristmill_api::{Info, Kind, PluginsView, Problem, VerdictView};
use gristmill_job::wire::JobView;
use gristmill_job::{JobId, NewJob, Payload, StateName, media, time};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde::de::{DeserializeOwned, IgnoredAny};

/// How long one request of a wait lasts: short enough for whatever stands between client and daemon.
const POLL: Duration = Duration::from_secs(30);

/// Why a daemon couldn't be asked, or said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// That is no server's address.
    #[error("{0:?} is no server's address such as http://127.0.0.1:7430")]
    InvalidServer(String),
    /// The access token can't be sent.
    #[error("the access token holds other characters than visible ones of ASCII")]
    InvalidToken,
    /// The certificates to trust can't be had.
    #[error("{path} holds no certificates in PEM that can be read: {reason}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// TLS can't be spoken here.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
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

impl Client {
    /// A client of the daemon at an address such as `http://127.0.0.1:7430`. Doesn't connect yet.
    ///
    /// # Errors
    /// [`Error::InvalidServer`].
    pub fn new(server: &str) -> Result<Self, Error> {
        Self::builder(server).build()
    }

    /// A client of the daemon at an address, to be told how to speak to it.
    pub fn builder(server: &str) -> ClientBuilder {
        ClientBuilder::new(server)
    }

    /// Enqueues a job; repeating it with the same id is harmless. Answers the job as it was taken
    /// over.
    ///
    /// # Errors
    /// [`Error`]; every refusal is [`Error::Refused`].
    pub async fn enqueue(&self, job: &NewJob) -> Result<JobView, Error> {
        let request = self.http.post(self.url("/v1/jobs")).json(&wire::request(job));
        self.read(self.insist(request, Duration::ZERO).await?).await
    }

    /// Enqueues jobs in one step; a verdict each, in their order.
    ///
    /// # Errors
    /// [`Error`]; a refused job is a verdict, a refused batch [`Error::Refused`].
    pub async fn enqueue_many(&self, jobs: &[NewJob]) -> Result<Vec<VerdictView>, Error> {
        let body: Vec<_> = jobs.iter().map(wire::request).collect();
        let request = self.http.post(self.url("/v1/jobs")).json(&body);
        self.read(self.insist(request, Duration::ZERO).await?).await
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
        let response = self.insist(request, Duration::ZERO).await?;
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

    /// Asks whether the daemon serves, which takes no token. Asked once, since whoever wants to know asks
    /// again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn health(&self) -> Result<(), Error> {
        let request = self.http.get(self.url("/healthz"));
        let _: IgnoredAny = self.read(self.send(request, Duration::ZERO).await?).await?;
        Ok(())
    }

    /// What the daemon says of itself.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn info(&self) -> Result<Info, Error> {
        self.look("/v1/info").await
    }

    /// The plugins of the daemon, and what is wrong with them.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn plugins(&self) -> Result<PluginsView, Error> {
        self.look("/v1/plugins").await
    }

    async fn poll(&self, id: JobId, wait: Duration) -> Result<Option<JobView>, Error> {
        let request = self
            .http
            .get(self.url(&format!("/v1/jobs/{id}")))
            .query(&[("wait", format!("{}ms", wait.as_millis()))]);
        match self.read(self.insist(request, wait).await?).await {
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
}
