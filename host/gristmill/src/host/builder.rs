//! How a host is put together.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill_api::{Desk, LOADS_MAX};
use gristmill_job::{Clock, QueueName, SystemClock};
use gristmill_queue::Queue;
use gristmill_runtime::{BACKGROUND_LOADS_MAX, PluginStore, Runtime};
use gristmill_worker::{LEASE_MIN, Observer, Order, QueueFollowUps, Share};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::threads::{Control, Guests};
use super::{Host, Stage};
use crate::backends::{Backends, CacheUrl, Wanted};
use crate::error::Error;

/// How a host is put together; what isn't said is the default.
#[must_use]
pub struct HostBuilder {
    plugins_dir: Option<PathBuf>,
    watch_plugins: bool,
    backends: Wanted,
    worker: gristmill_worker::Config,
    runtime: Option<gristmill_runtime::Config>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    own_control: bool,
    work_only: bool,
    shutdown: CancellationToken,
    abort: CancellationToken,
}

impl Default for HostBuilder {
    fn default() -> Self {
        Self {
            plugins_dir: None,
            watch_plugins: true,
            backends: Wanted::default(),
            worker: gristmill_worker::Config::default(),
            runtime: None,
            observer: Arc::new(()),
            clock: Arc::new(SystemClock),
            own_control: false,
            work_only: false,
            shutdown: CancellationToken::new(),
            abort: CancellationToken::new(),
        }
    }
}

