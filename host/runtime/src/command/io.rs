//! What a program is started with, and where its output goes.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::fault::Abort;
use crate::state::lock;

/// Bytes that a stream takes at once: a guest that writes more asks again.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// What a program is started with.
pub(crate) struct Program {
    /// Its name first.
    pub(crate) args: Vec<String>,
    /// What comes beside what its manifest grants, and in its place.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Bytes,
    pub(crate) stdout: Captured,
}

/// Standard output, kept up to a bound; more ends the attempt.
#[derive(Clone)]
pub(crate) struct Captured {
    written: Arc<Mutex<Vec<u8>>>,
    bytes_max: usize,
}

impl Captured {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { written: Arc::default(), bytes_max }
    }

    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.written))
    }

    fn add(&self, bytes: &[u8]) -> Result<(), Abort> {
        let mut written = lock(&self.written);
        if written.len() + bytes.len() > self.bytes_max {
            return Err(Abort::Limit("result"));
        }
        written.extend_from_slice(bytes);
        Ok(())
    }
}

impl IsTerminal for Captured {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Captured {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Captured {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.add(&bytes).map_err(|abort| StreamError::Trap(abort.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait::async_trait]
impl Pollable for Captured {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Captured {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let taken = bytes.len().min(WRITE_BYTES_MAX);
        Poll::Ready(self.add(&bytes[..taken]).map(|()| taken).map_err(std::io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
