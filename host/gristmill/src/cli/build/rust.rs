//! Components of Rust, by cargo.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use super::child::{listened, quiet};
use super::project::Project;
use crate::cli::error::Error;

mod library;

/// What guests are compiled for.
pub(super) const TARGET: &str = "wasm32-wasip2";

/// What cargo tells of a file that it has made.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

pub(super) async fn build(project: &Project) -> Result<PathBuf, Error> {
    let mut cargo = cargo(project).await?;
    cargo.args(["build", "--release", "--target", TARGET]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let manifest = project.folder.join("Cargo.toml");
    let mut components = Vec::new();
    let status = listened(cargo, |line| components.extend(component(line, &manifest))).await?;
    if !status.success() {
        return Err(Error::Build(format!("cargo couldn't build {}", project.name)));
    }
    match &components[..] {
        [component] => Ok(component.clone()),
        [] => Err(Error::Build(format!(
            "the package {} makes no component: write `crate-type = [\"cdylib\"]` under `[lib]` in its \
             Cargo.toml",
            project.name
        ))),
        several => Err(Error::Build(format!(
            "the package {} makes {} components, and a plugin is one: keep a library or a program, and \
             make packages of the others",
            project.name,
            several.len()
        ))),
    }
}

/// The component of this package in a line of what cargo tells, if it is about one.
fn component(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Message = serde_json::from_str(line).ok()?;
    let is_ours = message.reason == "compiler-artifact" && message.manifest_path == manifest;
    let mut files = message.filenames.into_iter().filter(|_| is_ours);
    files.find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// The cargo that compiles for the target, by whichever way there is on this machine.
async fn cargo(project: &Project) -> Result<Command, Error> {
    if target_is_installed(project).await {
        return Ok(within(project, "cargo"));
    }
    match library::Library::find(project).await {
        Some(library) => library.cargo(project),
        None => Err(Error::Build(missing().to_owned())),
    }
}

fn within(project: &Project, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&project.folder);
    command
}

/// What the compiler of the project says of itself.
pub(super) async fn rustc(project: &Project, arguments: &[&str]) -> Option<String> {
    let mut rustc = within(project, "rustc");
    rustc.args(arguments).stdin(Stdio::null());
    let said = quiet(rustc).await.ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    said.status.success().then(|| text.trim_end().to_owned())
}

async fn target_is_installed(project: &Project) -> bool {
    let Some(folder) = rustc(project, &["--print", "target-libdir", "--target", TARGET]).await
    else {
        return false;
    };
    let is_std = |entry: std::fs::DirEntry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with("libstd-"))
    };
    std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(is_std))
}

/// What to do where nothing can be compiled for the target.
fn missing() -> &'static str {
    let may_download = std::env::var_os("RUSTUP_AUTO_INSTALL").is_none_or(|value| value != "0");
    let there = |name| super::tools::on_path(name).is_some();
    match (there("rustup"), there("cargo")) {
        (true, _) if may_download => {
            "plugins in Rust are compiled for wasm32-wasip2, which isn't installed: run `rustup target \
             add wasm32-wasip2`"
        }
        (true, _) => {
            "plugins in Rust are compiled for wasm32-wasip2, which isn't installed, and \
             RUSTUP_AUTO_INSTALL=0 says that rustup is not to download: run `scripts/guest-toolchain` in a \
             checkout of Gristmill"
        }
        (false, true) => {
            "plugins in Rust are compiled for wasm32-wasip2, which this Rust doesn't have: install Rust \
             from https://rustup.rs and run `rustup target add wasm32-wasip2`"
        }
        (false, false) => "there is no cargo: install Rust from https://rustup.rs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_found_in_what_cargo_tells() {
        let found = |line: &str| component(line, Path::new("/p/Cargo.toml"));
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","filenames":["/t/p.d","/t/p.wasm"],"fresh":true}"#;
        assert_eq!(found(line), Some(PathBuf::from("/t/p.wasm")));
        assert_eq!(found(&line.replace("/p/Cargo", "/q/Cargo")), None);
        assert_eq!(found(&line.replace("compiler-artifact", "build-script-executed")), None);
        assert_eq!(found(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(found("warning: not of cargo's own"), None);
    }
}
