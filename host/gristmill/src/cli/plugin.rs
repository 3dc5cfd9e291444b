//! `gristmill plugin`: what plugins there are, and what one is made of.

use clap::Subcommand;
use clap::builder::FalseyValueParser;
use gristmill::{Host, PluginView};
use serde_json::json;

use super::args::PluginsArgs;
use super::error::{Error, one_line};
use super::exit::Exit;
use super::output;
use super::report::{aligned, bytes};

mod check;
mod inspect;

/// Look at plugins
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin inspect target/plugins/wordcount.wasm")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(ListArgs),
    Inspect(inspect::Args),
    Check(check::Args),
}

/// List the plugins of a folder
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin list --plugins target/plugins")]
struct ListArgs {
    #[command(flatten)]
    plugins: PluginsArgs,
    /// Print an array of plugins as JSON; one that can't be used has a name and an error
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::List(args) => list(&args).await,
        Command::Inspect(args) => inspect::run(&args).await,
        Command::Check(args) => check::run(&args).await,
    }
}

async fn list(args: &ListArgs) -> Result<Exit, Error> {
    let host = Host::builder().plugins_dir(&args.plugins.plugins).concurrency(1).build().await?;
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    let names = host.plugin_names().await?;
    for name in &names {
        match host.plugin(name).await {
            Ok(plugin) => {
                let view = PluginView::from(&plugin);
                rows.push((name.as_str(), summary(&view)));
                objects.push(json!(view));
            }
            Err(error) => {
                rows.push((name.as_str(), one_line(&error)));
                objects.push(json!({ "name": name, "error": one_line(&error) }));
            }
        }
    }
    if args.json {
        output::json(&objects)?;
    } else if !rows.is_empty() {
        output::text(&output::tame(&aligned(&rows)))?;
    }
    host.shutdown().await?;
    Ok(Exit::Completed)
}

fn summary(view: &PluginView) -> String {
    let functions = match &view.functions {
        Some(all) => all.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", "),
        None => "(doesn't describe itself)".to_owned(),
    };
    // Enough of the digest to tell versions apart.
    let digest: String = view.digest.to_string().chars().take(19).collect();
    format!("{digest}  {:>10}  {functions}", bytes(view.bytes as u64))
}
