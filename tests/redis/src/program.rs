//! Which server programs there are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the program that tests start where they ask for no other, such as `valkey-server`.
pub const PROGRAM_VARIABLE: &str = "GRISTMILL_TEST_REDIS_SERVER";

/// What `scripts/setup` sees to: the distribution's server, the oldest one that is supported, and
/// the fork.
const NAMES: [&str; 3] = ["redis-server", "redis-server-6.2", "valkey-server"];

/// A server program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What it calls itself, such as `Redis 7.0.15` or `Valkey 9.1.2`.
    pub version: String,
}

impl Program {
    /// The program of this name or path, if it is there and tells its version.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let path = if name.contains('/') { PathBuf::from(name) } else { locate(name)? };
        let output = Command::new(&path).arg("--version").output().ok()?;
        let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { path, version })
    }

    /// The one to start where no other is asked for.
    ///
    /// # Panics
    /// If it isn't there: `scripts/setup` installs one.
    #[must_use]
    pub fn default_one() -> Self {
        let name = std::env::var(PROGRAM_VARIABLE).unwrap_or_else(|_| NAMES[0].to_owned());
        Self::find(&name).unwrap_or_else(|| panic!("there is no {name}: run `make setup`"))
    }

    /// Whether it must be told that clients may use `DEBUG`; before Redis 7 they always may.
    pub(crate) fn guards_debug(&self) -> bool {
        !self.version.starts_with("Redis 6.")
    }
}

/// All server programs that there are. Each one that is missing is told of on stderr, because a
/// test that doesn't run against it proves less than it seems to.
///
/// # Panics
/// If there is none at all.
#[must_use]
pub fn servers() -> Vec<Program> {
    let mut found = Vec::new();
    for name in NAMES {
        match Program::find(name) {
            Some(program) => found.push(program),
            None => say_skipped(name),
        }
    }
    assert!(!found.is_empty(), "there is none of {NAMES:?}: run `make setup`");
    found
}

#[expect(clippy::print_stderr, reason = "what a test leaves out must be seen")]
fn say_skipped(name: &str) {
    eprintln!("SKIPPED: nothing is tested against {name}, which isn't here: run `make setup`");
}

/// Looks along PATH, then where `scripts/setup` installs, since cargo may run outside of make.
fn locate(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(tools())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn tools() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(OsStr::new(&home)).join(".cache")))?;
    Some(cache.join("gristmill/tools/bin"))
}

/// From `Redis server v=7.0.15 sha=…`.
fn parse_version(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(" server v=")?;
    let number = rest.split_whitespace().next()?;
    Some(format!("{name} {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_tells_its_version() {
        let line = "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1536df\n";
        assert_eq!(parse_version(line).as_deref(), Some("Valkey 9.1.2"));
        assert_eq!(parse_version("true (GNU coreutils) 9.1\n"), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_none() {
        assert_eq!(Program::find("no-such-server"), None);
        assert_eq!(Program::find("/no/such/server"), None);
        assert!(servers().contains(&Program::find(NAMES[0]).unwrap()));
    }
}
