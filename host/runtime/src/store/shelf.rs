//! The plugins of a fleet: fetched from the shelf when they are first asked for, and followed from then
//! on. A plugin of which the folder has a file is the folder's.
//!
//! What is loaded needs the shelf no more. What is on it and can't be used takes nothing's place. [`door`] is
//! for those who put plugins there and look at them.

mod door;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use gristmill_job::{Digest, PluginName};
use gristmill_shelf::{Listing, Shelf, Shelved, Version};

use super::PluginStore;
use super::versions::{Origin, Versions};
use crate::blocking::blocking;
use crate::described::Descriptions;
use crate::error::LoadError;
use crate::manifest::Manifest;
use crate::plugin::Plugin;
use crate::state::lock;

/// How often the shelf is looked at although nothing was heard: what a server tells unasked may be lost.
const BACKSTOP: Duration = Duration::from_secs(30);
/// How often a shelf that is away is looked for.
const AWAY_RETRY: Duration = Duration::from_secs(1);

/// The shelf, and what was last seen of it.
pub(super) struct Supply {
    shelf: Arc<dyn Shelf>,
    /// One at a time looks: what was seen first mustn't be kept last.
    looking: tokio::sync::Mutex<()>,
    /// What doors hold jobs against without fetching anything.
    descriptions: Descriptions,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    listing: Listing,
    /// Why it can't be looked at.
    fault: Option<String>,
    /// What is hidden by files of the folder, of which the log has told.
    hidden: BTreeSet<(PluginName, Digest)>,
}

impl PluginStore {
    /// The same store, with the plugins of a fleet beside those of the folder: one is fetched when it is
    /// first asked for, and then followed where the store is watched.
    #[must_use]
    pub fn with_shelf(mut self, shelf: Arc<dyn Shelf>) -> Self {
        let descriptions = Descriptions::new(Arc::clone(&shelf));
        let looking = tokio::sync::Mutex::default();
        self.supply = Some(Supply { shelf, looking, descriptions, seen: Mutex::default() });
        self
    }

    /// Whether the folder has a file of this name, which comes before the shelf.
    pub async fn is_in_the_folder(&self, name: &PluginName) -> bool {
        let Some(dir) = &self.dir else { return false };
        let file = dir.join(format!("{name}.wasm"));
        // Where that can't be asked, the file can't be read either.
        blocking(move || file.exists()).await.unwrap_or_default()
    }

    /// Whether there is a shelf.
    #[must_use]
    pub fn has_shelf(&self) -> bool {
        self.supply.is_some()
    }

    /// Whether this version of a plugin serves from the shelf, so that every worker of the fleet can have
    /// it.
    #[must_use]
    pub fn is_shelved(&self, plugin: &Plugin) -> bool {
        lock(&self.plugins).get(plugin.name()).is_some_and(|versions| {
            versions.origin() == Origin::Shelf
                && versions.serving().is_some_and(|serving| serving.digest() == plugin.digest())
        })
    }

    /// The names of what was seen on the shelf.
    pub(super) fn shelf_names(&self) -> Vec<PluginName> {
        let Some(supply) = &self.supply else { return Vec::new() };
        lock(&supply.seen).listing.plugins.keys().cloned().collect()
    }

    /// Why the shelf can't be followed just now.
    pub(super) fn shelf_fault(&self) -> Option<String> {
        lock(&self.supply.as_ref()?.seen).fault.clone()
    }

    /// What is on the shelf under the name of a file in the folder, where it is something else.
    pub(super) fn hidden(&self, name: &PluginName) -> Option<String> {
        let shelved = lock(&self.supply.as_ref()?.seen).listing.current(name)?;
        let plugins = lock(&self.plugins);
        let versions = plugins.get(name)?;
        let serving = versions.serving()?.digest();
        let is_hidden = versions.hides_the_shelf() && serving != shelved.digest;
        let digest = shelved.digest;
        is_hidden
            .then(|| format!("the plugins folder has a file of it; it hides the fleet's {digest}"))
    }

    /// A plugin of which the folder has no file; whoever calls holds its gate.
    pub(super) async fn find_shelved(&self, name: &PluginName) -> Result<Plugin, LoadError> {
        let Some(supply) = &self.supply else { return Err(self.not_found(name)) };
        match supply.shelf.versions(name).await?.first() {
            Some(shelved) => self.stock(supply, name, *shelved).await,
            None => Err(self.not_found(name)),
        }
    }

