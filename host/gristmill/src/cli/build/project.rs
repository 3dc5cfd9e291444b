//! A project's folder: in which language it is, and what its plugin is called.

use std::path::{Path, PathBuf};

use gristmill::PluginName;
use serde_json::Value as Json;

use crate::cli::error::Error;
use crate::cli::new::Language;

/// What a folder has to have, in the words of an error.
const WANTED: &str = "a Cargo.toml, a package.json, a pyproject.toml, a plugin.py or a plugin.c";

/// A plugin's sources.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder, as an absolute path.
    pub(super) folder: PathBuf,
    /// The folder, as it was named.
    pub(super) shown: PathBuf,
    /// The plugin's name.
    pub(crate) name: PluginName,
    /// What it is written in.
    pub(super) language: Language,
}

impl Project {
    /// Looks at a folder.
    pub(crate) fn at(path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::Usage(format!("{}: {why}", path.display()));
        let folder = path.canonicalize().map_err(|error| wrong(error.to_string()))?;
        if !folder.is_dir() {
            return Err(wrong(format!("a project is a folder with {WANTED}")));
        }
        let Some((language, file)) = recognised(&folder) else {
            return Err(wrong(format!(
                "there is no {}: run `gristmill new NAME --lang rust|js|python|c` for a new project",
                WANTED.trim_start_matches("a ").replace(" a ", " ")
            )));
        };
        let name = name(&folder, file).map_err(wrong)?;
        let name = PluginName::new(&name).map_err(|error| {
            wrong(format!("{error}; say `name = \"…\"` in plugin.toml for another one"))
        })?;
        // So that what is printed is `target/plugins/…` rather than `./target/plugins/…`.
        let shown = if path == Path::new(".") { PathBuf::new() } else { path.to_owned() };
        Ok(Self { folder, shown, name, language })
    }

    /// The folder, as an absolute path.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The manifest, if there is one.
    pub(super) fn manifest(&self) -> Option<PathBuf> {
        Some(self.folder.join("plugin.toml")).filter(|path| path.is_file())
    }

    /// A folder for what is made on the way.
    pub(super) fn work(&self) -> Result<PathBuf, Error> {
        let work = self.folder.join("target/gristmill");
        std::fs::create_dir_all(&work).map_err(|error| {
            Error::Build(format!("the folder {} can't be made: {error}", work.display()))
        })?;
        Ok(work)
    }

    /// The project's `package.json`.
    pub(super) fn package_json(&self) -> Result<Json, Error> {
        json(&self.folder.join("package.json")).map_err(Error::Usage)
    }
}

/// The language, and the file that says what the project is called.
fn recognised(folder: &Path) -> Option<(Language, &'static str)> {
    let all = [
        (Language::Rust, "Cargo.toml"),
        (Language::Js, "package.json"),
        (Language::Python, "pyproject.toml"),
        (Language::Python, "plugin.py"),
        (Language::C, "plugin.c"),
    ];
    all.into_iter().find(|(_, file)| folder.join(file).is_file())
}

/// What the manifest says, or else the package, or else the folder.
fn name(folder: &Path, file: &str) -> Result<String, String> {
    let manifest = folder.join("plugin.toml");
    if manifest.is_file()
        && let Ok(table) = toml_table(&manifest)
        && let Some(name) = table.get("name").and_then(toml::Value::as_str)
    {
        return Ok(name.to_owned());
    }
    let path = folder.join(file);
    let name = match file {
        "Cargo.toml" => {
            let Some(name) = toml_name(&path, "package")? else {
                return Err(
                    "its Cargo.toml is of a workspace; name the folder of one package".to_owned()
                );
            };
            Some(name)
        }
        "package.json" => json(&path)?.get("name").and_then(Json::as_str).map(str::to_owned),
        "pyproject.toml" => toml_name(&path, "project")?,
        _ => None,
    };
    let name = name.or_else(|| Some(folder.file_name()?.to_str()?.to_owned())).unwrap_or_default();
    // A package of npm may be one of an organisation's.
    let plain = name.rsplit('/').next().unwrap_or_default();
    Ok(plain.replace(['_', '.'], "-"))
}

fn toml_name(path: &Path, table: &str) -> Result<Option<String>, String> {
    let toml = toml_table(path)?;
    let name = toml.get(table).and_then(|table| table.get("name")).and_then(toml::Value::as_str);
    Ok(name.map(str::to_owned))
}

fn toml_table(path: &Path) -> Result<toml::Table, String> {
    read(path)?.parse().map_err(|error| unreadable(path, &error))
}

fn json(path: &Path) -> Result<Json, String> {
    serde_json::from_str(&read(path)?).map_err(|error| unreadable(path, &error))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{} can't be read: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> Result<(String, Language), String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let project = Project::at(dir.path()).map_err(|error| error.to_string())?;
        Ok((project.name.to_string(), project.language))
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], name: &str, language: Language) {
        assert_eq!(project(files), Ok((name.to_owned(), language)));
    }

    #[test]
    fn a_folder_is_known_by_its_files() {
        check(&[("Cargo.toml", "[package]\nname = \"my_plugin\"")], "my-plugin", Language::Rust);
        check(&[("package.json", "{\"name\": \"@acme/mail\"}")], "mail", Language::Js);
        check(&[("pyproject.toml", "[project]\nname = \"a.b\"")], "a-b", Language::Python);
        check(&[("plugin.c", ""), ("plugin.toml", "name = \"pi\"")], "pi", Language::C);
    }

    #[test]
    fn the_manifests_name_comes_first() {
        let manifest = ("plugin.toml", "name = \"thumbnails\"");
        let cargo = ("Cargo.toml", "[package]\nname = \"images\"");
        check(&[cargo, manifest], "thumbnails", Language::Rust);
    }

    #[test]
    fn what_is_no_project_is_told_what_would_be_one() {
        let fault = |files: &[(&str, &str)]| project(files).unwrap_err();
        assert!(fault(&[]).contains("gristmill new"));
        assert!(fault(&[("Cargo.toml", "[workspace]")]).contains("one package"));
        assert!(fault(&[("Cargo.toml", "[package")]).contains("Cargo.toml can't be read"));
        assert!(fault(&[("package.json", "{\"name\": \"Ä\"}")]).contains("plugin.toml"));
    }
}
