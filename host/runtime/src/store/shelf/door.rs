//! The shelf as doors use it: plugins are put there, taken away and looked at, and none is fetched.

use std::sync::Arc;

use gristmill_job::{Digest, NewJob, PluginName};
use gristmill_shelf::{About, Error, Release, Shelved};

use super::Supply;
use crate::described::Described;
use crate::description::Description;
use crate::error::LoadError;
use crate::plugin::Plugin;
use crate::store::PluginStore;

impl Supply {
    async fn describe(
        &self,
        name: &PluginName,
        digest: Digest,
    ) -> Result<Option<Description>, Error> {
        let Some(about) = self.shelf.about(name, digest).await? else { return Ok(None) };
        let description = Description::parse(name, digest, &about.description);
        let damaged = |reason| Error::Incomplete { name: name.clone(), digest, reason };
        description.map(Some).map_err(damaged)
    }
}

impl PluginStore {
    /// Puts a plugin on the shelf, made of this component and this manifest.
    ///
    /// # Errors
    /// [`LoadError::Shelf`].
    pub async fn shelve(
        &self,
        plugin: &Plugin,
        component: bytes::Bytes,
        manifest: Option<String>,
    ) -> Result<(), LoadError> {
        let Some(supply) = &self.supply else { return Err(self.not_found(plugin.name())) };
        let about = About { manifest, description: plugin.description() };
        let release = Release { name: plugin.name().clone(), component, about };
        supply.shelf.publish(&release).await?;
        Ok(())
    }

    /// Takes a plugin off the shelf; false: it wasn't there.
    ///
    /// # Errors
    /// [`LoadError::Shelf`].
    pub async fn unshelve(&self, name: &PluginName) -> Result<bool, LoadError> {
        match &self.supply {
            Some(supply) => Ok(supply.shelf.remove(name).await?),
            None => Ok(false),
        }
    }

    /// What a job is to be held against that isn't loaded here, without fetching it; none, if the shelf
    /// doesn't have it or the folder has a file of it.
    ///
    /// # Errors
    /// [`LoadError::Shelf`].
    pub async fn described_for(&self, job: &NewJob) -> Result<Option<Arc<Described>>, LoadError> {
        let Some(supply) = &self.supply else { return Ok(None) };
        if self.is_in_the_folder(&job.plugin).await {
            return Ok(None);
        }
        Ok(supply.descriptions.of(&job.plugin, job.digest).await?)
    }

    /// Lets a job run on the version that serves now, where every worker of the fleet can have it, unless it
    /// says itself what it is to run on. Where that can't be found out, it stays as it is.
    pub async fn pin(&self, job: &mut NewJob) {
        let Some(supply) = &self.supply else { return };
        if job.latest || job.digest.is_some() {
            return;
        }
        if let Some(plugin) = self.loaded(&job.plugin) {
            job.digest = self.is_shelved(&plugin).then(|| plugin.digest());
        } else if !self.is_in_the_folder(&job.plugin).await
            && let Ok(described) = supply.descriptions.of(&job.plugin, None).await
        {
            job.digest = described.map(|described| described.digest());
        }
    }

    /// What the version that serves of a plugin on the shelf says of itself, without fetching it; none, if
    /// it isn't there.
    ///
    /// # Errors
    /// [`LoadError::Shelf`].
    pub async fn described(&self, name: &PluginName) -> Result<Option<Description>, LoadError> {
        let Some(supply) = &self.supply else { return Ok(None) };
        match supply.shelf.versions(name).await?.first() {
            Some(shelved) => Ok(supply.describe(name, shelved.digest).await?),
            None => Ok(None),
        }
    }

    /// What all versions of a plugin on the shelf say of themselves, the one that serves first.
    ///
    /// # Errors
    /// [`LoadError::Shelf`].
    pub async fn described_versions(
        &self,
        name: &PluginName,
    ) -> Result<Vec<Description>, LoadError> {
        let Some(supply) = &self.supply else { return Ok(Vec::new()) };
        let mut described = Vec::new();
        for Shelved { digest, .. } in supply.shelf.versions(name).await? {
            described.extend(supply.describe(name, digest).await?);
        }
        Ok(described)
    }
}
