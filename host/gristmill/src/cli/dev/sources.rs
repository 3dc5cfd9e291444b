//! A project's files, and when they have changed.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::cli::error::Error;

/// How long nothing must have been written before a change is looked at: editors write a file in pieces.
const SETTLE: Duration = Duration::from_millis(100);
/// How long files are waited for that are written to all the time.
const SETTLE_MAX: Duration = Duration::from_secs(2);
/// Names that builds themselves write to. What is hidden is no source either.
const NO_SOURCES: [&str; 4] = ["target", "node_modules", "__pycache__", "Cargo.lock"];
/// More files than a person writes: a folder that holds them isn't a plugin's.
const FILES_MAX: usize = 20_000;
/// Files up to this size are told apart by what is in them, larger ones by size and time.
const READ_BYTES_MAX: u64 = 1 << 20;

/// The files of a project, watched until dropped.
pub(super) struct Sources {
    folder: PathBuf,
    /// A file elsewhere that matters as well.
    extra: Option<PathBuf>,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    woken: Arc<Notify>,
    /// What there was when it was last looked at.
    known: u64,
}

impl Sources {
    /// Begins to watch a folder, and this file wherever it is.
    pub(super) fn watch(folder: &Path, extra: Option<&Path>) -> Result<Self, Error> {
        let woken = Arc::new(Notify::new());
        let heard = Arc::clone(&woken);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if !event.is_ok_and(|event| is_reading(event.kind)) {
                heard.notify_one();
            }
        });
        let mut sources = Self {
            folder: folder.to_owned(),
            extra: extra.map(Path::to_owned),
            watcher: watcher.map_err(|error| unwatchable(folder, &error))?,
            watched: BTreeSet::new(),
            woken,
            known: 0,
        };
        if let Some(folder) = extra.and_then(Path::parent) {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            sources.attend(folder)?;
        }
        Ok(sources)
    }

    /// Takes what is there now for known.
    pub(super) fn take_note(&mut self) -> Result<(), Error> {
        self.known = self.look()?;
        Ok(())
    }

    /// Waits until something is there that isn't known, and all is quiet. Safe to drop.
    pub(super) async fn changed(&mut self) -> Result<(), Error> {
        loop {
            self.woken.notified().await;
            let quiet = async { while timeout(SETTLE, self.woken.notified()).await.is_ok() {} };
            // Either way it is time to look.
            let _ = timeout(SETTLE_MAX, quiet).await;
            if self.look()? != self.known {
                return Ok(());
            }
        }
    }

    /// Looks through all files, and watches each folder before it is looked into.
    fn look(&mut self) -> Result<u64, Error> {
        let mut hasher = DefaultHasher::new();
        let (mut folders, mut files) = (vec![self.folder.clone()], 0);
        while let Some(folder) = folders.pop() {
            self.attend(&folder)?;
            // Gone since: then there is another event to come.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            files += paths.len();
            if files > FILES_MAX {
                return Err(Error::Usage(format!(
                    "{}: there are more than {FILES_MAX} files; name the folder of a plugin",
                    self.folder.display()
                )));
            }
            for path in paths.into_iter().filter(|path| is_source(path)) {
                // Links to folders lead out of the project, as to the SDK.
                match fs::symlink_metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => folders.push(path),
                    _ => digest(&path, &mut hasher),
                }
            }
        }
        if let Some(extra) = &self.extra {
            digest(extra, &mut hasher);
        }
        Ok(hasher.finish())
    }

    fn attend(&mut self, folder: &Path) -> Result<(), Error> {
        if self.watched.contains(folder) {
            return Ok(());
        }
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_owned());
                Ok(())
            }
            // Gone since.
            Err(_) if !folder.exists() => Ok(()),
            Err(error) => Err(unwatchable(folder, &error)),
        }
    }
}

fn unwatchable(folder: &Path, error: &notify::Error) -> Error {
    Error::Build(format!("the folder {} can't be watched: {error}", folder.display()))
}

/// Reading a file is an event too, and builds read them.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && !NO_SOURCES.contains(&&*name)
}

/// Adds a file's path, and what is in it.
fn digest(path: &Path, hasher: &mut DefaultHasher) {
    let content = || -> io::Result<Vec<u8>> {
        let metadata = fs::metadata(path)?;
        if metadata.is_file() && metadata.len() <= READ_BYTES_MAX {
            return fs::read(path);
        }
        Ok(format!("{} {:?}", metadata.len(), metadata.modified()?).into_bytes())
    };
    path.hash(hasher);
    content().unwrap_or_default().hash(hasher);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Sources) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("target")).unwrap();
        fs::write(dir.path().join("lib.rs"), "one").unwrap();
        let mut sources = Sources::watch(dir.path(), None).unwrap();
        sources.take_note().unwrap();
        (dir, sources)
    }

    #[tokio::test]
    async fn a_change_is_heard_of_wherever_it_is() {
        let (dir, mut sources) = project();
        fs::write(dir.path().join("lib.rs"), "two").unwrap();
        sources.changed().await.unwrap();
        sources.take_note().unwrap();
        fs::create_dir_all(dir.path().join("src/deep")).unwrap();
        fs::write(dir.path().join("src/deep/mod.rs"), "three").unwrap();
        sources.changed().await.unwrap();
        sources.take_note().unwrap();
        fs::write(dir.path().join("src/deep/mod.rs"), "four").unwrap();
        sources.changed().await.unwrap();
    }

    #[test]
    fn what_a_build_writes_is_no_change() {
        let (dir, mut sources) = project();
        fs::write(dir.path().join("target/made"), "x").unwrap();
        fs::write(dir.path().join("Cargo.lock"), "x").unwrap();
        fs::write(dir.path().join(".lib.rs.swp"), "x").unwrap();
        // The same content at another time.
        fs::write(dir.path().join("lib.rs"), "one").unwrap();
        let known = sources.known;
        assert_eq!(sources.look().unwrap(), known);
        fs::rename(dir.path().join("lib.rs"), dir.path().join("main.rs")).unwrap();
        assert_ne!(sources.look().unwrap(), known);
    }

    #[tokio::test]
    async fn a_file_elsewhere_is_watched_as_well() {
        let elsewhere = tempfile::tempdir().unwrap();
        let input = elsewhere.path().join("input.txt");
        fs::write(&input, "one").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut sources = Sources::watch(dir.path(), Some(&input)).unwrap();
        sources.take_note().unwrap();
        fs::write(&input, "two").unwrap();
        sources.changed().await.unwrap();
    }
}
