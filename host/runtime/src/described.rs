//! What a fleet's plugins say of themselves, kept in mind by doors that hold jobs against it and fetch none
//! of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use gristmill_job::{Digest, NewJob, PluginName, Rejection, time};
use gristmill_shelf::redis::ConnectError;
use gristmill_shelf::{About, Error, Shelf, Shelved};

use crate::description::Description;
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::state::lock;
use crate::terms::AllTerms;

/// How old the word may be which version of a plugin serves: jobs are checked by the round trip of the
/// first of them, and a new version is met in a second.
const TRUSTED: Duration = Duration::from_secs(1);
/// Plugins that are kept in mind: as many as a shelf has.
const KNOWN_MAX: usize = gristmill_shelf::limits::PLUGINS_MAX;

/// What the plugins on a shelf say of themselves.
pub struct Descriptions {
    shelf: Arc<dyn Shelf>,
    known: Mutex<HashMap<PluginName, Known>>,
}

/// What is known of a plugin.
struct Known {
    versions: Vec<Shelved>,
    /// When that was said; none: it is to be asked again.
    at: Option<Instant>,
    described: Vec<(Shelved, Option<Arc<Described>>)>,
}

/// What a version of a plugin says of itself, and on what terms its manifest has it run.
#[derive(Debug)]
pub struct Described {
    description: Description,
    terms: AllTerms,
}

impl Descriptions {
    /// Of the plugins on this shelf.
    #[must_use]
    pub fn new(shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf, known: Mutex::default() }
    }

    /// A plugin in the version of this digest, or in the one that serves; none, where it isn't on the shelf
    /// or says what it takes in a way that isn't understood here.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn of(
        &self,
        name: &PluginName,
        digest: Option<Digest>,
    ) -> Result<Option<Arc<Described>>, Error> {
        let Some(shelved) = self.shelved(name, digest).await? else { return Ok(None) };
        if let Some(known) = self.kept(name, shelved) {
            return Ok(known);
        }
        let described = match self.shelf.about(name, shelved.digest).await {
            Ok(Some(about)) => Described::read(name, shelved.digest, &about),
            Ok(None) => return Ok(None),
            Err(error) => return passed_over(error),
        };
        let described = described.map(Arc::new).map_err(|error| {
            tracing::warn!(
                "what plugin {name} takes can't be read, so that nothing is checked: {error}"
            );
        });
        let described = described.ok();
        if let Some(known) = self.lock().get_mut(name) {
            known.described.push((shelved, described.clone()));
        }
        Ok(described)
    }

    /// Asks again from now on: the shelf has changed.
    pub(crate) fn distrust(&self) {
        for known in self.lock().values_mut() {
            known.at = None;
        }
    }

    /// The version of this digest, or the one that serves.
    async fn shelved(
        &self,
        name: &PluginName,
        digest: Option<Digest>,
    ) -> Result<Option<Shelved>, Error> {
        let versions = match self.trusted(name) {
            Some(versions) => versions,
            None => match self.shelf.versions(name).await {
                Ok(versions) => self.keep_versions(name, versions),
                Err(error) => return passed_over(error),
            },
        };
        let wanted = |shelved: &&Shelved| digest.is_none_or(|digest| shelved.digest == digest);
        Ok(versions.iter().find(wanted).copied())
    }

    fn trusted(&self, name: &PluginName) -> Option<Vec<Shelved>> {
        let known = self.lock();
        let known = known.get(name)?;
        let age = time::monotonic().saturating_duration_since(known.at?);
        (age < TRUSTED).then(|| known.versions.clone())
    }

    fn keep_versions(&self, name: &PluginName, versions: Vec<Shelved>) -> Vec<Shelved> {
        let mut known = self.lock();
        // Names come from outside: those that nobody shares must not pile up.
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        let old = known.remove(name).map(|known| known.described).unwrap_or_default();
        let described = old.into_iter().filter(|(of, _)| versions.contains(of)).collect();
        let at = Some(time::monotonic());
        known.insert(name.clone(), Known { versions: versions.clone(), at, described });
        versions
    }

    fn kept(&self, name: &PluginName, shelved: Shelved) -> Option<Option<Arc<Described>>> {
        let known = self.lock();
        let mut described = known.get(name)?.described.iter();
        described.find(|(of, _)| *of == shelved).map(|(_, described)| described.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PluginName, Known>> {
        lock(&self.known)
    }
}

impl Described {
    fn read(name: &PluginName, digest: Digest, about: &About) -> Result<Self, String> {
        let description = Description::parse(name, digest, &about.description)?;
        let text = about.manifest.as_deref().unwrap_or_default();
        // What a manifest may ask for, each worker judges by its own bounds.
        let manifest = Manifest::parse(text.as_bytes(), &Limits::MAX).unwrap_or_default();
        Ok(Self { description, terms: AllTerms::new(&manifest, &Limits::MAX) })
    }

    /// Which version it is.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.description.digest
    }

    /// Holds a job against it, and fills in which function and which version it is, and how it is tried
    /// again where its producer doesn't say.
    ///
    /// # Errors
    /// A rejection that says what would fit.
    pub fn admit(&self, job: &mut NewJob) -> Result<(), Rejection> {
        let function = self.description.check(job)?;
        self.terms.of(Some(&function)).fill_in(job);
        job.function = Some(function);
        if !job.latest {
            job.digest = Some(self.digest());
        }
        Ok(())
    }
}

/// A door that may not look at the shelf may still enqueue: the workers judge.
fn passed_over<T>(error: Error) -> Result<Option<T>, Error> {
    match error {
        Error::Unavailable(ConnectError::Unusable { .. }) | Error::Incomplete { .. } => {
            tracing::warn!("nothing is checked: {error}");
            Ok(None)
        }
        error => Err(error),
    }
}
