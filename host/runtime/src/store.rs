//! The plugins of a folder: loaded when they are first asked for, or as soon as they are there where
//! somebody watches; with the manifests beside them, and with the versions that jobs still want.
//!
//! [`source`] reads files, [`versions`] knows which version serves and which served before, [`follow`]
//! follows the folder by what [`suspects`] hears of it. What a plugin does when its files change is decided here, in `refresh`.
//! [`shelf`] does the same with the plugins of a fleet, of which the folder has no file. [`last_used`] is for
//! those who ask for one plugin again and again.

mod follow;
mod last_used;
mod shelf;
mod source;
mod suspects;
mod versions;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gristmill_job::{Digest, PluginName};
use tokio::sync::{Semaphore, watch as told};

pub use self::last_used::LastUsed;
pub use self::suspects::FolderWatch;

use self::shelf::Supply;
use self::source::{Files, Mark, Read};
use self::versions::{Origin, Published, Versions};
use crate::attempt::Runtime;
use crate::blocking::blocking;
use crate::error::LoadError;
use crate::plugin::Plugin;
use crate::state::lock;

/// Plugins that a watched folder loads at one time, beside those that jobs wait for: compiling one
/// takes all cores by itself. The pool has as many slots more, since each describes itself.
pub const BACKGROUND_LOADS_MAX: usize = 2;

/// The plugins of a folder, and others that were put in by hand.
///
/// A plugin is loaded when it is first asked for, once, however many ask. [`PluginStore::watch`]
/// follows the folder: a new version takes the place of the old one between two jobs, a broken one
/// leaves the old one where it is. Each version keeps the grants that it came with: one that takes
/// another's place inherits nothing.
pub struct PluginStore {
    runtime: Runtime,
    dir: Option<PathBuf>,
    /// The fleet's plugins.
    supply: Option<Supply>,
    plugins: Mutex<HashMap<PluginName, Versions>>,
    /// One at a time loads a plugin; others wait for it.
    gates: Mutex<HashMap<PluginName, Arc<tokio::sync::Mutex<()>>>>,
    background: Semaphore,
    /// Somebody follows the folder, and what is found there is news to whoever reads the log.
    followed: AtomicBool,
    /// Why the folder can't be followed.
    folder_fault: Mutex<Option<String>>,
    changes: told::Sender<u64>,
}

/// Whether files that look as they did are read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Files with the same marks are the same.
    Marks,
    /// Something was written: only the content tells.
    Content,
}

