//! Sends spans to their collector, in batches, and never waits for it longer than is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gristmill::CancellationToken;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, StatusCode, redirect};
use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::super::error::{Error, one_line};
use super::Settings;
use super::encode::{self, Span};

/// Spans that wait to be sent; more are dropped. A span is some 500 bytes, so they are a megabyte.
pub(super) const QUEUE_MAX: usize = 2_048;
/// Spans in a request.
const BATCH_MAX: usize = 512;
/// How long the first span of a batch waits for company.
const DELAY: Duration = Duration::from_secs(1);
/// The pauses before a batch is sent again, where that may help.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// How long the last spans may take when the daemon ends: it has a grace that others count on.
const FLUSH_MAX: Duration = Duration::from_secs(3);
/// Bytes of an answer that are read, so that its connection can be used again.
const ANSWER_MAX: usize = 64 * 1024;

/// The task that sends, before it begins.
pub(crate) struct Exporter {
    spans: Receiver<Span>,
    line: Line,
}

/// A collector, and how it is spoken to.
struct Line {
    http: Client,
    settings: Settings,
    lost: Arc<AtomicU64>,
    /// How many were lost when that was last told.
    told: u64,
    is_down: bool,
}

/// The task that sends.
pub(crate) struct Running {
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporter {
    pub(super) fn new(
        settings: Settings,
        spans: Receiver<Span>,
    ) -> Result<(Self, Arc<AtomicU64>), Error> {
        let lost = Arc::new(AtomicU64::new(0));
        let http = client(&settings)?;
        let line = Line { http, settings, lost: Arc::clone(&lost), told: 0, is_down: false };
        Ok((Self { spans, line }, lost))
    }

    /// Begins to send.
    pub(crate) fn start(self, on: &Handle) -> Running {
        let ending = CancellationToken::new();
        Running { task: on.spawn(self.run(ending.clone())), ending }
    }

    async fn run(mut self, ending: CancellationToken) {
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                got = self.spans.recv_many(&mut batch, BATCH_MAX) => if got == 0 { return },
                () = ending.cancelled() => return,
            }
            let due = sleep(DELAY);
            tokio::pin!(due);
            while batch.len() < BATCH_MAX {
                let room = BATCH_MAX - batch.len();
                tokio::select! {
                    biased;
                    got = self.spans.recv_many(&mut batch, room) => if got == 0 { break },
                    () = &mut due => break,
                    () = ending.cancelled() => break,
                }
            }
            self.line.send(&batch, &ending).await;
        }
    }
}

impl Running {
    /// Sends what is there, as far as that takes no longer than [`FLUSH_MAX`].
    pub(crate) async fn finish(mut self) {
        self.ending.cancel();
        if timeout(FLUSH_MAX, &mut self.task).await.is_err() {
            self.task.abort();
            tracing::warn!("the last spans couldn't be sent within {FLUSH_MAX:?}");
        }
    }
}

/// Why a batch didn't arrive.
struct Failure {
    reason: String,
    /// Whether another try may help.
    is_passing: bool,
}

impl Line {
    async fn send(&mut self, batch: &[Span], ending: &CancellationToken) {
        let body = bytes::Bytes::from(encode::request(&self.settings.resource, batch));
        let mut pauses = PAUSES.into_iter();
        let failure = loop {
            let Err(failure) = self.post(body.clone()).await else { break None };
            let Some(pause) = pauses.next().filter(|_| failure.is_passing) else {
                break Some(failure);
            };
            self.tell(Some(&failure));
            tokio::select! {
                () = sleep(pause) => {}
                // There is no time left for another.
                () = ending.cancelled() => break Some(failure),
            }
        };
        if failure.is_some() {
            self.lost.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        self.tell(failure.as_ref());
    }

    async fn post(&self, body: bytes::Bytes) -> Result<(), Failure> {
        let request = self.http.post(self.settings.url.clone()).body(body);
        let sent = request.timeout(self.settings.patience).send().await;
        // The address, which may hold a password, is told by its server alone.
        let mut answer = sent.map_err(|error| Failure {
            reason: one_line(&error.without_url()),
            is_passing: true,
        })?;
        let mut read = 0;
        while let Ok(Some(chunk)) = answer.chunk().await {
            read += chunk.len();
            if read > ANSWER_MAX {
                break;
            }
        }
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(Failure {
                reason: format!("it answers {status}"),
                is_passing: matches!(
                    status,
                    StatusCode::TOO_MANY_REQUESTS
                        | StatusCode::BAD_GATEWAY
                        | StatusCode::SERVICE_UNAVAILABLE
                        | StatusCode::GATEWAY_TIMEOUT
                ),
            }),
        }
    }

    /// Tells of what has changed, once.
    fn tell(&mut self, failure: Option<&Failure>) {
        let server = self.settings.url.host_str().unwrap_or_default();
        let lost = self.lost.load(Ordering::Relaxed);
        match failure {
            Some(failure) if !self.is_down => {
                self.is_down = true;
                let reason = &failure.reason;
                tracing::warn!(
                    "spans can't be sent to {server}: {reason}; jobs go on, and spans are dropped"
                );
            }
            None if self.is_down || lost > self.told => {
                let dropped = lost - self.told;
                (self.is_down, self.told) = (false, lost);
                tracing::warn!(dropped, "{server} takes spans, after some had to be dropped");
            }
            _ => {}
        }
    }
}

fn client(settings: &Settings) -> Result<Client, Error> {
    let mut headers = settings.headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    let builder = Client::builder().default_headers(headers).redirect(redirect::Policy::none());
    let unusable = |error: String| Error::Usage(format!("spans can't be sent: {error}"));
    let builder = match settings.url.scheme() {
        "http" => builder.tls_backend_preconfigured(tls(false).map_err(unusable)?).no_proxy(),
        _ => builder.tls_backend_preconfigured(tls(true).map_err(unusable)?),
    };
    builder.build().map_err(|error| unusable(one_line(&error)))
}

/// What this machine trusts, or nothing, where nothing has to be trusted.
fn tls(is_spoken: bool) -> Result<rustls::ClientConfig, String> {
    use rustls_platform_verifier::BuilderVerifierExt as _;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = match is_spoken {
        true => config.with_platform_verifier().map_err(|error| error.to_string())?,
        false => config.with_root_certificates(rustls::RootCertStore::empty()),
    };
    Ok(config.with_no_client_auth())
}
