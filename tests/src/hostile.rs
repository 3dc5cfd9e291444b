//! Components of `tests/hostile`, put together with what all of them have in common.

use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The component of a file of `tests/hostile`, as text.
///
/// A file that starts with `(component` or `(module` is whole. Any other is the middle of one: the
/// contract's types and the imports that it uses come before it, and unless the file has them itself,
/// a memory with its allocator (`$std`) before it and the door of the contract (`$handle`) after it.
///
/// # Panics
/// There is no such file.
#[must_use]
pub fn hostile(name: &str) -> String {
    framed(&read(&folder().join(format!("{name}.wat"))))
}

/// A component that does as it should, for running beside hostile ones.
#[must_use]
pub fn well_behaved() -> String {
    framed(&read(&folder().join("frame/well.wat")))
}

/// Puts a component together around its middle.
///
/// # Panics
/// The frame's files are missing.
#[must_use]
pub fn framed(middle: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with(";;") && !line.trim().is_empty();
    let first = middle.lines().find(is_code).unwrap_or_default();
    if first.starts_with("(component") || first.starts_with("(module") {
        return middle.to_owned();
    }
    let part = |name: &str| read(&folder().join("frame").join(name));
    let unless = |marker: &str, name: &str| {
        if middle.contains(marker) { String::new() } else { part(name) }
    };
    let std = unless("(core instance $std", "std.wat");
    let lift = unless("(func $handle ", "lift.wat");
    let used = ["(func $context", "(func $log", "(func $cache", "(func $queue"];
    let imports = if used.iter().any(|import| middle.contains(import)) {
        part("imports.wat")
    } else {
        String::new()
    };
    [part("head.wat"), imports, std, middle.to_owned(), lift, part("foot.wat")].concat()
}
