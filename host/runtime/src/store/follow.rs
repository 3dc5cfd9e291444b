//! Following the plugins folder: what is written there is taken over, what is removed is no plugin any
//! more, and a folder that is away for a while takes nothing with it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use gristmill_job::PluginName;
use notify::RecommendedWatcher;
use tokio_util::sync::CancellationToken;

use super::suspects::{Heard, Identity, Suspects};
use super::versions::Versions;
use super::{PluginStore, Trust, source, suspects};
use crate::blocking::blocking;
use crate::error::LoadError;
use crate::state::lock;

/// How often the folder is looked through although nothing was heard: watches get lost, network file
/// systems tell nothing of what others write, nor does anybody of what a link leads to. A look costs
/// two calls of the system for each plugin.
const BACKSTOP: Duration = Duration::from_secs(30);
/// How often a folder that is away is looked for.
const AWAY_RETRY: Duration = Duration::from_secs(1);

impl PluginStore {
    /// Follows folder and shelf until `stop` is cancelled: loads what is in the folder, takes new versions
    /// over as they come, and drops what is removed. Without either there is nothing to do. Safe to drop.
    pub async fn watch(&self, stop: CancellationToken) {
        self.followed.store(true, Ordering::Relaxed);
        let folder = async {
            if let Some(dir) = &self.dir {
                Follower::new(self, dir).run().await;
            }
        };
        let both = async { tokio::join!(folder, self.follow_shelf()) };
        stop.run_until_cancelled(both).await;
    }

    /// Looks through folder and shelf once, for whoever doesn't watch them, and waits for what is loaded.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`]: the folder; [`LoadError::Shelf`]. What serves goes on.
    pub async fn rescan(&self) -> Result<(), LoadError> {
        if let Some(dir) = &self.dir {
            let due = self.due(dir, &Heard::default()).await?;
            due.into_iter()
                .map(|name| self.reload(name))
                .collect::<FuturesUnordered<_>>()
                .count()
                .await;
        }
        self.restock().await
    }

    /// Which plugins' files are to be read. Those whose file is gone are dropped.
    async fn due(&self, dir: &Path, heard: &Heard) -> Result<Vec<PluginName>, LoadError> {
        let path = dir.to_owned();
        let found = blocking(move || source::list(&path)).await??;
        let gone: Vec<PluginName> = lock(&self.plugins)
            .iter()
            .filter(|(name, versions)| !versions.is_by_hand() && !found.contains_key(*name))
            .map(|(name, _)| name.clone())
            .collect();
        gone.iter().for_each(|name| self.remove(name));
        let plugins = lock(&self.plugins);
        let is_due = |name: &PluginName, mark| {
            heard.names.contains(name)
                || plugins.get(name).is_none_or(|versions: &Versions| versions.is_due(mark))
        };
        Ok(found
            .into_iter()
            .filter(|(name, mark)| is_due(name, *mark))
            .map(|(name, _)| name)
            .collect())
    }

    /// Says once what is wrong with the folder.
    fn set_folder_fault(&self, fault: Option<String>) {
        let mut known = lock(&self.folder_fault);
        if *known == fault {
            return;
        }
        if let Some(fault) = &fault {
            tracing::warn!("{fault}");
        }
        *known = fault;
        drop(known);
        self.tell();
    }

    /// Reads a plugin's files and does what they ask for. What goes wrong is kept and logged there.
    async fn reload(&self, name: PluginName) -> PluginName {
        // The permit first: whoever waits at the gate for a job's sake mustn't wait for others' turns.
        let permit = self.background.acquire().await;
        let gate = self.gate(&name);
        let entered = gate.lock().await;
        let _ = self.refresh(&name, Trust::Content).await;
        drop((entered, permit));
        self.leave(&name, gate);
        name
    }
}

/// Where the folder is.
enum Folder {
    /// Nobody has looked yet.
    Unknown,
    /// There.
    There(Identity),
    /// Not there.
    Away,
}

