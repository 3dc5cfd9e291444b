//! What every door stands on, and the checks that a job passes before it is queued.

use std::sync::Arc;

use gristmill_cache::{Cache, Config};
use gristmill_job::{Clock, Digest, NewJob, PluginName, Rejection, RejectionCode, Verdict};
use gristmill_queue::Queue;
use gristmill_runtime::{Error, LoadError, Plugin, PluginStore, Runtime};
use gristmill_worker::{Controls, Pulse};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::degraded::{Degraded, Part};
use crate::events::Feed;
use crate::limits;
use crate::metrics::Metrics;
use crate::plugins::PluginView;

/// Queue, cache, plugins and sandbox, as they were chosen. Cloning shares them.
#[derive(Clone)]
pub struct Desk {
    /// Where jobs wait.
    pub queue: Arc<dyn Queue>,
    /// What jobs remember.
    pub cache: Arc<dyn Cache>,
    /// The cache's bounds.
    pub cache_config: Config,
    /// The plugins that are known here.
    pub plugins: Arc<PluginStore>,
    /// Where guests run.
    pub runtime: Runtime,
    /// The async runtime of guests: a plugin that is loaded describes itself, which is guest code.
    pub guests: Handle,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Why other back-ends are used than were asked for.
    pub degraded: Degraded,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How the worker is, where there is one.
    pub pulse: Pulse,
    /// What of the worker can be changed, where there is one.
    pub controls: Controls,
    /// Whether nothing is served but health and metrics.
    pub work_only: bool,
    /// What happens here, for those who listen: to be told by the worker.
    pub feed: Feed,
    pub(crate) pushing: Arc<tokio::sync::Mutex<()>>,
    loading: Arc<Semaphore>,
}

impl Desk {
    /// A desk over these; `runtime` must have [`LOADS_MAX`](crate::LOADS_MAX) slots beside those of
    /// its workers.
    #[must_use]
    pub fn new(
        queue: Arc<dyn Queue>,
        cache: Arc<dyn Cache>,
        plugins: Arc<PluginStore>,
        runtime: Runtime,
        guests: Handle,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let loading = Arc::new(Semaphore::new(limits::LOADS_MAX));
        Self {
            queue,
            cache,
            cache_config: Config::default(),
            plugins,
            runtime,
            guests,
            clock,
            degraded: Degraded::default(),
            metrics: Arc::default(),
            pulse: Pulse::default(),
            controls: Controls::default(),
            work_only: false,
            feed: Feed::default(),
            pushing: Arc::default(),
            loading,
        }
    }

    /// The plugin of this name, loaded if it isn't yet. Safe to drop: loading goes on for whoever
    /// asks next.
    ///
    /// # Errors
    /// Why it can't be used.
    pub async fn plugin(&self, name: &PluginName) -> Result<Plugin, LoadError> {
        self.plugin_version(name, None).await
    }

    /// The plugin of this name in the version of this digest, as [`PluginStore::get_version`] has it.
    async fn plugin_version(
        &self,
        name: &PluginName,
        digest: Option<Digest>,
    ) -> Result<Plugin, LoadError> {
        if let Some(plugin) = self.plugins.loaded_version(name, digest) {
            return Ok(plugin);
        }
        let (plugins, name) = (Arc::clone(&self.plugins), name.clone());
        self.loading(async move { plugins.get_version(&name, digest).await }).await
    }

    /// A plugin as users read of it, with what is wrong with the version that should take its place.
    #[must_use]
    pub fn view(&self, plugin: &Plugin) -> PluginView {
        PluginView { fault: self.plugins.fault(plugin.name()), ..plugin.into() }
    }