impl HostBuilder {
    /// The folder of `NAME.wasm` files from which plugins are loaded, when they are first asked for or
    /// in the background once the host has started. It is followed from then on: see
    /// [`HostBuilder::watch_plugins`].
    pub fn plugins_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.plugins_dir = Some(dir.into());
        self
    }

    /// Whether a started host follows its plugins folder, which it does if not said: what is written
    /// there is taken over for the next job, what is removed is no plugin any more.
    pub fn watch_plugins(mut self, watch: bool) -> Self {
        self.watch_plugins = watch;
        self
    }

    /// Keeps jobs on the Redis server at this address, such as `redis://127.0.0.1:6379/0`, where they
    /// outlive the host and are shared with others. A server that can't be used when the host is
    /// built is replaced by memory, with a warning in the log, and [`Host::info`] says why. The host
    /// looks for it again, and moves jobs there that haven't started. See
    /// [`HostBuilder::require_redis`].
    pub fn redis_url(mut self, url: impl Into<String>) -> Self {
        self.backends.redis_url = Some(url.into());
        self
    }

    /// Keeps jobs in this queue, wherever it is: one that other hosts share, one with bounds of its own,
    /// or a back-end of the embedder's.
    pub fn queue(mut self, queue: Arc<dyn Queue>) -> Self {
        self.backends.queue = Some(queue);
        self
    }

    /// Whether the host shares its plugins with all others on its Redis server: those that are on the shelf
    /// there are fetched when a job asks for them, where the plugins folder has no file of their name.
    /// Whoever may write to that server says what plugins are granted on this machine.
    pub fn share_plugins(mut self, share: bool) -> Self {
        self.backends.shelf = share;
        self
    }

    /// Whether a Redis server that can't be used is an error, rather than replaced.
    pub fn require_redis(mut self, required: bool) -> Self {
        self.backends.require_redis = required;
        self
    }

    /// Where the cache is; if not said, on the Redis server of the jobs, or else in memory. A server
    /// that can't be used when the host is built is replaced as for jobs: by a file in
    /// [`HostBuilder::state_dir`], or by memory.
    pub fn cache_url(mut self, url: CacheUrl) -> Self {
        self.backends.cache_url = Some(url);
        self
    }

    /// A folder for files of the host's own, such as a cache that takes the place of one on a server.
    pub fn state_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.backends.state_dir = Some(dir.into());
        self
    }

    /// Attempts at one time, at least 1; 4 for each core by default.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.worker.concurrency = concurrency.max(1);
        self
    }

    /// The queues to take jobs from, by name or with a [`Share`]; `default` by default.
    pub fn queues(mut self, queues: impl IntoIterator<Item = impl Into<Share>>) -> Self {
        self.worker.queues = queues.into_iter().map(Into::into).collect();
        self
    }

    /// Which queue comes first where several have jobs.
    pub fn order(mut self, order: Order) -> Self {
        self.worker.order = order;
        self
    }

    /// The queues to take jobs from, as far as was said.
    pub(crate) fn served(&self) -> Vec<QueueName> {
        self.worker.queues.iter().map(|share| share.queue.clone()).collect()
    }

    /// In memory, whatever was said of Redis.
    pub(crate) fn without_redis(mut self) -> Self {
        self.backends.redis_url = None;
        self.backends.require_redis = false;
        self.backends.shelf = false;
        self
    }

    /// How long a lease runs, at least [`LEASE_MIN`]; 10 s by default. The jobs of a worker that died
    /// are another's this long after it last renewed its lease.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.worker.lease = lease.max(LEASE_MIN);
        self
    }

    /// How long running attempts may go on at shutdown; 10 s by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.worker.grace = grace;
        self
    }

    /// Who hears of what happens.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// How the sandbox is set up. Its slots are made to suffice for the concurrency.
    pub fn runtime_config(mut self, config: gristmill_runtime::Config) -> Self {
        self.runtime = Some(config);
        self
    }

    /// What time it is for queue and cache; the machine's clock by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Runs the worker on an async runtime of the host's own, rather than on the one that
    /// [`HostBuilder::build`] is called on: for callers whose own one may be kept busy.
    pub fn own_control_runtime(mut self) -> Self {
        self.own_control = true;
        self
    }

    /// Whether [`Host::serve`] serves health and metrics alone.
    pub fn work_only(mut self, work_only: bool) -> Self {
        self.work_only = work_only;
        self
    }

    /// Cancelling this begins the shutdown, which [`Host::shutdown`] waits for.
    pub fn shutdown_token(mut self, shutdown: CancellationToken) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Cancelling this ends the worker without grace: what runs is interrupted and given back. For
    /// people who don't want to wait for the shutdown any longer.
    pub fn abort_token(mut self, abort: CancellationToken) -> Self {
        self.abort = abort;
        self
    }

    /// Puts the host together; [`Host::start`] starts its worker. Waits for nothing but for Redis,
    /// where it is asked for.
    ///
    /// # Errors
    /// [`Error::Redis`], [`Error::Cache`], [`Error::Sandbox`], [`Error::Threads`].
    pub async fn build(self) -> Result<Host, Error> {
        let control = if self.own_control { Control::own()? } else { Control::current_or_own()? };
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let dropped = CancellationToken::new();
        let backends =
            Backends::choose(self.backends, &self.clock, control.handle(), &dropped).await?;
        let guests = Guests::start(cores)?;
        let follow_ups = Arc::new(QueueFollowUps::new(Arc::clone(&backends.queue)));
        let runtime = Runtime::new(
            sandbox(self.runtime, self.worker.concurrency),
            Arc::clone(&backends.cache),
            backends.cache_config.clone(),
            Arc::clone(&follow_ups) as _,
            Arc::clone(&self.clock),
        )
        .map_err(Error::Sandbox)?;
        let mut plugins = PluginStore::new(runtime.clone(), self.plugins_dir);
        if let Some(shelf) = backends.shelf {
            plugins = plugins.with_shelf(shelf);
        }
        let plugins = Arc::new(plugins);
        follow_ups.pin_by(&plugins);
        let mut desk = Desk::new(
            backends.queue,
            backends.cache,
            plugins,
            runtime,
            guests.handle().clone(),
            self.clock,
        );
        desk.cache_config = backends.cache_config;
        desk.degraded = backends.degraded;
        desk.work_only = self.work_only;
        let watched = (Arc::clone(&desk.metrics), desk.feed.clone());
        let observer: Arc<dyn Observer> = Arc::new((self.observer, watched));
        Ok(Host {
            desk,
            worker: Mutex::new(Stage::Ready(self.worker, observer)),
            watch_plugins: self.watch_plugins,
            watching: TaskTracker::new(),
            shutdown: self.shutdown,
            abort: self.abort,
            dropped,
            ended: CancellationToken::new(),
            control,
            guests,
        })
    }
}

/// A slot for every attempt, and for the plugins that are loaded beside them.
fn sandbox(
    config: Option<gristmill_runtime::Config>,
    concurrency: usize,
) -> gristmill_runtime::Config {
    let loads = LOADS_MAX + BACKGROUND_LOADS_MAX;
    let needed = u32::try_from(concurrency.saturating_add(loads)).unwrap_or(u32::MAX);
    match config {
        Some(config) => gristmill_runtime::Config { slots: config.slots.max(needed), ..config },
        None => gristmill_runtime::Config { slots: needed, ..Default::default() },
    }
}
