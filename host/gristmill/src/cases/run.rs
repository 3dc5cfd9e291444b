//! Runs cases: each in the sandbox, over a queue and a cache in memory of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{Cache, Key, MemoryCache, SetOptions, Space};
use gristmill_job::{Clock, NewJob, Payload, SystemClock};
use gristmill_queue::MemoryQueue;
use gristmill_runtime::{
    Attempt, FollowUps as _, Hidden, LoadError, Manifest, Plugin, Report, Runtime, Secret, Stop,
};
use tokio::runtime::Handle;

use super::compare::compare;
use super::file::{Case, Entry};
use super::observed::{CacheKey, Noted, Observed, Recorder};
use super::project::Project;
use super::{CaseReport, Verdict};
use crate::error::Error;
use crate::host::Host;

/// How long a case may take that doesn't say: a test that takes longer is one that hangs.
pub const CASE_TIME_MAX: Duration = Duration::from_secs(60);

/// What holds for all cases.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a case may take that doesn't say; never more than its manifest allows.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { timeout: CASE_TIME_MAX }
    }
}

/// A plugin that is ready to be tested. Cloning shares it.
#[derive(Clone)]
pub struct Tested {
    plugin: Plugin,
    runtime: Runtime,
    guests: Handle,
    cache_config: gristmill_cache::Config,
    options: Options,
}

impl Tested {
    /// Loads a project's plugin. Its manifest holds, but for the reuse of instances: each case has one of
    /// its own.
    ///
    /// # Errors
    /// [`Error::Plugin`].
    pub async fn load(host: &Host, project: &Project, options: Options) -> Result<Self, Error> {
        let desk = host.desk();
        let plugin = |source| Error::Plugin { name: project.name.clone(), source };
        let mut manifest = manifest(&desk.runtime, project).map_err(plugin)?;
        manifest.reuse = None;
        let (runtime, component) = (desk.runtime.clone(), project.component.clone());
        let loaded =
            desk.loading(async move { runtime.load_component(&component, manifest).await });
        Ok(Self {
            plugin: loaded.await.map_err(plugin)?,
            runtime: desk.runtime.clone(),
            guests: desk.guests.clone(),
            cache_config: gristmill_cache::Config::default(),
            options,
        })
    }

    /// The plugin.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Runs a case of a file, where guests run.
    pub async fn run(&self, case: Case, file: PathBuf) -> CaseReport {
        let (tested, given) = (self.clone(), case.clone());
        let ran = self.guests.spawn(async move { tested.observe(&given).await }).await;
        let verdict = match ran {
            Ok(Ok(observed)) => {
                let mismatches = compare(&case.expected, &observed);
                if mismatches.is_empty() {
                    Verdict::Passed(Box::new(observed))
                } else {
                    Verdict::Failed(Box::new(observed), mismatches)
                }
            }
            Ok(Err(why)) => Verdict::NotRun(why),
            Err(panic) => Verdict::NotRun(panic.to_string()),
        };
        CaseReport { plugin: self.plugin.name().to_string(), file, case, verdict }
    }

