//! Where plugins and their cases are.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gristmill_job::PluginName;
use gristmill_runtime::{MANIFEST_BYTES_MAX, Manifest, Section, read_page};

/// Where a project's cases are.
const CASES: &str = "cases";
/// The source of a project's manifest.
const MANIFEST: &str = "plugin.toml";
/// Where components are built, in a project's folder or one above it.
const BUILT: &str = "target/plugins";
/// Folders of a folder of projects: more is a folder of another kind.
const PROJECTS_MAX: usize = 1_000;

/// A plugin with its cases.
#[derive(Debug, Clone)]
pub struct Project {
    /// The plugin's name.
    pub name: String,
    /// Its component.
    pub component: PathBuf,
    /// Its manifest; there may be none.
    pub manifest: PathBuf,
    /// Its files of cases, in the order of their names.
    pub files: Vec<PathBuf>,
}

/// Where else to look.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Folders of built components, looked through before the project's own.
    pub plugins: Vec<PathBuf>,
    /// The component.
    pub component: Option<PathBuf>,
    /// Whether projects of a folder of them may be left out whose component isn't built.
    pub skip_unbuilt: bool,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The plugins, in the order of their folders.
    pub projects: Vec<Project>,
    /// Those that were left out, since their component isn't built.
    pub unbuilt: Vec<String>,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is no such file or folder.
    #[error("there is no {}", .0.display())]
    NotThere(PathBuf),
    /// There are no cases.
    #[error(
        "there are no cases in {}: write some into {}, such as {EXAMPLE}",
        .0.display(), .1.display()
    )]
    NoCases(PathBuf, PathBuf),
    /// A folder's name is no plugin's.
    #[error("{}: {why}; say another name in its {MANIFEST}", .path.display())]
    Name {
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The component isn't there.
    #[error("the component of {name} isn't built: there is no {looked}")]
    NoComponent {
        /// The plugin.
        name: String,
        /// Where it was looked for.
        looked: String,
    },
    /// One component can't be that of several projects.
    #[error("{} has several projects: a component can be named for one of them", .0.display())]
    Several(PathBuf),
    /// A folder can't be read.
    #[error("{} can't be read: {source}", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// A first case.
const EXAMPLE: &str =
    "`[[case]]`, `name = \"says hello\"`, `input = \"hello\"`, `expect.result = \"hello\"`";

/// The plugins with cases at a path: a project's folder, one of many such folders, or a component's file
/// with its cases in `NAME.cases` beside it. Blocks.
///
/// # Errors
/// [`FindError`].
pub fn find(path: &Path, search: &Search) -> Result<Found, FindError> {
    let only = |project| Found { projects: vec![project], unbuilt: Vec::new() };
    if path.is_file() {
        return of_component(path).map(only);
    }
    if !path.is_dir() {
        return Err(FindError::NotThere(path.to_owned()));
    }
    if path.join(CASES).is_dir() {
        return of_folder(path, search).map(only);
    }
    let mut folders: Vec<PathBuf> = entries(path)?;
    folders.retain(|folder| folder.join(CASES).is_dir());
    folders.truncate(PROJECTS_MAX);
    match &folders[..] {
        [] => Err(FindError::NoCases(path.to_owned(), path.join(CASES).join("basic.toml"))),
        [_, _, ..] if search.component.is_some() => Err(FindError::Several(path.to_owned())),
        _ => of_folders(&folders, search),
    }
}

fn of_folders(folders: &[PathBuf], search: &Search) -> Result<Found, FindError> {
    let mut found = Found::default();
    for folder in folders {
        match of_folder(folder, search) {
            Ok(project) => found.projects.push(project),
            Err(FindError::NoComponent { name, .. }) if search.skip_unbuilt => {
                found.unbuilt.push(name);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn of_component(path: &Path) -> Result<Project, FindError> {
    let cases = path.with_extension(CASES);
    Ok(Project {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        component: path.to_owned(),
        manifest: Manifest::path_beside(path),
        files: files(path, &cases)?,
    })
}

fn of_folder(folder: &Path, search: &Search) -> Result<Project, FindError> {
    let name = name(folder)?;
    let files = files(folder, &folder.join(CASES))?;
    let component = component(folder, &name, search)?;
    let own = folder.join(MANIFEST);
    let manifest = if own.is_file() { own } else { Manifest::path_beside(&component) };
    Ok(Project { name: name.to_string(), component, manifest, files })
}

/// What the manifest says, else the folder's name.
fn name(folder: &Path) -> Result<PluginName, FindError> {
    let manifest = std::fs::read(folder.join(MANIFEST)).ok();
    // What else is said there, and what is wrong with it, is for whoever loads it.
    let said = manifest.and_then(|bytes| {
        let name = |mut root: Section<'_>| root.take("name").and_then(|item| item.parsed());
        read_page(&bytes, MANIFEST_BYTES_MAX, name).ok()?
    });
    if let Some(name) = said {
        return Ok(name);
    }
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    PluginName::new(&name)
        .map_err(|error| FindError::Name { path: whole.clone(), why: error.to_string() })
}

fn component(folder: &Path, name: &PluginName, search: &Search) -> Result<PathBuf, FindError> {
    let missing = |looked: Vec<PathBuf>| FindError::NoComponent {
        name: name.to_string(),
        looked: looked.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
    };
    if let Some(component) = &search.component {
        let is_there = component.is_file();
        return if is_there {
            Ok(component.clone())
        } else {
            Err(missing(vec![component.clone()]))
        };
    }
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let built = whole.ancestors().map(|above| above.join(BUILT));
    let own = built.clone().take(1);
    let file = format!("{name}.wasm");
    let looked = search.plugins.iter().cloned().chain(built).map(|dir| dir.join(&file));
    let found = looked.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| {
        missing(search.plugins.iter().cloned().chain(own).map(|dir| dir.join(&file)).collect())
    })
}

fn files(of: &Path, cases: &Path) -> Result<Vec<PathBuf>, FindError> {
    let mut files = match entries(cases) {
        Ok(files) => files,
        Err(FindError::Unreadable { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    if files.is_empty() {
        return Err(FindError::NoCases(of.to_owned(), cases.join("basic.toml")));
    }
    Ok(files)
}

/// What is in a folder, sorted; hidden files are left alone.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, FindError> {
    let unreadable = |source| FindError::Unreadable { path: dir.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