impl PluginStore {
    /// A store over a folder of `NAME.wasm` files with their manifests `NAME.toml`, or of none.
    #[must_use]
    pub fn new(runtime: Runtime, dir: Option<PathBuf>) -> Self {
        Self {
            runtime,
            dir,
            supply: None,
            plugins: Mutex::default(),
            gates: Mutex::default(),
            background: Semaphore::new(BACKGROUND_LOADS_MAX),
            followed: AtomicBool::new(false),
            folder_fault: Mutex::default(),
            changes: told::Sender::new(0),
        }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Counts changes of what serves and of what is said of it; wait on it rather than looking again
    /// and again.
    #[must_use]
    pub fn changes(&self) -> told::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Puts a plugin in by hand; it takes the place of one with its name, and no file replaces it.
    pub fn insert(&self, plugin: Plugin) {
        let name = plugin.name().clone();
        lock(&self.plugins).entry(name).or_default().insert(plugin);
        self.tell();
    }

    /// The plugin of this name.
    ///
    /// # Errors
    /// [`LoadError::NotFound`], or why it can't be used.
    pub async fn get(&self, name: &PluginName) -> Result<Plugin, LoadError> {
        if let Some(plugin) = self.loaded(name) {
            return Ok(plugin);
        }
        let gate = self.gate(name);
        let entered = gate.lock().await;
        let plugin = match self.loaded(name) {
            Some(plugin) => Ok(plugin),
            None => self.refresh(name, Trust::Marks).await,
        };
        drop(entered);
        self.leave(name, gate);
        plugin
    }

    /// The plugin of this name in the version of this digest; in the one that serves, if none is
    /// given.
    ///
    /// # Errors
    /// [`LoadError::OtherVersion`], [`LoadError::NotFound`], or why it can't be used.
    pub async fn get_version(
        &self,
        name: &PluginName,
        digest: Option<Digest>,
    ) -> Result<Plugin, LoadError> {
        if let Some(plugin) = self.loaded_version(name, digest) {
            return Ok(plugin);
        }
        let serving = self.get(name).await;
        let Some(wanted) = digest else { return serving };
        if let Some(plugin) = self.loaded_version(name, digest) {
            return Ok(plugin);
        }
        if let Some(plugin) = self.fetch_version(name, wanted).await? {
            return Ok(plugin);
        }
        let here = serving?.digest();
        Err(LoadError::OtherVersion { name: name.to_string(), wanted, here })
    }

    /// The plugin of this name, if it is loaded.
    #[must_use]
    pub fn loaded(&self, name: &PluginName) -> Option<Plugin> {
        lock(&self.plugins).get(name)?.serving().cloned()
    }

    /// The plugin of this name in the version of this digest, if it is loaded: the one that serves, one
    /// of the last before it, or one that still runs somewhere.
    #[must_use]
    pub fn loaded_version(&self, name: &PluginName, digest: Option<Digest>) -> Option<Plugin> {
        let plugins = lock(&self.plugins);
        let versions = plugins.get(name)?;
        match digest {
            None => versions.serving().cloned(),
            Some(digest) => versions.of(digest),
        }
    }

    /// The versions of this plugin that jobs can run on, the one that serves first.
    #[must_use]
    pub fn versions(&self, name: &PluginName) -> Vec<Plugin> {
        lock(&self.plugins).get(name).map(Versions::all).unwrap_or_default()
    }

    /// Why what is there of this name in the folder or on the shelf can't be used, although an older version
    /// may serve; or that a file of the folder hides what is on the shelf.
    #[must_use]
    pub fn fault(&self, name: &PluginName) -> Option<String> {
        let fault = lock(&self.plugins).get(name)?.fault().map(str::to_owned);
        fault.or_else(|| self.hidden(name))
    }

    /// Why the folder or the shelf can't be followed just now, where somebody watches; what was loaded goes
    /// on.
    #[must_use]
    pub fn folder_fault(&self) -> Option<String> {
        let folder = lock(&self.folder_fault).clone();
        let faults = folder.into_iter().chain(self.shelf_fault());
        faults.reduce(|one, other| format!("{one}; {other}"))
    }

    /// The names of all plugins: those put in by hand and those in the folder, sorted. While the folder
    /// can't be read, those that serve.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`]: the folder, and nothing serves.
    pub fn names(&self) -> Result<Vec<PluginName>, LoadError> {
        let mut names: Vec<PluginName> = lock(&self.plugins)
            .iter()
            .filter(|(_, versions)| versions.serving().is_some())
            .map(|(name, _)| name.clone())
            .collect();
        names.extend(self.shelf_names());
        if let Some(dir) = &self.dir {
            match source::list(dir) {
                Ok(found) => names.extend(found.into_keys()),
                Err(error) if names.is_empty() => return Err(error),
                Err(_) => {}
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Looks at a plugin's files and does what they ask for; whoever calls holds the plugin's gate.
    async fn refresh(&self, name: &PluginName, trust: Trust) -> Result<Plugin, LoadError> {
        let Some(dir) = &self.dir else { return self.find_shelved(name).await };
        let known = match trust {
            Trust::Marks => lock(&self.plugins).get(name).and_then(Versions::mark),
            Trust::Content => None,
        };
        let path = dir.join(format!("{name}.wasm"));
        let bytes_max = self.runtime.component_bytes_max();
        let limits_max = self.runtime.limits_max().clone();
        match blocking(move || source::read(&path, known, bytes_max, &limits_max)).await? {
            Read::Unchanged => self.unchanged(name),
            Read::Gone { with_its_folder } => {
                if !with_its_folder {
                    self.remove(name);
                }
                self.find_shelved(name).await
            }
            Read::Unsettled => Err(LoadError::Unreadable {
                path: dir.join(format!("{name}.wasm")).display().to_string(),
                source: std::io::Error::other("it was written to while it was read"),
            }),
            Read::Faulty(mark, error) => Err(self.faulty(name, mark, None, error)),
            Read::Files(files) => self.take_over(name, files).await,
        }
    }

    /// The same files as before say the same as before.
    fn unchanged(&self, name: &PluginName) -> Result<Plugin, LoadError> {
        let plugins = lock(&self.plugins);
        let versions = plugins.get(name);
        match (versions.and_then(Versions::fault), versions.and_then(Versions::serving)) {
            (Some(fault), _) => Err(LoadError::AsBefore(fault.to_owned())),
            (None, Some(plugin)) => Ok(plugin.clone()),
            (None, None) => Err(self.not_found(name)),
        }
    }

    fn not_found(&self, name: &PluginName) -> LoadError {
        let dir = match &self.dir {
            Some(dir) => dir.display().to_string(),
            None => "(no plugins folder is set)".to_owned(),
        };
        LoadError::NotFound { name: name.to_string(), dir }
    }

    async fn take_over(&self, name: &PluginName, files: Box<Files>) -> Result<Plugin, LoadError> {
        let Files { mark, bytes, digest, manifest } = *files;
        if let Some(fault) = self.known_fault(name, digest, mark) {
            return Err(LoadError::AsBefore(fault));
        }
        let known = self.loaded_version(name, Some(digest));
        let serving = self.loaded(name);
        let loaded = match known {
            Some(plugin) if *plugin.manifest() == manifest => Ok(plugin),
            Some(plugin) => self.runtime.load_again(&plugin, manifest).await,
            None => self.runtime.load_known(name.clone(), bytes, digest, manifest).await,
        };
        let plugin = match loaded {
            Ok(plugin) => plugin,
            Err(error) => return Err(self.faulty(name, Some(mark), Some(digest), error)),
        };
        let published =
            lock(&self.plugins).entry(name.clone()).or_default().publish(plugin.clone(), mark);
        Ok(self.announce(published, plugin, serving))
    }

    /// Says what has become of a version that was found, and answers what serves.
    fn announce(&self, published: Published, plugin: Plugin, serving: Option<Plugin>) -> Plugin {
        let (name, digest) = (plugin.name(), plugin.digest());
        match published {
            Published::Outranked => return serving.unwrap_or(plugin),
            Published::Same => return plugin,
            Published::First => tracing::info!("plugin {name} {digest}"),
            Published::Mended => {
                tracing::info!("plugin {name} {digest}: its files are sound again")
            }
            Published::Regranted => {
                tracing::info!("plugin {name} {digest}: its manifest has changed")
            }
            Published::TookOver(old) => {
                tracing::info!("plugin {name} {digest} has taken over from {old}");
            }
        }
        self.tell();
        plugin
    }

    /// What is wrong with a component, if it was tried before: compiling may be what is wrong with it.
    fn known_fault(&self, name: &PluginName, digest: Digest, mark: Mark) -> Option<String> {
        let mut plugins = lock(&self.plugins);
        let versions = plugins.get_mut(name)?;
        let fault = versions.known_fault(digest)?.to_owned();
        versions.set_fault(fault.clone(), Some(mark), Some(digest));
        Some(fault)
    }

    /// Keeps what was wrong with the files, where that is the files' own doing, and says so once.
    fn faulty(
        &self,
        name: &PluginName,
        mark: Option<Mark>,
        digest: Option<Digest>,
        error: LoadError,
    ) -> LoadError {
        // What the host had a part in may go well with the same files.
        let mark = mark.filter(|_| error.is_of_the_files());
        let refused = digest.filter(|_| error.is_of_the_component());
        let text = error.to_string();
        let mut plugins = lock(&self.plugins);
        let versions = plugins.entry(name.clone()).or_default();
        let serving = versions.serving().map(Plugin::digest);
        let is_new = versions.set_fault(text.clone(), mark, refused);
        drop(plugins);
        if is_new {
            match serving {
                Some(digest) => tracing::warn!(
                    "the new version of plugin {name} can't be used: {text}; {digest} goes on"
                ),
                None if self.followed.load(Ordering::Relaxed) => {
                    tracing::warn!("plugin {name} can't be used: {text}");
                }
                // Whoever asked is told.
                None => {}
            }
            self.tell();
        }
        error
    }

    /// Its file is gone: jobs that run keep their version, new ones find none.
    fn remove(&self, name: &PluginName) {
        let mut plugins = lock(&self.plugins);
        match plugins.get_mut(name) {
            Some(versions) if versions.origin() == Origin::Folder => {}
            Some(versions) => return versions.forget_files(),
            None => return,
        }
        plugins.remove(name);
        drop(plugins);
        tracing::info!("plugin {name} is gone: its file is no longer there");
        self.tell();
    }

    fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn gate(&self, name: &PluginName) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.gates).entry(name.clone()).or_default())
    }

    /// Names come from outside: those that nobody loads any more must not pile up.
    fn leave(&self, name: &PluginName, gate: Arc<tokio::sync::Mutex<()>>) {
        let mut gates = lock(&self.gates);
        drop(gate);
        if gates.get(name).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(name);
        }
    }
}
