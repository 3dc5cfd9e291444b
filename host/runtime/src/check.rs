//! Everything that is wrong with a plugin on this machine, found at once.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use gristmill_job::PluginName;

use crate::attempt::Runtime;
use crate::error::LoadError;
use crate::manifest::Manifest;
use crate::plugin::Plugin;

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
        if let Err(error) = self.load_component(component, manifest).await {
            let file = if is_of_the_manifest(&error) { path } else { component.to_owned() };
            problems.push(Problem { file, message: error.to_string() });
        }
        problems
    }

    /// Looks in the same way at a component and a manifest that are in no folder, as files of these names;
    /// the plugin, where it could be made in spite of what is wrong.
    pub async fn check_parts(
        &self,
        name: &PluginName,
        component: Bytes,
        manifest: Option<&str>,
    ) -> (Option<Plugin>, Vec<Problem>) {
        let file = PathBuf::from(format!("{name}.wasm"));
        let path = Manifest::path_beside(&file);
        let in_manifest = |message: String| Problem { file: path.clone(), message };
        let (mut problems, mut is_usable) = (Vec::new(), true);
        let text = manifest.unwrap_or_default().as_bytes();
        let manifest = Manifest::parse(text, self.limits_max()).unwrap_or_else(|faults| {
            is_usable = false;
            problems.extend(faults.iter().map(|fault| in_manifest(fault.to_string())));
            Manifest::default()
        });
        problems.extend(missing(&manifest).map(in_manifest));
        match self.load_with(name.clone(), component, manifest).await {
            Ok(plugin) => (is_usable.then_some(plugin), problems),
            Err(error) => {
                let file = if is_of_the_manifest(&error) { path } else { file };
                problems.push(Problem { file, message: error.to_string() });
                (None, problems)
            }
        }
    }
}

fn is_of_the_manifest(error: &LoadError) -> bool {
    matches!(error, LoadError::OtherName { .. } | LoadError::UnknownFunction { .. })
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