/// Follows a folder for a store.
struct Follower<'a> {
    store: &'a PluginStore,
    dir: &'a Path,
    folder: Folder,
    /// Tells the suspects; none where it can't be had.
    watcher: Option<RecommendedWatcher>,
    suspects: Arc<Suspects>,
    loads: FuturesUnordered<BoxFuture<'a, PluginName>>,
    loading: BTreeSet<PluginName>,
    /// Written to while they were being loaded.
    again: BTreeSet<PluginName>,
}

impl<'a> Follower<'a> {
    fn new(store: &'a PluginStore, dir: &'a Path) -> Self {
        Self {
            store,
            dir,
            folder: Folder::Unknown,
            watcher: None,
            suspects: Arc::default(),
            loads: FuturesUnordered::new(),
            loading: BTreeSet::new(),
            again: BTreeSet::new(),
        }
    }

    async fn run(mut self) {
        let mut heard = Heard::default();
        loop {
            // Watched first and looked at then: what is written between the two is heard of.
            self.attend().await;
            if matches!(self.folder, Folder::There(_)) {
                self.look(&heard).await;
            }
            heard = self.wait().await;
        }
    }

    /// Waits for a reason to look, while what is being loaded goes on.
    async fn wait(&mut self) -> Heard {
        let pause = match self.folder {
            Folder::Away => AWAY_RETRY,
            Folder::There(_) | Folder::Unknown => BACKSTOP,
        };
        let pause = tokio::time::sleep(pause);
        tokio::pin!(pause);
        let suspects = Arc::clone(&self.suspects);
        let settled = suspects.settled();
        tokio::pin!(settled);
        loop {
            tokio::select! {
                heard = &mut settled => return heard,
                Some(name) = self.loads.next() => {
                    self.loading.remove(&name);
                    if self.again.remove(&name) {
                        self.load(name);
                    }
                }
                () = &mut pause => return Heard::default(),
            }
        }
    }

    /// Sees to it that the folder that is at the path now is the one that is watched.
    async fn attend(&mut self) {
        let dir = self.dir.to_owned();
        let Ok(Ok(now)) = blocking(move || Identity::of(&dir)).await else {
            self.folder = Folder::Away;
            self.store.set_folder_fault(Some(format!(
                "the plugins folder {} is away; what was loaded goes on",
                self.dir.display()
            )));
            return;
        };
        match self.folder {
            Folder::There(watched) if watched == now => return,
            Folder::Away => tracing::info!("the plugins folder {} is back", self.dir.display()),
            Folder::There(_) | Folder::Unknown => {}
        }
        // The old watch ends before another begins: some systems have few.
        drop(self.watcher.take());
        let (dir, suspects) = (self.dir.to_owned(), Arc::clone(&self.suspects));
        self.watcher = match blocking(move || suspects::watch(&dir, &suspects)).await {
            Ok(Ok(watcher)) => Some(watcher),
            Ok(Err(error)) => {
                tracing::warn!(
                    "the plugins folder {} can't be watched: {error}; it is looked through every \
                     {BACKSTOP:?}",
                    self.dir.display()
                );
                None
            }
            Err(_) => None,
        };
        self.folder = Folder::There(now);
    }

    async fn look(&mut self, heard: &Heard) {
        match self.store.due(self.dir, heard).await {
            Ok(due) => {
                self.store.set_folder_fault(None);
                due.into_iter().for_each(|name| self.load(name));
            }
            Err(error) => {
                let fault = format!("{error}; what was loaded goes on");
                self.store.set_folder_fault(Some(fault));
            }
        }
    }

    /// Loads a plugin in the background, or again once it has been loaded.
    fn load(&mut self, name: PluginName) {
        if self.loading.insert(name.clone()) {
            self.loads.push(Box::pin(self.store.reload(name)));
        } else {
            self.again.insert(name);
        }
    }
}
