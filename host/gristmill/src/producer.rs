//! Jobs straight to Redis, past any daemon: held against what the fleet's plugins say of themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gristmill_job::{Digest, Job, JobId, NewJob, PluginName, Rejection, Verdict, time};
use gristmill_queue::Queue;
use gristmill_runtime::Description;
use gristmill_shelf::redis::ConnectError;
use gristmill_shelf::{Error as ShelfError, Shelf, Shelved};

use crate::error::{Error, taken};
use crate::redis::{self, RedisError};

/// How old the word may be which version of a plugin serves: jobs are checked by the round trip of the
/// first of them, and a new version is met in a second.
const TRUSTED: Duration = Duration::from_secs(1);
/// Plugins that are kept in mind: as many as a shelf has.
const KNOWN_MAX: usize = gristmill_shelf::limits::PLUGINS_MAX;

/// Puts jobs into the queue on a Redis server. A job of a plugin that the fleet shares there is checked
/// against its description first, as by a daemon, and is pinned to that version unless it is to run on
/// the latest. Of others the workers judge.
pub struct Producer {
    queue: Arc<dyn Queue>,
    shelf: Arc<dyn Shelf>,
    known: Mutex<HashMap<PluginName, Known>>,
}

/// What is known of a plugin.
struct Known {
    versions: Vec<Shelved>,
    at: Instant,
    descriptions: Vec<(Shelved, Option<Arc<Description>>)>,
}

impl Producer {
    /// Connects to the Redis server at an address such as `redis://127.0.0.1:6379/0`, on the async runtime
    /// that this is called on.
    ///
    /// # Errors
    /// [`RedisError::Address`], [`RedisError::Connect`].
    pub async fn connect(url: &str) -> Result<Self, RedisError> {
        Ok(Self::over(redis::queue(url).await?, redis::shelf(url)?))
    }

    /// A producer over these, wherever they are.
    #[must_use]
    pub fn over(queue: Arc<dyn Queue>, shelf: Arc<dyn Shelf>) -> Self {
        Self { queue, shelf, known: Mutex::default() }
    }

    /// Where the jobs wait.
    #[must_use]
    pub fn queue(&self) -> &Arc<dyn Queue> {
        &self.queue
    }

    /// Checks a job and enqueues it. Repeating it with the same id is harmless.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::UniqueConflict`], [`Error::Queue`], [`Error::Shelf`].
    pub async fn enqueue(&self, job: NewJob) -> Result<JobId, Error> {
        let id = job.id;
        let verdict = self.enqueue_many(vec![job]).await?.pop();
        verdict.map_or(Ok(()), taken).map(|()| id)
    }

    /// Checks a job, enqueues it and waits for its end: the job as it then is, or as it is when `patience`
    /// is over; none, if it was removed. Dropped, it leaves the job to its life.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::UniqueConflict`], [`Error::Queue`], [`Error::Shelf`].
    pub async fn run(&self, mut job: NewJob, patience: Duration) -> Result<Option<Job>, Error> {
        self.check(&mut job).await?;
        let (verdict, job) = self.queue.run(job, patience).await?;
        taken(verdict).map(|()| job)
    }