    /// Runs an attempt of a case, and says what it did, or why it couldn't be run.
    async fn observe(&self, case: &Case) -> Result<Observed, String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let cache: Arc<dyn Cache> =
            Arc::new(MemoryCache::new(self.cache_config.clone(), Arc::clone(&clock)));
        self.fill(&*cache, &case.cache).await?;
        let queue = MemoryQueue::new(gristmill_queue::Config::default(), Arc::clone(&clock));
        let (recorder, noted) =
            (Arc::new(Recorder::new(Arc::new(queue))), Arc::new(Noted::default()));
        let plugin = self.plugin_of(case).await?;
        let runtime = self.runtime.over(
            Arc::clone(&cache),
            self.cache_config.clone(),
            Arc::clone(&recorder) as _,
            Arc::clone(&clock),
        );
        let stop = Stop::new();
        let attempt = Attempt {
            job: Arc::new(self.job(case)),
            number: case.attempt,
            enqueued_at: clock.now(),
            checkpoint: case.checkpoint.clone(),
            stop: stop.clone(),
            notes: Arc::clone(&noted) as _,
        };
        let report = stopped_after(case.cancel_after, &stop, runtime.run(&plugin, attempt));
        let Report { outcome, usage, follow_ups } =
            report.await.map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
        // They go with the settlement, which is as much as to enqueue them now.
        recorder.enqueue(follow_ups).await.map_err(|error| format!("{error:#}"))?;
        let book = noted.take();
        Ok(Observed {
            outcome,
            usage,
            jobs: recorder.take(),
            log: book.log,
            progress: book.progress,
            checkpoint: book.checkpoint,
            cache: self.found(&*cache, case).await?,
        })
    }

    fn job(&self, case: &Case) -> NewJob {
        let mut job = NewJob::new(self.plugin.name().clone(), case.input.clone());
        job.function.clone_from(&case.function);
        job.headers = case.headers.clone();
        job.timeout = Some(case.timeout.unwrap_or(self.options.timeout));
        job
    }

    /// The plugin, with what the case says in place of its manifest.
    async fn plugin_of(&self, case: &Case) -> Result<Plugin, String> {
        if case.config.is_empty() && case.secrets.is_empty() {
            return Ok(self.plugin.clone());
        }
        let mut manifest = self.plugin.manifest().clone();
        manifest.config.extend(case.config.clone());
        for (name, value) in &case.secrets {
            let Some(secret) = manifest.grants.secrets.get_mut(name) else {
                return Err(format!(
                    "secrets: the manifest grants no secret {name:?}: add it under [grants.secrets]"
                ));
            };
            *secret = Secret::Given(Hidden::new(value));
        }
        let loaded = self.runtime.load_again(&self.plugin, manifest).await;
        loaded.map_err(|error| error.to_string())
    }

    async fn fill(&self, cache: &dyn Cache, entries: &[(CacheKey, Entry)]) -> Result<(), String> {
        for (place, entry) in entries {
            let (space, key) = self.place(place)?;
            let options = SetOptions { ttl: entry.ttl, ..SetOptions::default() };
            let stored = cache.set(&space, &key, entry.content.bytes(), options).await;
            stored.map_err(|error| format!("{place}: {error}"))?;
        }
        Ok(())
    }

    async fn found(
        &self,
        cache: &dyn Cache,
        case: &Case,
    ) -> Result<Vec<(CacheKey, Option<Bytes>)>, String> {
        let wanted = case.expected.cache.iter().map(|(place, _)| place);
        let mut found = Vec::new();
        for place in wanted.chain(&case.expected.absent) {
            let (space, key) = self.place(place)?;
            let value = cache.get(&space, &key).await;
            found.push((place.clone(), value.map_err(|error| format!("{place}: {error}"))?));
        }
        Ok(found)
    }

    fn place(&self, place: &CacheKey) -> Result<(Space, Key), String> {
        let space = match &place.bucket {
            Some(bucket) => Space::Bucket(bucket.clone()),
            None => Space::Plugin(self.plugin.name().clone()),
        };
        let key = Key::new(&place.key, &self.cache_config);
        Ok((space, key.map_err(|error| format!("{place}: {error}"))?))
    }
}

/// Asks for the attempt's end when it is time.
async fn stopped_after<T>(
    after: Option<Duration>,
    stop: &Stop,
    attempt: impl Future<Output = T>,
) -> T {
    let Some(after) = after else { return attempt.await };
    let mut attempt = std::pin::pin!(attempt);
    tokio::select! {
        biased;
        () = tokio::time::sleep(after) => {
            stop.cancel();
            attempt.await
        }
        ended = &mut attempt => ended,
    }
}

/// The manifest of a project; the default where there is none.
fn manifest(runtime: &Runtime, project: &Project) -> Result<Manifest, LoadError> {
    Manifest::at(&project.manifest, runtime.limits_max())
}

/// A payload as an observed value of the cache.
pub(super) fn raw(bytes: &Bytes) -> Payload {
    Payload { content_type: String::new(), data: bytes.clone() }
}
