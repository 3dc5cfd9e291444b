//! Workers, each with threads of its own as if it were alone in its process.

use std::future::Future;

use gristmill::Host;
use tokio::runtime::{Builder, Runtime};

use super::super::CONTROL_THREADS;
use super::super::error::Error;

/// A worker that is ready to be started.
pub(super) struct Worker {
    host: Host,
    /// What it runs on, as `gristmill serve` does: its end is the worker's.
    _control: Control,
}

impl Worker {
    /// A worker on threads of its own, on which all that it uses is made.
    pub(super) async fn make<F>(host: F) -> Result<Self, Error>
    where
        F: Future<Output = Result<Host, Error>> + Send + 'static,
    {
        let control = Control::start()?;
        let made = control.0.as_ref().map(|runtime| runtime.spawn(host));
        let made = made.ok_or_else(|| Error::Threads(std::io::ErrorKind::Other.into()))?;
        let host = made.await.map_err(|panic| Error::Threads(panic.into()))??;
        Ok(Self { host, _control: control })
    }

    pub(super) fn start(&self) {
        self.host.start();
    }

    pub(super) async fn shutdown(self) -> Result<(), Error> {
        self.host.shutdown().await?;
        Ok(())
    }
}

/// A runtime that may be dropped on another.
struct Control(Option<Runtime>);

impl Control {
    fn start() -> Result<Self, Error> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(CONTROL_THREADS).enable_all();
        Ok(Self(Some(builder.build().map_err(Error::Threads)?)))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
