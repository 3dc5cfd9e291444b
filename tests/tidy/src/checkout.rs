//! The files that the rules look at: the checkout, without what was built in it.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of the project's own.
const SKIPPED: [&str; 3] = [".git", "node_modules", "target"];

/// Written by a program, and held to its source by a test of its own.
const GENERATED: [&str; 3] =
    ["guest-sdk/src/bindings.rs", "guest-sdk/c/job.c", "guest-sdk/c/job.h"];

/// A text file of the checkout.
pub(crate) struct File {
    /// Where it is, from the root, with `/` between the parts.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

impl File {
    /// A file that a test makes up.
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether the name ends in a dot and `extension`.
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether a program wrote it.
    pub(crate) fn is_generated(&self) -> bool {
        GENERATED.contains(&self.path.as_str())
    }

    /// Whether only tests and benchmarks run what is in it.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "benches" | "tests" | "tests.rs"))
    }

    /// A fault of this file, at a line.
    pub(crate) fn fault(&self, line: usize, fault: &str) -> String {
        format!("{}:{line}: {fault}", self.path)
    }
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All text files of the checkout, in the order of their paths.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !SKIPPED.iter().any(|name| path.ends_with(name)) {
                folders.push(path);
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Fails with all the faults that `rule` finds in the checkout's files.
#[track_caller]
pub(crate) fn check(rule: impl Fn(&File) -> Vec<String>) {
    check_faults(&files().iter().flat_map(rule).collect::<Vec<_>>());
}

/// Fails with `faults`, if there are any.
#[track_caller]
pub(crate) fn check_faults(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_walk_finds_this_file_and_nothing_that_was_built() {
    let files = files();
    for path in ["Makefile", "wit/world.wit", "tests/tidy/src/checkout.rs"] {
        assert!(files.iter().any(|file| file.path == path), "the walk missed {path}");
    }
    assert!(!files.iter().any(|file| file.path.starts_with("target/")));
}