    /// The version of this digest, if the shelf has it.
    pub(super) async fn fetch_version(
        &self,
        name: &PluginName,
        digest: Digest,
    ) -> Result<Option<Plugin>, LoadError> {
        let Some(supply) = &self.supply else { return Ok(None) };
        let gate = self.gate(name);
        let entered = gate.lock().await;
        let fetched = match self.loaded_version(name, Some(digest)) {
            Some(plugin) => Ok(Some(plugin)),
            None => self.fetch(supply, name, digest).await,
        };
        if let Ok(Some(plugin)) = &fetched {
            let mut plugins = lock(&self.plugins);
            let versions = plugins.entry(name.clone()).or_default();
            if versions.of(digest).is_none() {
                versions.keep(plugin.clone());
                tracing::info!("plugin {name} {digest} was fetched, since a job wants it");
            }
        }
        drop(entered);
        self.leave(name, gate);
        fetched
    }

    /// Fetches a version, and makes a plugin of it.
    async fn fetch(
        &self,
        supply: &Supply,
        name: &PluginName,
        digest: Digest,
    ) -> Result<Option<Plugin>, LoadError> {
        let Some(Version { component, about }) = supply.shelf.fetch(name, digest).await? else {
            return Ok(None);
        };
        let text = about.manifest.unwrap_or_default();
        let manifest = Manifest::parse(text.as_bytes(), self.runtime.limits_max())
            .map_err(|faults| LoadError::Manifest { path: format!("of plugin {name}"), faults })?;
        let loaded = match self.loaded_version(name, Some(digest)) {
            Some(plugin) if *plugin.manifest() == manifest => Ok(plugin),
            Some(plugin) => self.runtime.load_again(&plugin, manifest).await,
            None => self.runtime.load_known(name.clone(), component, digest, manifest).await,
        };
        loaded.map(Some)
    }

    /// Lets what the shelf has serve; whoever calls holds the plugin's gate.
    async fn stock(
        &self,
        supply: &Supply,
        name: &PluginName,
        shelved: Shelved,
    ) -> Result<Plugin, LoadError> {
        let digest = shelved.digest;
        if lock(&self.plugins).get(name).and_then(Versions::shelved) == Some(shelved) {
            return self.unchanged(name);
        }
        let refused = lock(&self.plugins)
            .get(name)
            .and_then(|versions| versions.known_fault(digest).map(str::to_owned));
        if let Some(fault) = refused {
            return Err(LoadError::AsBefore(fault));
        }
        let serving = self.loaded(name);
        let plugin = match self.fetch(supply, name, digest).await {
            Ok(Some(plugin)) => plugin,
            // It went while we were at it; what there is now is told of, too.
            Ok(None) => return serving.ok_or_else(|| self.not_found(name)),
            Err(error @ LoadError::Shelf(_)) if error.is_passing() => return Err(error),
            Err(error) => {
                let is_lasting = error.is_of_the_files() || matches!(error, LoadError::Shelf(_));
                let error = self.faulty(name, None, Some(digest), error);
                if let Some(versions) = lock(&self.plugins).get_mut(name) {
                    versions.fail_shelved(is_lasting.then_some(shelved));
                }
                return Err(error);
            }
        };
        let mut plugins = lock(&self.plugins);
        let published = plugins.entry(name.clone()).or_default().stock(plugin.clone(), shelved);
        drop(plugins);
        Ok(self.announce(published, plugin, serving))
    }

    /// Sees what is on the shelf now, for whoever lists it before a change was heard of. Nothing is loaded;
    /// where it is away, that is kept as its fault.
    pub async fn see_shelf(&self) {
        if let Some(supply) = &self.supply {
            // What is due the follower finds, too.
            let _ = self.look_at(supply).await;
        }
    }

    /// Looks at the shelf once, and waits for what is loaded.
    pub(super) async fn restock(&self) -> Result<(), LoadError> {
        let Some(supply) = &self.supply else { return Ok(()) };
        let due = self.look_at(supply).await?;
        let loads = due.into_iter().map(|name| self.reload_shelved(name));
        loads.collect::<FuturesUnordered<_>>().count().await;
        Ok(())
    }

