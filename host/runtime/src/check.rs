//! Everything that is wrong with a plugin on this machine, found at once.

use std::path::{Path, PathBuf};

use crate::attempt::Runtime;
use crate::error::LoadError;
use crate::manifest::Manifest;

/// Something that is wrong with a plugin: it can't be used, or a job of it will be refused what its
/// manifest grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file that it is in: the component's or the manifest's.
    pub file: PathBuf,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Runtime {
    /// Looks at a component's file and the manifest beside it, and goes on after each problem.
    pub async fn check_file(&self, component: &Path) -> Vec<Problem> {
        let path = Manifest::path_beside(component);
        let in_manifest = |message: String| Problem { file: path.clone(), message };
        let mut problems = Vec::new();
        let manifest = Manifest::read(&path, self.limits_max()).unwrap_or_else(|faults| {
            problems.extend(faults.iter().map(|fault| in_manifest(fault.to_string())));
            Manifest::default()
        });
        problems.extend(missing(&manifest).map(in_manifest));
        match self.load_component(component, manifest).await {
            Ok(_) => {}
            Err(error @ (LoadError::OtherName { .. } | LoadError::UnknownFunction { .. })) => {
                problems.push(Problem { file: path, message: error.to_string() })
            }
            Err(error) => {
                problems.push(Problem { file: component.to_owned(), message: error.to_string() });
            }
        }
        problems
    }
}

/// What is granted and isn't there.
fn missing(manifest: &Manifest) -> impl Iterator<Item = String> {
    let grants = &manifest.grants;
    let secrets = grants.secrets.iter().filter_map(|(name, secret)| {
        let why = secret.read().err()?;
        Some(format!("`grants.secrets.{name}`: {why}"))
    });
    let folders = grants.folders.iter().filter_map(|(name, folder)| {
        let path = folder.path.display();
        match std::fs::metadata(&folder.path) {
            Ok(found) if found.is_dir() => None,
            Ok(_) => Some(format!("`grants.folders.\"{name}\"`: {path} is no folder")),
            Err(error) => {
                Some(format!("`grants.folders.\"{name}\"`: {path} can't be opened: {error}"))
            }
        }
    });
    secrets.chain(folders)
}
