//! What a plugin is granted beyond what is its own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

mod http;

pub use http::{HttpHost, Reach};

use gristmill_job::{BucketName, FunctionName, PluginName};

/// What a plugin is granted beyond what is its own: nothing, if not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// Buckets of the cache, which it shares with every other plugin that is granted them.
    pub cache: BTreeMap<BucketName, Access>,
    /// Variables of its environment.
    pub env: BTreeMap<String, String>,
    /// Secrets by the names that it asks for them with.
    pub secrets: BTreeMap<String, Secret>,
    /// Hosts that it may send requests to.
    pub http: Vec<HttpHost>,
    /// What it may enqueue jobs for beside its own functions.
    pub enqueue: Vec<Target>,
    /// Folders of this machine, by the paths that it sees them under.
    pub folders: BTreeMap<String, Folder>,
}

/// How much a plugin may do with what is granted; a greater one includes the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Look at what others have stored.
    ReadOnly,
    /// Store and remove, too.
    ReadWrite,
}

impl Access {
    pub(crate) const ALL: [Self; 2] = [Self::ReadOnly, Self::ReadWrite];

    /// How a manifest writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a secret's value is read from, each time a job asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// A variable of the host's own environment.
    Env(String),
    /// A file, whose last line break doesn't count.
    File(PathBuf),
    /// This very value; no manifest says it, only a test that gives its own.
    Given(Hidden),
}

/// A value that is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub(crate) String);

impl Hidden {
    /// Hides a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Given(_) => f.write_str("a value that was given"),
        }
    }
}

/// A plugin, or one function of it, that jobs may be enqueued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The plugin.
    pub plugin: PluginName,
    /// The function; any, if not said.
    pub function: Option<FunctionName>,
}

impl Target {
    pub(crate) fn covers(&self, plugin: &PluginName, function: &FunctionName) -> bool {
        self.plugin == *plugin && self.function.as_ref().is_none_or(|only| only == function)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => write!(f, "{}/{function}", self.plugin),
            None => write!(f, "{}", self.plugin),
        }
    }
}

/// A folder of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// What may be done in it.
    pub access: Access,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_given_is_read_and_shown_nowhere() {
        let secret = Secret::Given(Hidden::new("s3cret"));
        assert_eq!(secret.read().unwrap(), "s3cret");
        assert!(!format!("{secret} {secret:?}").contains("s3cret"));
    }
}
