//! A copy of a project's sources, with the SDK and the contract in their places.
//!
//! What makes components of JavaScript and Python follows no link out of the folder that it is given, and is
//! not to see what isn't part of the plugin.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Names that are no part of a component, anywhere in a project.
const LEFT_OUT: [&str; 3] = ["target", "__pycache__", "componentize-qjs"];
/// More than any plugin has: a component may have 32 MiB.
const BYTES_MAX: u64 = 256 << 20;
/// Deeper than packages within packages get, and the end of links that lead in circles.
const DEPTH_MAX: usize = 32;

/// The contract, as it was when this program was compiled.
const CONTRACT: [(&str, &str); 12] = [
    ("cache.wit", include_str!("../../../../../wit/cache.wit")),
    ("config.wit", include_str!("../../../../../wit/config.wit")),
    ("context.wit", include_str!("../../../../../wit/context.wit")),
    ("describe.wit", include_str!("../../../../../wit/describe.wit")),
    ("handler.wit", include_str!("../../../../../wit/handler.wit")),
    ("http.wit", include_str!("../../../../../wit/http.wit")),
    ("log.wit", include_str!("../../../../../wit/log.wit")),
    ("queue.wit", include_str!("../../../../../wit/queue.wit")),
    ("secrets.wit", include_str!("../../../../../wit/secrets.wit")),
    ("system.wit", include_str!("../../../../../wit/system.wit")),
    ("types.wit", include_str!("../../../../../wit/types.wit")),
    ("world.wit", include_str!("../../../../../wit/world.wit")),
];

/// The contract as C has it; the last is what becomes a component's types.
const BINDINGS: [(&str, &[u8]); 3] = [
    ("job.h", include_bytes!("../../../../../guest-sdk/c/job.h")),
    ("job.c", include_bytes!("../../../../../guest-sdk/c/job.c")),
    ("job_component_type.o", include_bytes!("../../../../../guest-sdk/c/job_component_type.o")),
];

/// An empty folder at this path.
pub(super) fn empty(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(folder),
    }
}

/// Writes the contract into a folder.
pub(super) fn contract(folder: &Path) -> io::Result<()> {
    empty(folder)?;
    CONTRACT.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}

/// Writes the contract's bindings for C into a folder.
pub(super) fn bindings(folder: &Path) -> io::Result<()> {
    empty(folder)?;
    BINDINGS.iter().try_for_each(|(name, data)| fs::write(folder.join(name), data))
}

/// Copies a folder, links as what they lead to, but for what is hidden or has one of these names as well.
pub(super) fn copy(from: &Path, to: &Path, left_out: &[&str]) -> io::Result<()> {
    let mut bytes = 0;
    let mut folders = vec![(from.to_owned(), to.to_owned(), 0)];
    while let Some((from, to, depth)) = folders.pop() {
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(&from)? {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            let is_left_out = |text: &str| {
                text.starts_with('.') || LEFT_OUT.contains(&text) || left_out.contains(&text)
            };
            if name.to_str().is_some_and(is_left_out) {
                continue;
            }
            // A link that leads nowhere is nobody's source.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.is_dir() {
                folders.push((path, to.join(name), depth + 1));
            } else if metadata.is_file() {
                bytes += metadata.len();
                fs::copy(&path, to.join(name))?;
            }
        }
        if bytes > BYTES_MAX || depth > DEPTH_MAX {
            return Err(too_much(&from));
        }
    }
    Ok(())
}

fn too_much(folder: &Path) -> io::Error {
    io::Error::other(format!(
        "there is more in the project than {} MiB, or than {DEPTH_MAX} folders in each other, seen last in {}; \
         keep what isn't part of the plugin elsewhere",
        BYTES_MAX >> 20,
        folder.display()
    ))
}

/// The first of these folders that is there.
pub(super) fn first_folder<const N: usize>(candidates: [Option<PathBuf>; N]) -> Option<PathBuf> {
    candidates.into_iter().flatten().find(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_all_of_it() {
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        assert_eq!(fs::read_dir(wit).unwrap().count(), CONTRACT.len());
    }

    #[test]
    fn a_copy_has_what_links_lead_to_and_nothing_that_was_built() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["elsewhere", "from/target", "from/src", "from/.git", "from/dev"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("elsewhere/sdk.js"), "sdk").unwrap();
        fs::write(at("from/src/plugin.js"), "plugin").unwrap();
        fs::write(at("from/target/old.js"), "old").unwrap();
        std::os::unix::fs::symlink(at("elsewhere"), at("from/linked")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("from/broken")).unwrap();
        copy(&at("from"), &at("to"), &["dev"]).unwrap();
        assert_eq!(fs::read_to_string(at("to/linked/sdk.js")).unwrap(), "sdk");
        assert_eq!(fs::read_to_string(at("to/src/plugin.js")).unwrap(), "plugin");
        assert_eq!(fs::read_dir(at("to")).unwrap().count(), 2);
    }

    #[test]
    fn links_that_lead_in_circles_come_to_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::create_dir(&from).unwrap();
        std::os::unix::fs::symlink(&from, from.join("again")).unwrap();
        let error = copy(&from, &dir.path().join("to"), &[]).unwrap_err().to_string();
        assert!(error.contains("folders in each other"), "{error}");
    }
}
