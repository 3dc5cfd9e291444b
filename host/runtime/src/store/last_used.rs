//! The plugin that somebody used last.

use gristmill_job::{Digest, PluginName};
use tokio::sync::watch as told;

use super::PluginStore;
use crate::error::LoadError;
use crate::plugin::Plugin;

/// The plugin that somebody used last, who mostly uses the same one again. It is found without the store's
/// lock and without a count of its uses, for both of which threads would wait for each other; whatever changes
/// in the store ends that.
pub struct LastUsed {
    changes: told::Receiver<u64>,
    kept: Option<Kept>,
}

struct Kept {
    name: PluginName,
    /// The version that was asked for.
    asked: Option<Digest>,
    plugin: Plugin,
}

impl LastUsed {
    /// Nothing yet, of this store.
    #[must_use]
    pub fn of(store: &PluginStore) -> Self {
        Self { changes: store.changes(), kept: None }
    }

    /// What [`PluginStore::get_version`] answers, asked of the same store.
    ///
    /// # Errors
    /// Those of [`PluginStore::get_version`].
    pub async fn get_version(
        &mut self,
        store: &PluginStore,
        name: &PluginName,
        asked: Option<Digest>,
    ) -> Result<&Plugin, LoadError> {
        // A store that is gone changes no more.
        if self.changes.has_changed().unwrap_or(false) {
            // Before the store is asked: what changes meanwhile is seen next time.
            self.changes.mark_unchanged();
            self.kept = None;
        }
        let same = self.kept.take().filter(|kept| kept.name == *name && kept.asked == asked);
        let kept = match same {
            Some(kept) => kept,
            None => {
                let plugin = store.get_version(name, asked).await?;
                Kept { name: name.clone(), asked, plugin }
            }
        };
        Ok(&self.kept.insert(kept).plugin)
    }
}
