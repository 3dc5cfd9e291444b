//! The two async runtimes: one for the control plane, one for guests.

use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::Error;

/// How long threads have to end once nothing is left for them to do. What outlives it is a plugin
/// that is being compiled.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// Where workers and doors run: the caller's async runtime, or one of the host's own.
pub(crate) struct Control {
    handle: Handle,
    own: Owned,
}

impl Control {
    /// The runtime that this is called on, or else a new one.
    pub(crate) fn current_or_own() -> Result<Self, Error> {
        match Handle::try_current() {
            Ok(handle) => Ok(Self { handle, own: Owned::none() }),
            Err(_) => Self::own(),
        }
    }

    /// A new runtime: for callers whose own one may be kept busy.
    pub(crate) fn own() -> Result<Self, Error> {
        let own = Owned::start("gristmill-control", 1)?;
        Ok(Self { handle: own.1, own: own.0 })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) async fn end(&self) {
        self.own.end().await;
    }
}

/// Where guests run.
pub(crate) struct Guests {
    handle: Handle,
    own: Owned,
}

impl Guests {
    pub(crate) fn start(threads: usize) -> Result<Self, Error> {
        let (own, handle) = Owned::start("gristmill-guest", threads)?;
        Ok(Self { handle, own })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) async fn end(&self) {
        self.own.end().await;
    }
}

/// A runtime that may be dropped where blocking is forbidden.
struct Owned(Mutex<Option<Runtime>>);

impl Owned {
    fn none() -> Self {
        Self(Mutex::new(None))
    }

    fn start(name: &str, threads: usize) -> Result<(Self, Handle), Error> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads.max(1)).thread_name(name).enable_all();
        let runtime = builder.build().map_err(Error::Threads)?;
        let handle = runtime.handle().clone();
        Ok((Self(Mutex::new(Some(runtime))), handle))
    }

    fn take(&self) -> Option<Runtime> {
        self.0.lock().ok().and_then(|mut runtime| runtime.take())
    }

    /// Waits for the threads to end, on a thread that may block.
    async fn end(&self) {
        if let Some(runtime) = self.take() {
            let ending =
                tokio::task::spawn_blocking(move || runtime.shutdown_timeout(END_PATIENCE));
            // It ends whether it panics or not.
            let _ = ending.await;
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.take() {
            runtime.shutdown_background();
        }
    }
}