    /// Loads a plugin where guests run, since it is asked to describe itself, and not too many at a
    /// time.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn loading(
        &self,
        load: impl Future<Output = Result<Plugin, LoadError>> + Send + 'static,
    ) -> Result<Plugin, LoadError> {
        self.among_guests(load).await.unwrap_or_else(|bug| Err(bug.into()))
    }

    /// Does what may run guest code while it loads plugins, and not too much of it at a time.
    pub(crate) async fn among_guests<T: Send + 'static>(
        &self,
        load: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let loading = Arc::clone(&self.loading);
        let loaded = self.guests.spawn(async move {
            // It is never closed, so that there always is a permit to be had.
            let _permit = loading.acquire().await;
            load.await
        });
        loaded.await.map_err(|panic| Error::Bug(panic.into()))
    }

    /// The names of all plugins, sorted.
    ///
    /// # Errors
    /// The plugins folder can't be read.
    pub async fn plugin_names(&self) -> Result<Vec<PluginName>, LoadError> {
        let plugins = Arc::clone(&self.plugins);
        match tokio::task::spawn_blocking(move || plugins.names()).await {
            Ok(names) => names,
            Err(panic) => Err(Error::Bug(panic.into()).into()),
        }
    }

    /// Checks jobs at the door and enqueues those that pass, all in one step; a verdict each, in
    /// their order.
    ///
    /// # Errors
    /// The queue's own: then none of them was enqueued, or, where it can't be reached, perhaps all
    /// that passed. Repeating the call with the same ids is harmless.
    pub async fn enqueue(
        &self,
        batch: Vec<NewJob>,
    ) -> Result<Vec<Verdict>, gristmill_queue::Error> {
        let mut verdicts = Vec::with_capacity(batch.len());
        let mut admitted = Vec::with_capacity(batch.len());
        for mut job in batch {
            verdicts.push(self.admit(&mut job).await.err().map(Verdict::Rejected));
            if verdicts.last().is_some_and(Option::is_none) {
                admitted.push(job);
            }
        }
        let mut enqueued = match admitted.is_empty() {
            true => Vec::new(),
            false => self.queue.enqueue(admitted).await?,
        }
        .into_iter();
        Ok(verdicts.into_iter().filter_map(|verdict| verdict.or_else(|| enqueued.next())).collect())
    }

    /// What a producer is told beside its jobs: `Some(false)` while they end with this process,
    /// although they were to be kept elsewhere.
    #[must_use]
    pub fn durable_mark(&self) -> Option<bool> {
        self.degraded.has(Part::Queue).then_some(false)
    }

    /// Checks function and input where the plugin is known here, and fills in which function it is, and
    /// which version where a fleet shares it. What the fleet has and nobody here has asked for is checked
    /// by what it says of itself, and not fetched for that.
    ///
    /// A plugin, or a version of it, that is not known here may be known to another worker of a shared queue. A queue
    /// that is this process's own has no other worker, so there the job is refused.
    ///
    /// # Errors
    /// A rejection that says what would fit.
    pub async fn admit(&self, job: &mut NewJob) -> Result<(), Rejection> {
        let shared = self.queue.traits().shared;
        if self.plugins.has_shelf()
            && self.plugins.loaded_version(&job.plugin, job.digest).is_none()
            && let Ok(Some(described)) = self.plugins.described_for(job).await
        {
            return described.admit(job);
        }
        let plugin = match self.plugin_version(&job.plugin, job.digest).await {
            Ok(plugin) => plugin,
            Err(_) if shared => return Ok(()),
            Err(error) => return Err(self.unusable(&job.plugin, &error).await),
        };
        let function = plugin.check(job)?;
        plugin.terms(Some(&function)).fill_in(job);
        job.function = Some(function);
        // Where every worker can have this version, the job runs on what it was checked against.
        if job.digest.is_none() && !job.latest && self.plugins.is_shelved(&plugin) {
            job.digest = Some(plugin.digest());
        }
        Ok(())
    }

    async fn unusable(&self, name: &PluginName, error: &LoadError) -> Rejection {
        let message = match error {
            LoadError::NotFound { .. } => {
                format!("no plugin {:?} here; there {}", name.as_str(), self.known().await)
            }
            LoadError::OtherVersion { .. } => error.to_string(),
            other => format!("plugin {name} can't be used: {other}"),
        };
        Rejection { code: RejectionCode::UnknownPlugin, message }
    }

    async fn known(&self) -> String {
        let names = self.plugin_names().await.unwrap_or_default();
        let shown: Vec<&str> =
            names.iter().take(limits::NAMES_SHOWN_MAX).map(PluginName::as_str).collect();
        match (shown.len(), names.len() - shown.len()) {
            (0, _) => "are none".to_owned(),
            (1, 0) => format!("is {}", shown[0]),
            (_, 0) => format!("are {}", shown.join(", ")),
            (_, more) => format!("are {} and {more} more", shown.join(", ")),
        }
    }
}
