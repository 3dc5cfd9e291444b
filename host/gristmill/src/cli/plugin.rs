//! `gristmill plugin`: what plugins there are, and what one is made of.

use clap::Subcommand;
use clap::builder::FalseyValueParser;
use gristmill::runtime::Interface;
use gristmill::{FunctionView, Host, Plugin, PluginView};
use serde::Serialize;
use serde_json::json;

use super::args::{Component, PluginsArgs};
use super::error::{Error, one_line};
use super::exit::Exit;
use super::info::limits;
use super::output;
use super::report::{aligned, bytes};

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
    Inspect(InspectArgs),
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

/// Show a plugin's functions, imports, exports and limits
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin inspect target/plugins/wordcount.wasm --json")]
struct InspectArgs {
    /// A component's file (with a / or ending in .wasm or .wat), or a plugin's name
    #[arg(value_name = "PLUGIN|FILE")]
    plugin: String,
    #[command(flatten)]
    plugins: PluginsArgs,
    /// Print the plugin as JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::List(args) => list(&args).await,
        Command::Inspect(args) => inspect(&args).await,
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

/// A plugin with all that is known of it.
#[derive(Serialize)]
struct Inspected {
    #[serde(flatten)]
    plugin: PluginView,
    imports: Vec<InterfaceView>,
    exports: Vec<InterfaceView>,
    limits: gristmill::LimitsView,
}

#[derive(Serialize)]
struct InterfaceView {
    name: String,
    functions: Vec<String>,
}

async fn inspect(args: &InspectArgs) -> Result<Exit, Error> {
    let component = Component::parse(&args.plugin)?;
    let host = Host::builder().plugins_dir(&args.plugins.plugins).concurrency(1).build().await?;
    let plugin = component.load(&host).await?;
    let inspected = Inspected::new(&plugin, host.info().await?.limits);
    if args.json {
        output::json(&inspected)?;
    } else {
        output::text(&output::tame(&inspected.shown()))?;
    }
    host.shutdown().await?;
    Ok(Exit::Completed)
}

impl Inspected {
    fn new(plugin: &Plugin, limits: gristmill::LimitsView) -> Self {
        let views = |all: &[Interface]| {
            let view = |interface: &Interface| InterfaceView {
                name: interface.name.clone(),
                functions: interface.functions.clone(),
            };
            all.iter().map(view).collect()
        };
        Self {
            plugin: plugin.into(),
            imports: views(plugin.imports()),
            exports: views(plugin.exports()),
            limits,
        }
    }

    fn shown(&self) -> String {
        let mut text = aligned(&[
            ("plugin", self.plugin.name.to_string()),
            ("digest", self.plugin.digest.to_string()),
            ("size", format!("{} bytes", self.plugin.bytes)),
        ]);
        text.push_str("\n\nfunctions");
        match &self.plugin.functions {
            Some(functions) => functions.iter().for_each(|f| text.push_str(&function(f))),
            None => text.push_str("\n  it doesn't describe itself"),
        }
        for (title, interfaces) in [("imports", &self.imports), ("exports", &self.exports)] {
            text.push_str(&format!("\n\n{title}"));
            for interface in interfaces {
                let functions = interface.functions.join(", ");
                text.push_str(format!("\n  {}  {functions}", interface.name).trim_end());
            }
        }
        text.push_str("\n\nlimits of an attempt\n");
        text.push_str(&aligned(&limits(&self.limits)));
        text
    }
}

fn function(function: &FunctionView) -> String {
    let takes = match &function.accepts {
        Some(accepts) if accepts.is_empty() => "no input".to_owned(),
        Some(accepts) => accepts.join(" or "),
        None => "anything".to_owned(),
    };
    let returns = function.returns.as_deref().unwrap_or("anything");
    let summary = function.summary.as_deref().unwrap_or_default();
    let first = format!("\n  {}  {summary}", function.name);
    format!("{}\n    takes {takes}, gives {returns}", first.trim_end())
}
