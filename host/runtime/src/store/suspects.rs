//! What the system tells of the plugins folder, gathered until it is quiet.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill_job::PluginName;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::source;
use crate::state::lock;

/// How long nothing must have been written before files are read: a program that writes a file in
/// pieces rarely pauses for longer, and a person doesn't notice.
const SETTLE: Duration = Duration::from_millis(100);
/// How long files are waited for that are written to all the time. What is read then is tried, and the
/// old version serves until it is sound.
const SETTLE_MAX: Duration = Duration::from_secs(2);
/// Names that are remembered one by one; with more, the whole folder is looked through.
const NAMES_MAX: usize = 1_000;

/// What was heard of since the last look.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// These plugins' files were written to.
    pub(super) names: BTreeSet<PluginName>,
}

/// What was heard of and not yet looked at.
#[derive(Default)]
pub(super) struct Suspects {
    heard: Mutex<Option<Heard>>,
    woken: Notify,
}

impl Suspects {
    /// Called on a thread of the watcher's own.
    fn hear(&self, event: notify::Result<Event>) {
        // Reading a file is an event too, and we read them.
        let is_reading = |kind: &EventKind| match kind {
            EventKind::Access(access) => *access != AccessKind::Close(AccessMode::Write),
            _ => false,
        };
        if event.as_ref().is_ok_and(|event| is_reading(&event.kind)) {
            return;
        }
        let mut heard = lock(&self.heard);
        // Whatever it was, it is a reason to look through the folder.
        let heard = heard.get_or_insert_default();
        for path in event.iter().flat_map(|event| &event.paths) {
            let is_a_plugins =
                path.extension().is_some_and(|kind| kind == "wasm" || kind == "toml");
            if is_a_plugins && heard.names.len() < NAMES_MAX {
                heard.names.extend(source::name_of(path));
            }
        }
        self.woken.notify_one();
    }

    /// Waits until something was heard of and all is quiet again. Safe to drop.
    pub(super) async fn settled(&self) -> Heard {
        while lock(&self.heard).is_none() {
            self.woken.notified().await;
        }
        let quiet = async { while timeout(SETTLE, self.woken.notified()).await.is_ok() {} };
        // Either way it is time to look.
        let _ = timeout(SETTLE_MAX, quiet).await;
        lock(&self.heard).take().unwrap_or_default()
    }
}

/// Which folder it is, whatever its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    /// The folder at this path.
    pub(super) fn of(dir: &Path) -> std::io::Result<Self> {
        let metadata: Metadata = std::fs::metadata(dir)?;
        if !metadata.is_dir() {
            return Err(std::io::ErrorKind::NotADirectory.into());
        }
        Ok(Self(metadata.dev(), metadata.ino()))
    }
}

/// Tells of a folder until it is dropped.
pub(super) fn watch(
    dir: &Path,
    suspects: &Arc<Suspects>,
) -> Result<RecommendedWatcher, notify::Error> {
    let suspects = Arc::clone(suspects);
    let mut watcher = notify::recommended_watcher(move |event| suspects.hear(event))?;
    watcher.watch(dir, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// Hears of what is written in folders, for whoever has to look at their files again. It ends with this
/// value.
pub struct FolderWatch {
    suspects: Arc<Suspects>,
    _watchers: Vec<RecommendedWatcher>,
}

impl FolderWatch {
    /// Begins to hear. What is in folders of these folders isn't heard of.
    ///
    /// # Errors
    /// One of them can't be watched.
    pub fn new<'a>(folders: impl IntoIterator<Item = &'a PathBuf>) -> std::io::Result<Self> {
        let suspects = Arc::default();
        let watchers = folders.into_iter().map(|dir| watch(dir, &suspects));
        let watchers = watchers.collect::<Result<_, _>>().map_err(std::io::Error::other)?;
        Ok(Self { suspects, _watchers: watchers })
    }

    /// Waits until something was written since the last time, and all is quiet again. Safe to drop.
    pub async fn changed(&self) {
        self.suspects.settled().await;
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, ModifyKind};
    use tokio::time::Instant;

    use super::*;

    fn event(kind: EventKind, path: &str) -> notify::Result<Event> {
        Ok(Event::new(kind).add_path(path.into()))
    }

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Content));

    #[tokio::test(start_paused = true)]
    async fn files_are_looked_at_once_nothing_is_written_any_more() {
        let suspects = Suspects::default();
        let begun = Instant::now();
        let writing = async {
            for name in ["plugins/a.wasm", "plugins/b.toml", "plugins/notes", "plugins/a.wasm"] {
                suspects.hear(event(WRITTEN, name));
                tokio::time::sleep(SETTLE / 2).await;
            }
        };
        let (heard, ()) = tokio::join!(suspects.settled(), writing);
        let names: Vec<&str> = heard.names.iter().map(PluginName::as_str).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(begun.elapsed() >= SETTLE / 2 * 3 + SETTLE, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_written_to_all_the_time_is_looked_at_all_the_same() {
        let suspects = Suspects::default();
        let writing = async {
            loop {
                suspects.hear(event(WRITTEN, "plugins/a.wasm"));
                tokio::time::sleep(SETTLE / 2).await;
            }
        };
        tokio::select! {
            heard = suspects.settled() => assert_eq!(heard.names.len(), 1),
            () = writing => {}
            () = tokio::time::sleep(SETTLE_MAX * 2) => panic!("it waits for ever"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn reading_is_nothing_to_look_at() {
        let suspects = Suspects::default();
        suspects
            .hear(event(EventKind::Access(AccessKind::Open(AccessMode::Any)), "plugins/a.wasm"));
        assert!(timeout(SETTLE_MAX, suspects.settled()).await.is_err());
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        suspects.hear(event(closed, "plugins/a.wasm"));
        assert_eq!(suspects.settled().await.names.len(), 1);
    }
}
