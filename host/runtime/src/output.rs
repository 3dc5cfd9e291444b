//! Streams that a guest writes to: what they have in common, whatever becomes of the bytes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Bytes that a stream takes at once: a guest that writes more asks again.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Where bytes go, at once.
pub(crate) trait Sink: Send + Sync + Unpin + 'static {
    /// # Errors
    /// The bytes aren't taken; the guest is told, or ended.
    fn take(&mut self, bytes: &[u8]) -> Result<(), StreamError>;
}

/// A stream that is always ready for more.
pub(crate) struct Output<S>(pub(crate) S);

impl<S: Sink> OutputStream for Output<S> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.take(&bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait::async_trait]
impl<S: Sink> Pollable for Output<S> {
    async fn ready(&mut self) {}
}

impl<S: Sink> AsyncWrite for Output<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let taken = bytes.len().min(WRITE_BYTES_MAX);
        let written = self.0.take(&bytes[..taken]);
        Poll::Ready(written.map(|()| taken).map_err(std::io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
