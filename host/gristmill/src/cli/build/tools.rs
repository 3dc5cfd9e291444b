//! Where the programs are that make components.

use std::path::{Path, PathBuf};

/// What scripts/setup of a checkout has installed for the languages that aren't compiled.
pub(super) fn of_setup() -> Option<PathBuf> {
    Some(user_folder("XDG_CACHE_HOME", ".cache")?.join("gristmill/tools"))
}

/// What guests are compiled with where rustup may not bring it: see scripts/guest-toolchain.
pub(super) fn of_guests() -> Option<PathBuf> {
    Some(user_folder("XDG_DATA_HOME", ".local/share")?.join("gristmill/guest"))
}

/// One of this user's folders: the one that a variable names, or the usual one at home.
pub(super) fn user_folder(variable: &str, usual: &str) -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(usual)))
}

/// A program on the PATH.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

/// The first of these that is a program.
pub(super) fn first<const N: usize>(candidates: [Option<PathBuf>; N]) -> Option<PathBuf> {
    candidates.into_iter().flatten().find(|file| is_program(file))
}

/// Of Debian's programs that are called this and a version, all of them, the newest first.
pub(super) fn by_age(prefix: &str) -> Vec<PathBuf> {
    let version =
        |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix(prefix)?.parse::<u32>().ok();
    let programs = std::fs::read_dir("/usr/bin").into_iter().flatten().flatten();
    let programs = programs.map(|entry| entry.path());
    let mut found: Vec<_> = programs.filter_map(|path| Some((version(&path)?, path))).collect();
    found.sort_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The newest of them.
pub(super) fn newest(prefix: &str) -> Option<PathBuf> {
    by_age(prefix).into_iter().next()
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
