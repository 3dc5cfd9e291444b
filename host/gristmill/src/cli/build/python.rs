//! Components of Python, by componentize-py.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::project::Project;
use super::{COMPONENTIZE_PY, child, stage, tools};
use crate::cli::error::Error;
use crate::cli::output;

/// The module that a component is made of.
const MODULE: &str = "plugin";
/// How componentize-py is started from a folder that holds it.
const START: &str = "import sys; from componentize_py import script; \
                     sys.argv[0] = 'componentize-py'; sys.exit(script())";

pub(super) async fn build(project: &Project, sdk: Option<&Path>) -> Result<PathBuf, Error> {
    if !project.folder.join("plugin.py").is_file() {
        return Err(Error::Usage(format!(
            "{}: there is no plugin.py with the plugin's `Handler` and `Describe`",
            project.folder.display()
        )));
    }
    let mut command = componentize(project)?;
    let work = project.work()?;
    let (staged, made) = (work.join("python"), work.join("made.wasm"));
    let sdk = put_together(project, sdk, &staged)?;
    // Without --stub-wasi: each stub is an instance more, and there would be more than an attempt may have.
    command.current_dir(&project.folder).arg("-q").arg("-d").arg(work.join("wit")).args([
        "-w",
        "job",
        "componentize",
        MODULE,
    ]);
    for path in [Some(staged.clone()), Some(staged.join("vendor")), sdk].iter().flatten() {
        if path.is_dir() {
            command.arg("-p").arg(path);
        }
    }
    command.arg("-o").arg(&made);
    // A variable of the person's own would bring in what others don't have.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("RUST_BACKTRACE", "0");
    let said = child::quiet(command).await?;
    if !said.status.success() {
        output::note(String::from_utf8_lossy(&said.stderr).trim_end());
        return Err(Error::Build(format!("componentize-py couldn't build {}", project.name)));
    }
    Ok(made)
}

/// The program: the project's own, or one that is there anyway.
fn componentize(project: &Project) -> Result<Command, Error> {
    const NAME: &str = "componentize-py";
    let own = project.folder.join(".venv/bin").join(NAME);
    if let Some(program) = tools::first([Some(own), tools::on_path(NAME)]) {
        let mut command = Command::new(program);
        command.env_remove("PYTHONPATH");
        return Ok(command);
    }
    let of_setup = tools::of_setup().map(|tools| tools.join("python"));
    let installed = of_setup.filter(|folder| folder.join("componentize_py").is_dir());
    match (installed, tools::on_path("python3")) {
        (Some(folder), Some(python)) => {
            let mut command = Command::new(python);
            command.env("PYTHONPATH", folder).args(["-c", START]);
            Ok(command)
        }
        (_, None) => Err(Error::Build(
            "there is no python3: install Python 3.11 or newer, with venv, from your system's packages"
                .to_owned(),
        )),
        (None, Some(_)) => Err(Error::Build(format!(
            "plugins in Python are built by componentize-py, which isn't there: run `python3 -m venv .venv \
             && .venv/bin/pip install {NAME}=={COMPONENTIZE_PY}` in the project's folder"
        ))),
    }
}

/// The sources and the contract; answers where the SDK is, if it isn't among the sources.
fn put_together(
    project: &Project,
    sdk: Option<&Path>,
    staged: &Path,
) -> Result<Option<PathBuf>, Error> {
    let wrong = |error: std::io::Error| {
        Error::Build(format!("{} can't be put together: {error}", project.name))
    };
    stage::empty(staged).map_err(wrong)?;
    stage::copy(&project.folder, staged, &["node_modules", "cases", "tests"]).map_err(wrong)?;
    stage::contract(&project.folder.join("target/gristmill/wit")).map_err(wrong)?;
    let is_there = |folder: &PathBuf| folder.join("gristmill_guest").is_dir();
    if [staged.to_owned(), staged.join("vendor")].iter().any(is_there) {
        return Ok(None);
    }
    let sdk = sdk.map(|sdk| sdk.join("python")).filter(is_there).ok_or_else(|| {
        Error::Build(
            "the package gristmill_guest isn't there: run `python3 -m pip install --target vendor \
             gristmill-guest` in the project's folder, or say where Gristmill's folder guest-sdk is with \
             --sdk-path"
                .to_owned(),
        )
    })?;
    Ok(Some(sdk))
}
