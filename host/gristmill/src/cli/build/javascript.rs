//! Components of JavaScript, by componentize-qjs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use super::project::Project;
use super::{COMPONENTIZE_QJS, child, stage, tools};
use crate::cli::error::Error;
use crate::cli::output;

/// The world of the contract that a plugin targets.
const WORLD: &str = "job";

pub(super) async fn build(project: &Project, sdk: Option<&Path>) -> Result<PathBuf, Error> {
    let package = project.package_json()?;
    let said = |key: &str, usual: &'static str| {
        package.get(key).and_then(Value::as_str).unwrap_or(usual).to_owned()
    };
    let (main, world) = (said("main", "index.js"), said("world", WORLD));
    if !project.folder.join(&main).is_file() {
        let shown = project.shown.join("package.json");
        return Err(Error::Usage(format!("{}: `main`: there is no file {main}", shown.display())));
    }
    let program = componentize(project, &package)?;
    let work = project.work()?;
    let (staged, made) = (work.join("javascript"), work.join("made.wasm"));
    put_together(project, &package, sdk, &staged)?;
    let own = staged.join("wit");
    let wit = if own.is_dir() { own } else { work.join("wit") };
    // Without --stub-wasi: clocks, chance and the reasons of traps come by WASI.
    let mut command = Command::new(program);
    command.current_dir(&project.folder).arg("--wit").arg(wit).args(["--world", &world]);
    command.arg("--js").arg(staged.join(main)).arg("--module-root").arg(&staged);
    command.args(["--sync", "--opt-size", "--output"]).arg(&made);
    let said = child::quiet(command).await?;
    if !said.status.success() {
        output::note(String::from_utf8_lossy(&said.stderr).trim_end());
        return Err(Error::Build(format!("componentize-qjs couldn't build {}", project.name)));
    }
    Ok(made)
}

/// The program: the project's own, or one that is there anyway.
fn componentize(project: &Project, package: &Value) -> Result<PathBuf, Error> {
    const NAME: &str = "componentize-qjs";
    const BIN: &str = "node_modules/.bin";
    if tools::on_path("node").is_none() {
        let why = "there is no node: install Node.js from https://nodejs.org, or from your system's packages";
        return Err(Error::Build(why.to_owned()));
    }
    let of_setup = tools::of_setup().map(|tools| tools.join("js").join(BIN).join(NAME));
    let own = Some(project.folder.join(BIN).join(NAME));
    tools::first([own, tools::on_path(NAME), of_setup]).ok_or_else(|| {
        let is_asked_for = ["dependencies", "devDependencies"]
            .iter()
            .any(|key| package.get(key).is_some_and(|packages| packages.get(NAME).is_some()));
        let install = match is_asked_for {
            true => "npm install".to_owned(),
            false => format!("npm install --save-dev {NAME}@{COMPONENTIZE_QJS}"),
        };
        Error::Build(format!(
            "plugins in JavaScript are built by componentize-qjs, which isn't there: run `{install}` in the \
             project's folder"
        ))
    })
}

/// The sources, the packages that they depend on, and the contract.
fn put_together(
    project: &Project,
    package: &Value,
    sdk: Option<&Path>,
    staged: &Path,
) -> Result<(), Error> {
    let wrong = |error: std::io::Error| {
        Error::Build(format!("{} can't be put together: {error}", project.name))
    };
    let of_developers = package.get("devDependencies").and_then(Value::as_object);
    let left_out: Vec<&str> =
        of_developers.into_iter().flatten().map(|(name, _)| &**name).collect();
    stage::empty(staged).map_err(wrong)?;
    stage::copy(&project.folder, staged, &left_out).map_err(wrong)?;
    stage::contract(&project.folder.join("target/gristmill/wit")).map_err(wrong)?;
    let placed = staged.join("node_modules/gristmill-guest");
    if placed.is_dir() {
        return Ok(());
    }
    let needs_sdk = package.get("dependencies").is_some_and(|d| d.get("gristmill-guest").is_some());
    match stage::first_folder([sdk.map(|sdk| sdk.join("js"))]) {
        Some(sdk) => stage::copy(&sdk, &placed, &[]).map_err(wrong),
        // Plugins with types of their own need none.
        None if !needs_sdk => Ok(()),
        None => Err(Error::Build(
            "the package gristmill-guest isn't there: run `npm install` in the project's folder, or say where \
             Gristmill's folder guest-sdk is with --sdk-path"
                .to_owned(),
        )),
    }
}