    /// Which plugins that are known here have another version on the shelf. Those that are no longer there
    /// are dropped.
    async fn look_at(&self, supply: &Supply) -> Result<Vec<PluginName>, LoadError> {
        let _turn = supply.looking.lock().await;
        let listing = match supply.shelf.list().await {
            Ok(listing) => listing,
            Err(error) => {
                self.set_shelf_fault(supply, Some(format!("{error}; what was loaded goes on")));
                return Err(error.into());
            }
        };
        let (mut due, mut gone, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for (name, versions) in &*lock(&self.plugins) {
            match (listing.current(name), versions.shelved()) {
                _ if versions.hides_the_shelf() => {}
                (Some(current), known) if known == Some(current) => {}
                (Some(_), _) => due.push(name.clone()),
                (None, _) if versions.origin() != Origin::Shelf => {}
                // Taking it away would have been a change after this one.
                (None, Some(known)) if known.serial > listing.serial => lost.push(name.to_string()),
                (None, _) => gone.push(name.clone()),
            }
        }
        let fault = (!lost.is_empty()).then(|| {
            let lost = lost.join(", ");
            format!("the shelf has lost its data: push {lost} again; what was loaded goes on")
        });
        self.set_shelf_fault(supply, fault);
        let is_news = std::mem::replace(&mut lock(&supply.seen).listing, listing.clone())
            != listing
            || !gone.is_empty();
        for name in gone {
            lock(&self.plugins).remove(&name);
            tracing::info!("plugin {name} is gone: it was taken off the shelf");
        }
        if is_news {
            supply.descriptions.distrust();
            self.tell_hidden(supply, &listing);
            self.tell();
        }
        Ok(due)
    }

    /// Says once of each version that a file hides it.
    fn tell_hidden(&self, supply: &Supply, listing: &Listing) {
        for name in listing.plugins.keys() {
            let Some((said, shelved)) = self.hidden(name).zip(listing.current(name)) else {
                continue;
            };
            if lock(&supply.seen).hidden.insert((name.clone(), shelved.digest)) {
                tracing::warn!("plugin {name}: {said}");
            }
        }
    }

    /// Says once what is wrong with the shelf.
    fn set_shelf_fault(&self, supply: &Supply, fault: Option<String>) {
        let mut seen = lock(&supply.seen);
        if seen.fault == fault {
            return;
        }
        match &fault {
            Some(fault) if self.followed.load(Ordering::Relaxed) => tracing::warn!("{fault}"),
            Some(_) => {}
            None => tracing::info!("the fleet's plugins can be had again"),
        }
        seen.fault = fault;
        drop(seen);
        self.tell();
    }

    /// Takes over what the shelf has of a plugin. What goes wrong is kept and logged there.
    async fn reload_shelved(&self, name: PluginName) -> PluginName {
        let permit = self.background.acquire().await;
        let gate = self.gate(&name);
        let entered = gate.lock().await;
        // Asked anew: somebody may have found a newer one while this waited for its turn.
        let _ = self.find_shelved(&name).await;
        drop((entered, permit));
        self.leave(&name, gate);
        name
    }

    /// Follows the shelf for ever, if there is one.
    pub(super) async fn follow_shelf(&self) {
        let Some(supply) = &self.supply else { return };
        let mut changes = supply.shelf.changes();
        let mut loads: FuturesUnordered<BoxFuture<'_, PluginName>> = FuturesUnordered::new();
        let mut loading = BTreeSet::new();
        let mut again = BTreeSet::new();
        loop {
            // Marked first and looked at then: what changes between the two is heard of.
            changes.mark_unchanged();
            let looked = self.look_at(supply).await;
            let pause = tokio::time::sleep(if looked.is_ok() { BACKSTOP } else { AWAY_RETRY });
            tokio::pin!(pause);
            for name in looked.unwrap_or_default() {
                if loading.insert(name.clone()) {
                    loads.push(Box::pin(self.reload_shelved(name)));
                } else {
                    again.insert(name);
                }
            }
            loop {
                tokio::select! {
                    // Its other end is with the shelf, which we hold.
                    _ = changes.changed() => break,
                    () = &mut pause => break,
                    Some(name) = loads.next() => {
                        loading.remove(&name);
                        if again.remove(&name) {
                            break;
                        }
                    }
                }
            }
        }
    }
}
