//! A whole Gristmill in one process.

mod builder;
mod threads;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gristmill_api::{Access, Desk, Info};
use gristmill_cache::Cache;
use gristmill_job::{Job, JobId, NewJob, PluginName, QueueName, Verdict};
use gristmill_queue::{Changed, Queue};
use gristmill_runtime::{LoadError, Plugin, PluginStore, Problem};
use gristmill_worker::{Controls, Observer, Share, Summary, Vitals, Worker};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::builder::HostBuilder;
use self::threads::{Control, Guests};
use crate::error::{Error, taken};

/// A whole Gristmill in this process: queue, cache, sandbox and a worker.
///
/// Guests run on threads of their own, so that busy guests never delay whoever calls these methods.
/// Dropping a host ends it at once, without waiting for what runs; [`Host::shutdown`] waits.
pub struct Host {
    desk: Desk,
    worker: Mutex<Stage>,
    watch_plugins: bool,
    watching: TaskTracker,
    shutdown: CancellationToken,
    abort: CancellationToken,
    dropped: CancellationToken,
    ended: CancellationToken,
    control: Control,
    guests: Guests,
}

/// Where the host's worker is in its life.
enum Stage {
    Ready(gristmill_worker::Config, Arc<dyn Observer>),
    Working(JoinHandle<anyhow::Result<Summary>>),
    Gone,
}

impl Host {
    /// A host with everything at its default, to be changed.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// Starts the worker; jobs that were enqueued before have waited for it. Does nothing the
    /// second time.
    pub fn start(&self) {
        self.start_with(|_| {});
    }

    /// Starts the worker on these queues, whatever the builder was told.
    pub fn start_on(&self, queues: impl IntoIterator<Item = QueueName>) {
        self.start_with(|config| config.queues = queues.into_iter().map(Share::from).collect());
    }

    fn start_with(&self, change: impl FnOnce(&mut gristmill_worker::Config)) {
        let mut stage = self.stage();
        match std::mem::replace(&mut *stage, Stage::Gone) {
            Stage::Ready(mut config, observer) => {
                change(&mut config);
                *stage = Stage::Working(self.set_to_work(config, observer));
                if self.watch_plugins {
                    self.follow_plugins();
                }
            }
            other => *stage = other,
        }
    }

    fn set_to_work(
        &self,
        config: gristmill_worker::Config,
        observer: Arc<dyn Observer>,
    ) -> JoinHandle<anyhow::Result<Summary>> {
        let desk = &self.desk;
        let worker = Worker::new(
            config,
            Arc::clone(&desk.queue),
            desk.runtime.clone(),
            Arc::clone(&desk.plugins),
            observer,
            self.guests.handle().clone(),
        )
        .abort_on(self.abort.clone())
        .pulse(desk.pulse.clone())
        .controls(desk.controls.clone());
        let (shutdown, dropped) = (self.shutdown.clone(), self.dropped.clone());
        let ended = self.ended.clone().drop_guard();
        self.control.handle().spawn(async move {
            let _ended = ended;
            tokio::select! {
                summary = worker.run(shutdown) => summary,
                () = dropped.cancelled() => Ok(Summary::default()),
            }
        })
    }

    /// Follows the plugins folder, for a host whose worker isn't started; one that is does it by itself.
    pub fn follow_plugins(&self) {
        // Where guests run, since a plugin that is loaded describes itself.
        let (plugins, stop) = (Arc::clone(&self.desk.plugins), self.shutdown.clone());
        let watch = async move { plugins.watch(stop).await };
        drop(self.watching.spawn_on(watch, self.guests.handle()));
        self.watching.close();
    }

    /// Stops: leases nothing more, gives running attempts their grace, gives the rest back uncounted,
    /// and waits for all of it. Answers what the worker did in its life.
    ///
    /// # Errors
    /// [`Error::Worker`]: it had failed, or couldn't record what it did.
    pub async fn shutdown(self) -> Result<Summary, Error> {
        self.shutdown.cancel();
        let stage = std::mem::replace(&mut *self.stage(), Stage::Gone);
        let summary = match stage {
            Stage::Working(task) => task.await.map_err(anyhow::Error::from).flatten(),
            Stage::Ready(..) | Stage::Gone => Ok(Summary::default()),
        };
        self.watching.close();
        self.watching.wait().await;
        self.guests.end().await;
        self.control.end().await;
        summary.map_err(Error::Worker)
    }

    /// Cancelled once the host begins to stop.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Whether the worker was started.
    #[must_use]
    pub fn is_started(&self) -> bool {
        matches!(*self.stage(), Stage::Working(_))
    }

    /// Cancelled once the worker has ended, for whatever reason.
    #[must_use]
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Makes a plugin of a component's bytes; it takes the place of one with its name.
    ///
    /// # Errors
    /// [`Error::Plugin`].
    pub async fn load(&self, name: PluginName, bytes: impl Into<Bytes>) -> Result<Plugin, Error> {
        let (runtime, bytes) = (self.desk.runtime.clone(), bytes.into());
        let called = name.to_string();
        let loaded = self.desk.loading(async move { runtime.load(name, bytes).await }).await;
        self.keep(called, loaded)
    }

    /// Makes a plugin of a component's file, binary or text; its stem becomes the plugin's name.
    ///
    /// # Errors
    /// [`Error::Plugin`].
    pub async fn load_file(&self, path: impl AsRef<Path>) -> Result<Plugin, Error> {
        let (runtime, path) = (self.desk.runtime.clone(), path.as_ref().to_owned());
        let called = path.display().to_string();
        let loaded = self.desk.loading(async move { runtime.load_file(&path).await }).await;
        self.keep(called, loaded)
    }

