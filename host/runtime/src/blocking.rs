//! Work that may wait or take its time, off the async threads.

use crate::error::Error;

/// Does the work where it may block. A panic in it is the host's own fault.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|panic| Error::Bug(panic.into()))
}
