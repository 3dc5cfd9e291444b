//! The manifest of a plugin: `NAME.toml` beside `NAME.wasm`.
//!
//! A plugin without one is granted nothing and has the host's own limits. One with a faulty manifest
//! can't be used at all: to run it as if nothing had been said would hide the fault in answers that
//! its author can't explain.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gristmill_job::{Backoff, FunctionName, PluginName, RetryOn};
use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::grants::Grants;
use crate::limits::{Limit, Limits};
use crate::reuse::Reuse;

mod fault;
mod reader;
mod sections;

pub use fault::Fault;
pub use reader::{Item, Section, read_page};

/// A manifest is a page of names and numbers; what is larger is a file of another kind.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 10;

/// What a manifest says; each part that is left out has its default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifest {
    /// Whose manifest it is, to be held against the component's file.
    pub name: Option<PluginName>,
    /// The plugin's version, for people; which code runs is told by its digest.
    pub version: Option<String>,
    /// What the plugin is for, in a line.
    pub description: Option<String>,
    /// Values that its jobs read.
    pub config: BTreeMap<String, String>,
    /// What it may do beyond what is its own.
    pub grants: Grants,
    /// How a component that is a program is started.
    pub command: CommandRules,
    /// How its instances are used for more than one attempt; not at all, if not said.
    pub reuse: Option<Reuse>,
    /// What holds for every function.
    pub rules: FunctionRules,
    /// What holds for some of them instead.
    pub functions: BTreeMap<FunctionName, FunctionRules>,
}

/// How a component that is a program is started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommandRules {
    /// Arguments before those of the job.
    pub args: Vec<String>,
    /// Variables of its environment that a job may set.
    pub env: Vec<String>,
}

/// How a function's attempts are run, where the manifest says so.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FunctionRules {
    /// What the function is for, in a line.
    pub description: Option<String>,
    /// Limits that aren't the host's own, each with what is allowed of it.
    pub limits: Vec<(&'static str, u64)>,
    /// Attempts that may run at one time in each worker.
    pub concurrency: Option<u32>,
    /// How long an attempt may go on once somebody wants its job cancelled.
    pub cancel_grace: Option<Duration>,
    /// Counted failures that end a job, where its producer doesn't say.
    pub attempts_max: Option<u32>,
    /// The waits between its attempts, where its producer doesn't say.
    pub backoff: Option<Backoff>,
    /// Which outcomes are tried again.
    pub retry_on: Option<RetryOn>,
}

impl FunctionRules {
    /// These rules, and where they say nothing, those.
    pub(crate) fn over(&self, general: &Self) -> Self {
        let limits = general.limits.iter().chain(&self.limits).copied().collect();
        Self {
            description: self.description.clone(),
            limits,
            concurrency: self.concurrency.or(general.concurrency),
            cancel_grace: self.cancel_grace.or(general.cancel_grace),
            attempts_max: self.attempts_max.or(general.attempts_max),
            backoff: self.backoff.or(general.backoff),
            retry_on: self.retry_on.or(general.retry_on),
        }
    }

    /// The limits that these rules make of the host's own.
    pub(crate) fn limits(&self, of_host: &Limits) -> Limits {
        let mut limits = of_host.clone();
        for (name, value) in &self.limits {
            if let Some(limit) = Limit::named(name) {
                limit.set(&mut limits, *value);
            }
        }
        limits
    }
}

impl Manifest {
    /// Where the manifest of a component's file is.
    #[must_use]
    pub fn path_beside(component: &Path) -> PathBuf {
        component.with_extension("toml")
    }

    /// Reads the manifest beside a component's file; the default, if there is none.
    ///
    /// # Errors
    /// [`LoadError::Manifest`] with everything that is wrong with it.
    pub fn beside(component: &Path, max: &Limits) -> Result<Self, LoadError> {
        Self::at(&Self::path_beside(component), max)
    }

    /// Reads the manifest at this path; the default, if there is none.
    ///
    /// # Errors
    /// [`LoadError::Manifest`] with everything that is wrong with it.
    pub fn at(path: &Path, max: &Limits) -> Result<Self, LoadError> {
        Self::read(path, max)
            .map_err(|faults| LoadError::Manifest { path: path.display().to_string(), faults })
    }

    /// Reads the manifest at this path; the default, if there is none.
    pub(crate) fn read(path: &Path, max: &Limits) -> Result<Self, Vec<Fault>> {
        match read(path) {
            Ok(bytes) => Self::parse(&bytes, max),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(vec![Fault::of_file(error.to_string())]),
        }
    }

    /// Reads a manifest's text, under limits that it may not go beyond.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(bytes: &[u8], max: &Limits) -> Result<Self, Vec<Fault>> {
        read_page(bytes, MANIFEST_BYTES_MAX, |root| sections::manifest(root, max))
    }

    /// What holds for a function.
    pub(crate) fn rules_of(&self, function: &FunctionName) -> FunctionRules {
        match self.functions.get(function) {
            Some(rules) => rules.over(&self.rules),
            None => self.rules.clone(),
        }
    }
}

/// Reads up to one byte more than a manifest may have.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
