//! What a program is started with, and where its output goes.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, StreamError};

use crate::fault::Abort;
use crate::output::{Output, Sink};
use crate::state::lock;

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

    pub(super) fn written(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.written))
    }
}

impl Sink for Captured {
    fn take(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        let mut written = lock(&self.written);
        if written.len() + bytes.len() > self.bytes_max {
            return Err(StreamError::Trap(Abort::Limit("result").into()));
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
        Box::new(Output(self.clone()))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Output(self.clone()))
    }
}
