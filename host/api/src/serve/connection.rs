//! One connection from its beginning to its end. None of what a client does or doesn't do keeps it
//! for longer than its patience.

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::patience::Patient;
use crate::access::Tls;
use crate::limits;

/// What all connections have in common.
#[derive(Clone)]
pub(super) struct Connections<R> {
    pub(super) router: R,
    pub(super) tls: Option<Tls>,
    /// The request that runs is the last.
    pub(super) closing: CancellationToken,
    /// Nobody waits any more.
    pub(super) gone: CancellationToken,
}

impl Connections<Router> {
    pub(super) async fn serve(self, stream: TcpStream) {
        let Some(tls) = self.tls.clone() else { return self.speak(stream).await };
        let gone = self.gone.clone();
        let agreeing = TlsAcceptor::from(tls.current()).accept(stream);
        let agreeing = tokio::time::timeout(limits::TLS_PATIENCE, agreeing);
        match gone.run_until_cancelled(agreeing).await {
            Some(Ok(Ok(stream))) => self.speak(stream).await,
            Some(Ok(Err(error))) => tracing::debug!(%error, "a client doesn't agree on TLS"),
            Some(Err(_)) | None => {}
        }
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let service = self.router.map_request(|request: Request<Incoming>| request);
        let stream = TokioIo::new(Patient::new(stream));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEAD_PATIENCE)
            .max_buf_size(limits::HEAD_BYTES_MAX)
            .serve_connection(stream, TowerToHyperService::new(service));
        tokio::pin!(connection);
        let mut is_closing = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended before its time");
                    }
                    return;
                }
                () = self.closing.cancelled(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.gone.cancelled() => return,
            }
        }
    }
}
