//! A plugin's files: what is in the folder, how to tell that a file has changed, and reading one whole.
//!
//! A file is opened once, and size, kind and content are those of what was opened: a `NAME.wasm` that is
//! a link is followed, and its digest is of what was read. Named pipes and devices are no plugins.

use std::collections::BTreeMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use bytes::Bytes;
use gristmill_job::{Digest, PluginName};
use rustix::fs::OFlags;

use crate::attempt::Runtime;
use crate::blocking::blocking;
use crate::error::LoadError;
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::plugin::Plugin;

/// By what one sees that a plugin's files have changed, without reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    component: FileMark,
    manifest: Option<FileMark>,
}

/// By what one sees that a file has changed. The time of the last change of its inode can't be set by
/// anybody, unlike that of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileMark {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for FileMark {
    fn from(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Mark {
    /// The marks of a component's file and of the manifest beside it; none without a component.
    pub(super) fn of(component: &Path) -> std::io::Result<Self> {
        let manifest = match std::fs::metadata(component.with_extension("toml")) {
            Ok(metadata) => Some(FileMark::from(&metadata)),
            // One that can't be looked at can't be read either, and reading it says why.
            Err(_) => None,
        };
        Ok(Self { component: FileMark::from(&std::fs::metadata(component)?), manifest })
    }
}

/// What there is to read of a plugin.
pub(super) enum Read {
    /// It is as it was.
    Unchanged,
    /// There is no component.
    Gone {
        /// Because there is no folder.
        with_its_folder: bool,
    },
    /// It changed while it was read: somebody is writing, and will be heard of again.
    Unsettled,
    /// It can't be used as it is.
    Faulty(Option<Mark>, LoadError),
    /// All of it.
    Files(Box<Files>),
}

/// A plugin's files, read.
pub(super) struct Files {
    pub(super) mark: Mark,
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
    pub(super) manifest: Manifest,
}

/// The plugins of a folder by their names. A file whose stem is no name can't be called, so it is none.
pub(super) fn list(dir: &Path) -> Result<BTreeMap<PluginName, Option<Mark>>, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: dir.display().to_string(), source };
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_wasm = path.extension().is_some_and(|extension| extension == "wasm");
        if is_wasm && let Some(name) = name_of(&path) {
            found.insert(name, Mark::of(&path).ok());
        }
    }
    Ok(found)
}

/// The plugin that a file belongs to, going by its stem.
pub(super) fn name_of(path: &Path) -> Option<PluginName> {
    path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| PluginName::new(stem).ok())
}

/// Reads a component and the manifest beside it, unless they look as they did.
pub(super) fn read(
    path: &Path,
    known: Option<Mark>,
    bytes_max: usize,
    limits_max: &Limits,
) -> Read {
    let mark = match Mark::of(path) {
        Ok(mark) => mark,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Read::Gone { with_its_folder: !path.parent().is_some_and(Path::is_dir) };
        }
        Err(source) => return Read::Faulty(None, unreadable(path, source)),
    };
    if known == Some(mark) {
        return Read::Unchanged;
    }
    let read = open_regular(path, mark.component)
        .and_then(|file| whole(path, file, bytes_max))
        .and_then(|bytes| Ok((Digest::of(&bytes), bytes, Manifest::beside(path, limits_max)?)));
    if Mark::of(path).ok() != Some(mark) {
        return Read::Unsettled;
    }
    match read {
        Ok((digest, bytes, manifest)) => {
            Read::Files(Box::new(Files { mark, bytes, digest, manifest }))
        }
        Err(error) => Read::Faulty(Some(mark), error),
    }
}

/// Reads a component's file that somebody named, whatever kind of file it is, and the manifest beside
/// it.
pub(super) fn read_file(
    path: &Path,
    bytes_max: usize,
    limits_max: &Limits,
) -> Result<(Bytes, Manifest), LoadError> {
    Ok((read_component(path, bytes_max)?, Manifest::beside(path, limits_max)?))
}

/// Reads a component's file that somebody named.
pub(super) fn read_component(path: &Path, bytes_max: usize) -> Result<Bytes, LoadError> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    whole(path, file, bytes_max)
}

/// Opens a file of this mark. Without waiting for the other end, if it turns out to be a pipe.
fn open_regular(path: &Path, mark: FileMark) -> Result<File, LoadError> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|source| unreadable(path, source))?;
    let metadata = file.metadata().map_err(|source| unreadable(path, source))?;
    if !metadata.is_file() {
        return Err(unreadable(path, std::io::Error::other("it is no regular file")));
    }
    if FileMark::from(&metadata) != mark {
        let source = std::io::Error::other("another file has taken its place");
        return Err(unreadable(path, source));
    }
    Ok(file)
}

/// Reads a file up to its bound; one that is said to be larger isn't read at all.
fn whole(path: &Path, file: File, bytes_max: usize) -> Result<Bytes, LoadError> {
    let max = bytes_max as u64;
    let said = file.metadata().map_or(0, |metadata| metadata.len());
    if said > max {
        let bytes = usize::try_from(said).unwrap_or(usize::MAX);
        return Err(LoadError::TooLarge { bytes, max: bytes_max });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(said).unwrap_or_default() + 1);
    let read = file.take(max + 1).read_to_end(&mut bytes);
    read.map_err(|source| unreadable(path, source))?;
    if bytes.len() > bytes_max {
        return Err(LoadError::TooLarge { bytes: bytes.len(), max: bytes_max });
    }
    Ok(Bytes::from(bytes))
}

fn unreadable(path: &Path, source: std::io::Error) -> LoadError {
    LoadError::Unreadable { path: path.display().to_string(), source }
}

impl Runtime {
    /// Makes a plugin of a component's file, binary or text, and of the manifest of the same stem
    /// beside it, if there is one; the stem becomes the plugin's name, with `-` for `_`.
    ///
    /// # Errors
    /// [`LoadError`] says why it can't be used.
    pub async fn load_file(&self, path: &Path) -> Result<Plugin, LoadError> {
        let (file, bytes_max) = (path.to_owned(), self.component_bytes_max());
        let limits_max = self.limits_max().clone();
        let read = blocking(move || read_file(&file, bytes_max, &limits_max));
        let (bytes, manifest) = read.await??;
        self.load_with(named_after(path)?, bytes, manifest).await
    }

    /// The same with a manifest that was read already.
    ///
    /// # Errors
    /// [`LoadError`] says why it can't be used.
    pub async fn load_component(
        &self,
        path: &Path,
        manifest: Manifest,
    ) -> Result<Plugin, LoadError> {
        let (file, bytes_max) = (path.to_owned(), self.component_bytes_max());
        let bytes = blocking(move || read_component(&file, bytes_max)).await??;
        self.load_with(named_after(path)?, bytes, manifest).await
    }
}

/// A component's name, if its file goes by no plugin's name.
fn named_after(path: &Path) -> Result<PluginName, LoadError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(PluginName::new(&stem.to_lowercase().replace(['_', '.', ' '], "-"))?)
}