    /// Everything that is wrong with a component's file and the manifest beside it.
    pub async fn check_file(&self, path: impl AsRef<Path>) -> Vec<Problem> {
        self.desk.runtime.check_file(path.as_ref()).await
    }

    /// The same for a component and a manifest that are in no folder; with the plugin, where one could be
    /// made of them in spite of what is wrong.
    pub async fn check_parts(
        &self,
        name: &PluginName,
        component: impl Into<Bytes>,
        manifest: Option<&str>,
    ) -> (Option<Plugin>, Vec<Problem>) {
        self.desk.runtime.check_parts(name, component.into(), manifest).await
    }

    fn keep(&self, name: String, loaded: Result<Plugin, LoadError>) -> Result<Plugin, Error> {
        let plugin = loaded.map_err(|source| Error::Plugin { name, source })?;
        self.desk.plugins.insert(plugin.clone());
        Ok(plugin)
    }

    /// The plugin of this name, loaded from the plugins folder if it isn't yet.
    ///
    /// # Errors
    /// [`Error::Plugin`].
    pub async fn plugin(&self, name: &PluginName) -> Result<Plugin, Error> {
        let loaded = self.desk.plugin(name).await;
        loaded.map_err(|source| Error::Plugin { name: name.to_string(), source })
    }

    /// Looks through the plugins folder now, and waits for what is loaded.
    ///
    /// # Errors
    /// [`Error::PluginsDir`].
    pub async fn rescan_plugins(&self) -> Result<(), Error> {
        let plugins = Arc::clone(&self.desk.plugins);
        let scan = self.guests.handle().spawn(async move { plugins.rescan().await });
        let scanned = scan.await.map_err(|panic| Error::Threads(panic.into()))?;
        scanned.map_err(Error::PluginsDir)
    }

    /// The names of all plugins, sorted.
    ///
    /// # Errors
    /// [`Error::PluginsDir`].
    pub async fn plugin_names(&self) -> Result<Vec<PluginName>, Error> {
        self.desk.plugin_names().await.map_err(Error::PluginsDir)
    }

    /// Checks a job against its plugin and enqueues it. Repeating it with the same id is harmless.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::UniqueConflict`], [`Error::Queue`].
    pub async fn enqueue(&self, job: NewJob) -> Result<JobId, Error> {
        let id = job.id;
        let verdict = self.enqueue_many(vec![job]).await?.pop();
        verdict.map_or(Ok(()), taken).map(|()| id)
    }

    /// Checks a job against its plugin, enqueues it and waits for its end: the job as it then is, or as it
    /// is when `patience` is over; none, if it was removed. In fewer round trips to a server than
    /// [`Host::enqueue`] and [`Host::wait`] take. Dropped, it leaves the job to its life.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::UniqueConflict`], [`Error::Queue`].
    pub async fn run(&self, mut job: NewJob, patience: Duration) -> Result<Option<Job>, Error> {
        self.desk.admit(&mut job).await?;
        let (verdict, job) = self.desk.queue.run(job, patience).await?;
        taken(verdict).map(|()| job)
    }

    /// Checks jobs against their plugins and enqueues those that pass, in one step; a verdict each,
    /// in their order.
    ///
    /// # Errors
    /// [`Error::Queue`]: nothing was enqueued, or, where the queue can't be reached, perhaps all that
    /// passed.
    pub async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        Ok(self.desk.enqueue(jobs).await?)
    }

    /// A job as soon as its life has ended, or as it is when `patience` is over. Safe to drop.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub async fn wait(&self, id: JobId, patience: Duration) -> Result<Option<Job>, Error> {
        Ok(self.desk.queue.wait(id, patience).await?)
    }

    /// A job, as long as its record is kept.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, Error> {
        Ok(self.desk.queue.get(id).await?)
    }

    /// Asks for a job to be cancelled: at once where it waits, by its worker where it runs.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub async fn cancel(&self, id: JobId) -> Result<Changed, Error> {
        Ok(self.desk.queue.cancel(id).await?)
    }

    /// Serves the HTTP API to this machine until `closing` is cancelled; from the host's shutdown on,
    /// jobs are taken no more. See [`bind`](crate::bind) for the listener.
    ///
    /// # Errors
    /// [`Error::Bind`].
    pub async fn serve(
        &self,
        listener: TcpListener,
        closing: CancellationToken,
    ) -> Result<(), Error> {
        self.serve_with(listener, Access::default(), closing).await
    }

    /// Serves the HTTP API to whom access is given. See [`bind_with`](crate::bind_with) for the
    /// listener.
    ///
    /// # Errors
    /// [`Error::Bind`].
    pub async fn serve_with(
        &self,
        listener: TcpListener,
        access: Access,
        closing: CancellationToken,
    ) -> Result<(), Error> {
        let (desk, draining) = (self.desk.clone(), self.shutdown.clone());
        Ok(gristmill_api::serve_with(listener, desk, access, draining, closing).await?)
    }

    /// What every door of this host stands on.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The plugins.
    #[must_use]
    pub fn plugins(&self) -> &Arc<PluginStore> {
        &self.desk.plugins
    }

    /// Where jobs wait.
    #[must_use]
    pub fn queue(&self) -> &Arc<dyn Queue> {
        &self.desk.queue
    }

    /// What jobs remember.
    #[must_use]
    pub fn cache(&self) -> &Arc<dyn Cache> {
        &self.desk.cache
    }

    /// What can be changed while the worker works.
    #[must_use]
    pub fn controls(&self) -> &Controls {
        &self.desk.controls
    }

    /// How the worker is.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        self.desk.pulse.vitals()
    }

    /// What the host says of itself.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub async fn info(&self) -> Result<Info, Error> {
        Ok(self.desk.info().await?)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.dropped.cancel();
    }
}

#[cfg(test)]
mod tests;
