//! The plugins of a folder: loaded when first asked for, with the manifests beside them, and kept.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gristmill_job::PluginName;
use tokio::sync::OnceCell;

use crate::attempt::Runtime;
use crate::error::{Error, LoadError};
use crate::manifest::Manifest;
use crate::plugin::Plugin;
use crate::state::lock;

/// The plugins of a folder, and others that were put in by hand.
///
/// A plugin is loaded when it is first asked for, once, however many ask; one that can't be loaded
/// is tried again the next time. Each keeps the grants that it came with: one that takes another's
/// place inherits nothing.
pub struct PluginStore {
    runtime: Runtime,
    dir: Option<PathBuf>,
    slots: Mutex<HashMap<PluginName, Arc<OnceCell<Plugin>>>>,
}

impl PluginStore {
    /// A store over a folder of `NAME.wasm` files with their manifests `NAME.toml`, or of none.
    #[must_use]
    pub fn new(runtime: Runtime, dir: Option<PathBuf>) -> Self {
        Self { runtime, dir, slots: Mutex::default() }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Puts a plugin in by hand; it takes the place of one with its name.
    pub fn insert(&self, plugin: Plugin) {
        let name = plugin.name().clone();
        lock(&self.slots).insert(name, Arc::new(OnceCell::new_with(Some(plugin))));
    }

    /// The plugin of this name.
    ///
    /// # Errors
    /// [`LoadError::NotFound`], or why it can't be used.
    pub async fn get(&self, name: &PluginName) -> Result<Plugin, LoadError> {
        let slot = Arc::clone(lock(&self.slots).entry(name.clone()).or_default());
        let loaded = slot.get_or_try_init(|| self.load(name)).await;
        if loaded.is_err() {
            // Names come from outside: those without a plugin must not pile up.
            let mut slots = lock(&self.slots);
            if slots.get(name).is_some_and(|slot| slot.get().is_none()) {
                slots.remove(name);
            }
        }
        loaded.cloned()
    }

    /// The plugin of this name, if it is loaded.
    #[must_use]
    pub fn loaded(&self, name: &PluginName) -> Option<Plugin> {
        lock(&self.slots).get(name).and_then(|slot| slot.get().cloned())
    }

    /// The names of all plugins: those put in by hand and those in the folder, sorted.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`]: the folder.
    pub fn names(&self) -> Result<Vec<PluginName>, LoadError> {
        let loaded = lock(&self.slots)
            .iter()
            .filter(|(_, slot)| slot.initialized())
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>();
        let mut names = loaded;
        if let Some(dir) = &self.dir {
            let unreadable =
                |source| LoadError::Unreadable { path: dir.display().to_string(), source };
            for entry in std::fs::read_dir(dir).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let is_wasm = path.extension().is_some_and(|extension| extension == "wasm");
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                // A file whose stem is no name can't be called, so it is no plugin.
                if is_wasm && let Some(name) = stem.and_then(|stem| PluginName::new(stem).ok()) {
                    names.push(name);
                }
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn load(&self, name: &PluginName) -> Result<Plugin, LoadError> {
        let not_found = |dir: String| LoadError::NotFound { name: name.to_string(), dir };
        let Some(dir) = &self.dir else {
            return Err(not_found("(no plugins folder is set)".to_owned()));
        };
        let path = dir.join(format!("{name}.wasm"));
        match self.runtime.read(&path).await {
            Ok((bytes, manifest)) => self.runtime.load_with(name.clone(), bytes, manifest).await,
            Err(LoadError::Unreadable { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Err(not_found(dir.display().to_string()))
            }
            Err(error) => Err(error),
        }
    }
}

impl Runtime {
    /// Makes a plugin of a component's file, binary or text, and of the manifest of the same stem
    /// beside it, if there is one; the stem becomes the plugin's name, with `-` for `_`.
    ///
    /// # Errors
    /// [`LoadError`] says why it can't be used.
    pub async fn load_file(&self, path: &Path) -> Result<Plugin, LoadError> {
        let (bytes, manifest) = self.read(path).await?;
        self.load_with(named_after(path)?, bytes, manifest).await
    }

    /// The same with a manifest that was read already.
    pub(crate) async fn load_component(
        &self,
        path: &Path,
        manifest: Manifest,
    ) -> Result<Plugin, LoadError> {
        let file = path.to_owned();
        let read = tokio::task::spawn_blocking(move || std::fs::read(&file));
        let read = read.await.map_err(|panic| Error::Bug(panic.into()))?;
        let unreadable =
            |source| LoadError::Unreadable { path: path.display().to_string(), source };
        let bytes = read.map_err(unreadable)?;
        self.load_with(named_after(path)?, bytes.into(), manifest).await
    }

    /// Reads a component's file and the manifest beside it, off the async threads.
    async fn read(&self, path: &Path) -> Result<(Bytes, Manifest), LoadError> {
        let (path, max) = (path.to_owned(), self.limits_max().clone());
        let read = tokio::task::spawn_blocking(move || match std::fs::read(&path) {
            Ok(bytes) => Ok((Bytes::from(bytes), Manifest::beside(&path, &max)?)),
            Err(source) => Err(LoadError::Unreadable { path: path.display().to_string(), source }),
        });
        read.await.unwrap_or_else(|panic| Err(Error::Bug(panic.into()).into()))
    }
}

/// A component's name, if its file goes by no plugin's name.
fn named_after(path: &Path) -> Result<PluginName, LoadError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(PluginName::new(&stem.to_lowercase().replace(['_', '.', ' '], "-"))?)
}