    /// Checks jobs and enqueues those that pass, in one step; a verdict each, in their order.
    ///
    /// # Errors
    /// [`Error::Queue`], [`Error::Shelf`]: nothing was enqueued, or, where the queue can't be reached,
    /// perhaps all that passed.
    pub async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::with_capacity(jobs.len());
        let mut admitted = Vec::with_capacity(jobs.len());
        for mut job in jobs {
            match self.admit(&mut job).await? {
                Ok(()) => {
                    verdicts.push(None);
                    admitted.push(job);
                }
                Err(rejection) => verdicts.push(Some(Verdict::Rejected(rejection))),
            }
        }
        let mut enqueued = match admitted.is_empty() {
            true => Vec::new(),
            false => self.queue.enqueue(admitted).await?,
        }
        .into_iter();
        Ok(verdicts.into_iter().filter_map(|verdict| verdict.or_else(|| enqueued.next())).collect())
    }

    /// Checks a job whose plugin is shared, and fills in which function and which version it is, for whoever
    /// enqueues it then.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::Shelf`].
    pub async fn check(&self, job: &mut NewJob) -> Result<(), Error> {
        Ok(self.admit(job).await??)
    }

    /// Checks a job whose plugin is shared, and fills in which function and which version it is.
    async fn admit(&self, job: &mut NewJob) -> Result<Result<(), Rejection>, Error> {
        let Some(description) = self.description(&job.plugin, job.digest).await? else {
            return Ok(Ok(()));
        };
        let function = match description.check(job) {
            Ok(function) => function,
            Err(rejection) => return Ok(Err(rejection)),
        };
        job.function = Some(function);
        if !job.latest {
            job.digest = Some(description.digest);
        }
        Ok(Ok(()))
    }

    /// What a plugin says of itself in this version, or in the one that serves; none, where it isn't shared
    /// or says it in a way that isn't understood here.
    async fn description(
        &self,
        name: &PluginName,
        digest: Option<Digest>,
    ) -> Result<Option<Arc<Description>>, Error> {
        let versions = match self.trusted(name) {
            Some(versions) => versions,
            None => match self.shelf.versions(name).await {
                Ok(versions) => self.keep_versions(name, versions),
                Err(error) => return passed_over(error),
            },
        };
        let wanted = |shelved: &&Shelved| digest.is_none_or(|digest| shelved.digest == digest);
        let Some(shelved) = versions.iter().find(wanted).copied() else { return Ok(None) };
        if let Some(known) = self.kept(name, shelved) {
            return Ok(known);
        }
        let description = match self.shelf.about(name, shelved.digest).await {
            Ok(Some(about)) => Description::parse(name, shelved.digest, &about.description),
            Ok(None) => return Ok(None),
            Err(error) => return passed_over(error),
        };
        let description = description.map(Arc::new).map_err(|error| {
            tracing::warn!(
                "what plugin {name} takes can't be read, so that nothing is checked: {error}"
            );
        });
        let description = description.ok();
        if let Some(known) = self.lock().get_mut(name) {
            known.descriptions.push((shelved, description.clone()));
        }
        Ok(description)
    }

    fn trusted(&self, name: &PluginName) -> Option<Vec<Shelved>> {
        let known = self.lock();
        let known = known.get(name)?;
        let age = time::monotonic().saturating_duration_since(known.at);
        (age < TRUSTED).then(|| known.versions.clone())
    }

    fn keep_versions(&self, name: &PluginName, versions: Vec<Shelved>) -> Vec<Shelved> {
        let mut known = self.lock();
        // Names come from outside: those that nobody shares must not pile up.
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        let old = known.remove(name).map(|known| known.descriptions).unwrap_or_default();
        let descriptions = old.into_iter().filter(|(of, _)| versions.contains(of)).collect();
        let at = time::monotonic();
        known.insert(name.clone(), Known { versions: versions.clone(), at, descriptions });
        versions
    }

    fn kept(&self, name: &PluginName, shelved: Shelved) -> Option<Option<Arc<Description>>> {
        let known = self.lock();
        let mut descriptions = known.get(name)?.descriptions.iter();
        descriptions.find(|(of, _)| *of == shelved).map(|(_, description)| description.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PluginName, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A producer that may not look at the shelf may still enqueue: the workers judge.
fn passed_over<T>(error: ShelfError) -> Result<Option<T>, Error> {
    match error {
        ShelfError::Unavailable(ConnectError::Unusable { .. }) | ShelfError::Incomplete { .. } => {
            tracing::warn!("nothing is checked: {error}");
            Ok(None)
        }
        error => Err(error.into()),
    }
}
