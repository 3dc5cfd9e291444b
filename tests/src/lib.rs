//! What the integration tests and benchmarks share: where guests are, and a sandbox to run them in.

mod hostile;
mod process;
mod sandbox;

use std::path::{Path, PathBuf};

pub use hostile::{framed, hostile, well_behaved};
pub use process::{peak, resident};
pub use sandbox::{Recorded, Sandbox, a_grant, a_job, hold};

/// The checkout's `target` folder, where `make plugins` puts what it builds.
fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}

fn built(folder: &str, name: &str) -> PathBuf {
    let path = target().join(folder).join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is missing: run `make plugins` first", path.display());
    path
}

/// Where tests may keep compiled code; it is found by its component's digest. `make test` has the plugins'
/// cases find it there, too.
#[must_use]
pub fn kept_code() -> PathBuf {
    target().join("test-state/compiled")
}

/// The component of a shipped plugin.
///
/// # Panics
/// It wasn't built.
#[must_use]
pub fn plugin(name: &str) -> PathBuf {
    built("plugins", name)
}

/// The component of a shipped plugin that brings an interpreter.
///
/// # Panics
/// It wasn't built.
#[must_use]
pub fn interpreted(name: &str) -> PathBuf {
    built("interpreted-plugins", name)
}

/// The component of a guest of `tests/guests`.
///
/// # Panics
/// It wasn't built.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    built("test-guests", name)
}

/// A component that nobody here wrote.
///
/// # Panics
/// It wasn't fetched.
#[must_use]
pub fn foreign(name: &str) -> PathBuf {
    built("test-foreign", name)
}
