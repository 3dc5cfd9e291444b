//! Workers, each with threads of its own as if it were alone in its process.

use std::future::Future;

use gristmill::Host;
use gristmill::queue::Queue;
use tokio::runtime::Runtime;

use super::super::control_runtime;
use super::super::error::Error;
use super::stage::Settled;

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
        let control = control_runtime()?;
        let host = control.spawn(host);
        let control = Control(Some(control));
        let host = host.await.map_err(|panic| Error::Threads(panic.into()))??;
        Ok(Self { host, _control: control })
    }

    pub(super) fn start(&self) {
        self.host.start();
    }
}

/// Ends workers, and checks that so many jobs were settled, each once.
pub(super) async fn close(
    workers: Vec<Worker>,
    settled: &Settled,
    queue: &dyn Queue,
    jobs: usize,
) -> Result<(), Error> {
    for worker in workers {
        worker.host.shutdown().await?;
    }
    settled.check(queue, jobs).await
}

/// A runtime that may be dropped on another.
struct Control(Option<Runtime>);

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
