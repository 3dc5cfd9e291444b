//! A folder of this user's own, whose files are reached by its descriptor, so that nobody can put
//! another folder in its place between two steps.

use std::ffi::CStr;
use std::fs::{DirBuilder, File};
use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags, Stat};

/// Bytes that the folder holds at most; those that weren't used for longest go first. A hundred large
/// plugins, in a few versions of each and of this program.
const FOLDER_BYTES_MAX: u64 = 2 << 30;
/// A larger file than any compiler may write is no file of ours.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// An open folder.
pub(super) struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder, which is made if it isn't there, and checks whose it is.
    pub(super) fn open(path: &Path) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = fs::open(path, flags, Mode::empty())?;
        let stat = fs::fstat(&folder)?;
        check_ours(&stat, FileType::Directory)?;
        if mode(&stat).intersects(Mode::RWXG | Mode::RWXO) {
            fs::fchmod(&folder, Mode::RWXU)?;
        }
        Ok(Self(folder))
    }

    /// Reads a file of ours.
    pub(super) fn read(&self, name: &str) -> Result<Bytes> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(&self.0, name, flags, Mode::empty())?;
        let stat = fs::fstat(&file)?;
        check_ours(&stat, FileType::RegularFile)?;
        let size = size(&stat);
        if size > FILE_BYTES_MAX {
            return Err(Error::other(format!("{name} is larger than any code")));
        }
        // So that what is used stays. Where its time can't be set, it goes earlier, and that is all.
        let _ = fs::futimens(&file, &NOW);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
        File::from(file).take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Bytes::from(bytes))
    }

    /// Writes a file in one step: whoever reads it finds all of it, or what was there before. Not synced,
    /// since what a crash leaves of it breaks its seal.
    pub(super) fn write(&self, name: &str, parts: &[&[u8]]) -> Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let part = format!("{name}.{}-{count}.part", std::process::id());
        let written = self.write_new(&part, parts).and_then(|()| {
            fs::renameat(&self.0, &part, &self.0, name)?;
            self.sweep(FOLDER_BYTES_MAX)
        });
        if written.is_err() {
            // It may never have been made.
            let _ = self.remove(&part);
        }
        written
    }

    fn write_new(&self, name: &str, parts: &[&[u8]]) -> Result<()> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?);
        parts.iter().try_for_each(|part| file.write_all(part))
    }

    pub(super) fn remove(&self, name: &str) -> Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes what wasn't used for longest, until the rest is no larger than this.
    fn sweep(&self, bytes_max: u64) -> Result<()> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_owned();
            if let Some((used_at, size)) = self.file(&name)? {
                files.push((used_at, size, name));
            }
        }
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        files.sort();
        for (_, size, name) in files {
            if total <= bytes_max {
                break;
            }
            total -= size;
            fs::unlinkat(&self.0, name.as_c_str(), AtFlags::empty())?;
        }
        Ok(())
    }

    /// When a file was last used, and how large it is; none for what is no file, or has just gone.
    fn file(&self, name: &CStr) -> Result<Option<((i64, i64), u64)>> {
        let stat = match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        #[expect(clippy::useless_conversion, reason = "the types differ from system to system")]
        let used_at = (i64::from(stat.st_mtime), i64::try_from(stat.st_mtime_nsec).unwrap_or(0));
        Ok(is_file.then_some((used_at, size(&stat))))
    }
}

const NOW: fs::Timestamps = {
    let now = fs::Timespec { tv_sec: 0, tv_nsec: fs::UTIME_NOW };
    fs::Timestamps { last_access: now, last_modification: now }
};

fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode)
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

/// By the owner's group, or by anybody.
const WRITABLE_BY_OTHERS: Mode = Mode::from_raw_mode(0o022);

/// Of this kind, of this user's, and nobody else's to write.
fn check_ours(stat: &Stat, kind: FileType) -> Result<()> {
    let denied = |why| Err(Error::new(ErrorKind::PermissionDenied, why));
    if FileType::from_raw_mode(stat.st_mode) != kind {
        return denied("it is of another kind");
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return denied("it belongs to another user");
    }
    if mode(stat).intersects(WRITABLE_BY_OTHERS) {
        return denied("others may write to it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("compiled")).unwrap();
        for (name, used_at) in [("old", 1_000), ("older", 500), ("new", 2_000)] {
            folder.write(name, &[&[0; 60], &[0; 40]]).unwrap();
            let file = File::open(dir.path().join("compiled").join(name)).unwrap();
            let at = fs::Timespec { tv_sec: used_at, tv_nsec: 0 };
            let times = fs::Timestamps { last_access: at, last_modification: at };
            fs::futimens(&file, &times).unwrap();
        }
        folder.read("older").unwrap();
        folder.sweep(200).unwrap();
        let is_there = |name| folder.read(name).is_ok();
        assert_eq!([is_there("old"), is_there("older"), is_there("new")], [false, true, true]);
    }

    #[test]
    fn a_file_that_can_not_be_written_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        // A folder can't be replaced by a file.
        std::fs::create_dir(dir.path().join("taken")).unwrap();
        folder.write("taken", &[b"code"]).unwrap_err();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
