//! The desk on the network.

use std::net::SocketAddr;

use tokio::net::{TcpListener, lookup_host};
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::limits;
use crate::routes::{Front, router};

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Others could reach it, and run jobs.
    #[error(
        "{0} can be reached from other machines, which takes access tokens, and these are not \
         there yet: listen on a loopback address such as 127.0.0.1:7430"
    )]
    Exposed(SocketAddr),
    /// It is no address, or can't be had.
    #[error("can't listen on {address}")]
    Io {
        /// The address as it was given.
        address: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Listens on an address `HOST:PORT` of this machine alone; port 0 takes a free one.
///
/// # Errors
/// [`BindError::Exposed`] for every other address; [`BindError::Io`].
pub async fn bind(address: &str) -> Result<TcpListener, BindError> {
    let failed = |source| BindError::Io { address: address.to_owned(), source };
    let addresses: Vec<SocketAddr> = lookup_host(address).await.map_err(failed)?.collect();
    if let Some(exposed) = addresses.iter().find(|address| !address.ip().is_loopback()) {
        return Err(BindError::Exposed(*exposed));
    }
    TcpListener::bind(&*addresses).await.map_err(failed)
}

/// Serves until `closing` is cancelled. From `draining` on, jobs are taken no more, but clients are
/// still told what becomes of theirs.
///
/// # Errors
/// [`BindError::Exposed`] for a listener that isn't on a loopback address; [`BindError::Io`].
pub async fn serve(
    listener: TcpListener,
    desk: Desk,
    draining: CancellationToken,
    closing: CancellationToken,
) -> Result<(), BindError> {
    let failed = |source| BindError::Io { address: "the bound address".to_owned(), source };
    let address = listener.local_addr().map_err(failed)?;
    if !address.ip().is_loopback() {
        return Err(BindError::Exposed(address));
    }
    let router = router(Front { desk, draining, closing: closing.clone() });
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(closing.clone().cancelled_owned());
    let patience_ends = async {
        closing.cancelled().await;
        tokio::time::sleep(limits::CLOSE_PATIENCE).await;
    };
    tokio::select! {
        served = serving.into_future() => served.map_err(failed),
        // What is still open then belongs to clients that neither send nor read.
        () = patience_ends => Ok(()),
    }
}
