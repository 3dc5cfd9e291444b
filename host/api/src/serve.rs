//! The desk on the network.

mod connection;
mod patience;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::Connections;
use crate::access::{Access, Exposure};
use crate::desk::Desk;
use crate::limits;
use crate::routes::{Front, router};
use crate::workers::keep_told;

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Others could reach it, and run jobs.
    #[error(
        "{0} can be reached from other machines, which takes access tokens: give them with \
         --token-file or GRISTMILL_TOKENS, or listen on a loopback address such as 127.0.0.1:7430"
    )]
    Exposed(SocketAddr),
    /// Others could reach it, and read the tokens of those who do.
    #[error(
        "{0} can be reached from other machines, and tokens could be read on the way: give \
         --tls-cert and --tls-key, or --insecure-http where a proxy in front speaks TLS"
    )]
    Plain(SocketAddr),
    /// It is no address, or can't be had.
    #[error("can't listen on {address}")]
    Io {
        /// The address as it was given.
        address: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Access {
    fn check_address(&self, address: SocketAddr) -> Result<(), BindError> {
        match self.exposure(address.ip()) {
            None => Ok(()),
            Some(Exposure::WithoutTokens) => Err(BindError::Exposed(address)),
            Some(Exposure::WithoutTls) => Err(BindError::Plain(address)),
        }
    }
}

/// Listens on an address `HOST:PORT` of this machine alone; port 0 takes a free one.
///
/// # Errors
/// [`BindError::Exposed`] for every other address; [`BindError::Io`].
pub async fn bind(address: &str) -> Result<TcpListener, BindError> {
    bind_with(address, &Access::default()).await
}

/// Listens on an address `HOST:PORT`; port 0 takes a free one.
///
/// # Errors
/// [`BindError::Exposed`] and [`BindError::Plain`], where access isn't narrow enough for it;
/// [`BindError::Io`].
pub async fn bind_with(address: &str, access: &Access) -> Result<TcpListener, BindError> {
    let failed = |source| BindError::Io { address: address.to_owned(), source };
    let addresses: Vec<SocketAddr> = lookup_host(address).await.map_err(failed)?.collect();
    addresses.iter().try_for_each(|address| access.check_address(*address))?;
    TcpListener::bind(&*addresses).await.map_err(failed)
}

/// Serves this machine alone until `closing` is cancelled; see [`serve_with`].
///
/// # Errors
/// Those of [`serve_with`].
pub async fn serve(
    listener: TcpListener,
    desk: Desk,
    draining: CancellationToken,
    closing: CancellationToken,
) -> Result<(), BindError> {
    serve_with(listener, desk, Access::default(), draining, closing).await
}

/// Serves until `closing` is cancelled. From `draining` on, jobs are taken no more, but clients are
/// still told what becomes of theirs.
///
/// # Errors
/// [`BindError::Exposed`] and [`BindError::Plain`], where access isn't narrow enough for the
/// listener's address; [`BindError::Io`].
pub async fn serve_with(
    listener: TcpListener,
    desk: Desk,
    access: Access,
    draining: CancellationToken,
    closing: CancellationToken,
) -> Result<(), BindError> {
    let failed = |source| BindError::Io { address: "the bound address".to_owned(), source };
    access.check_address(listener.local_addr().map_err(failed)?)?;
    desk.feed.open();
    let tls = access.tls.clone();
    let front = Front::new(desk, access, draining, closing.clone());
    let router = router(front.clone());
    let gone = CancellationToken::new();
    let connections = Connections { router, tls, closing: closing.clone(), gone: gone.clone() };
    let tasks = TaskTracker::new();
    tasks.spawn(keep_told(front));
    closing.run_until_cancelled(accept(listener, connections, &tasks)).await;
    tasks.close();
    // What is still open after that belongs to clients that neither send nor read.
    let _ = tokio::time::timeout(limits::CLOSE_PATIENCE, tasks.wait()).await;
    gone.cancel();
    tasks.wait().await;
    Ok(())
}

/// Takes connections, as many at a time as may be, for ever.
async fn accept(listener: TcpListener, connections: Connections<Router>, tasks: &TaskTracker) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    loop {
        // It is never closed, so that there always is a place to be had.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = next(&listener).await;
        let connections = connections.clone();
        tasks.spawn(async move {
            connections.serve(stream).await;
            drop(place);
        });
    }
}

async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small, and written whole.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken just now");
                tokio::time::sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as E;
    matches!(
        error.kind(),
        E::ConnectionRefused | E::ConnectionAborted | E::ConnectionReset | E::Interrupted
    )
}
