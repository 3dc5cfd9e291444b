//! `gristmill plugin check`: everything that is wrong with plugins, before a job finds out.

use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;
use gristmill::runtime::Problem;
use gristmill::{Host, PluginName};
use serde::Serialize;

use crate::cli::compile;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::limits::LimitsArgs;
use crate::cli::output;

/// Tell everything that is wrong with plugins and their manifests
///
/// Reads each component with its manifest, and looks whether the secrets and folders that are granted
/// are there. Ends with 3 where something is wrong.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  gristmill plugin check target/plugins\n  gristmill plugin check \
                        thumbnails.wasm --json"
)]
pub(super) struct Args {
    /// A component's file, or a folder of NAME.wasm and NAME.toml files
    #[arg(
        value_name = "PATH",
        env = "GRISTMILL_PLUGINS",
        hide_env_values = true,
        default_value = "target/plugins"
    )]
    path: PathBuf,
    #[command(flatten)]
    limits: LimitsArgs,
    /// Print an array of plugins as JSON, each with its problems
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// A plugin's file with what is wrong with it.
#[derive(Serialize)]
struct Checked {
    plugin: String,
    problems: Vec<ProblemView>,
}

#[derive(Serialize)]
struct ProblemView {
    file: String,
    message: String,
}

pub(super) async fn run(args: &Args) -> Result<Exit, Error> {
    let sandbox = args.limits.apply(compile::sandbox(None))?;
    let host = Host::builder().runtime_config(sandbox).concurrency(1).build().await?;
    let mut all = Vec::new();
    for (file, problems) in files(&args.path)? {
        let problems = match problems {
            Some(problem) => vec![problem],
            None => host.check_file(&file).await,
        };
        let view = |problem: Problem| ProblemView {
            file: problem.file.display().to_string(),
            message: problem.message,
        };
        let plugin = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        all.push(Checked { plugin, problems: problems.into_iter().map(view).collect() });
    }
    host.shutdown().await?;
    if args.json {
        output::json(&all)?;
    } else if !all.is_empty() {
        output::text(&output::tame(&shown(&all)))?;
    }
    let is_fine = all.iter().all(|checked| checked.problems.is_empty());
    Ok(if is_fine { Exit::Completed } else { Exit::Unusable })
}

fn shown(all: &[Checked]) -> String {
    let mut lines = Vec::new();
    for Checked { plugin, problems } in all {
        if problems.is_empty() {
            lines.push(format!("{plugin}: nothing is wrong"));
        }
        lines.extend(
            problems.iter().map(|problem| format!("{}: {}", problem.file, problem.message)),
        );
    }
    lines.join("\n")
}

/// The files to look at; those that can't be plugins with the reason.
fn files(path: &Path) -> Result<Vec<(PathBuf, Option<Problem>)>, Error> {
    if !path.is_dir() {
        return Ok(vec![(path.to_owned(), None)]);
    }
    let unreadable = |error: std::io::Error| {
        Error::Usage(format!("the folder {} can't be read: {error}", path.display()))
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("wasm") => found.push((file.clone(), misnamed(&file))),
            Some("toml") if !file.with_extension("wasm").exists() => {
                let message = "there is no component of this name beside it".to_owned();
                found.push((file.clone(), Some(Problem { file, message })));
            }
            _ => {}
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// Why a file of a plugins folder would be passed over.
fn misnamed(file: &Path) -> Option<Problem> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let message = PluginName::new(&stem).err()?.to_string();
    Some(Problem { file: file.to_owned(), message })
}
