//! `gristmill plugin`: what plugins there are, and what one is made of.

use clap::Subcommand;
use clap::builder::FalseyValueParser;
use gristmill::runtime::Interface;
use gristmill::{Client, FunctionView, Plugin, PluginEntry, PluginView, PluginsView};
use serde::Serialize;

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

/// List the plugins of a folder, or of a daemon
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin list --plugins target/plugins")]
struct ListArgs {
    #[command(flatten)]
    plugins: PluginsArgs,
    #[command(flatten)]
    server: ServerOption,
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
    #[command(flatten)]
    server: ServerOption,
    /// Print the plugin as JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// Which daemon to ask, if any.
#[derive(clap::Args)]
struct ServerOption {
    /// Ask the daemon at this address what it has, and what is wrong with what came since
    #[arg(long, value_name = "URL", env = "GRISTMILL_SERVER", hide_env_values = true)]
    server: Option<String>,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::List(args) => list(&args).await,
        Command::Inspect(args) => inspect(&args).await,
    }
}

async fn list(args: &ListArgs) -> Result<Exit, Error> {
    let view = match &args.server.server {
        Some(server) => Client::new(server)?.plugins().await?,
        None => of_folder(args).await?,
    };
    if args.json {
        output::json(&view.plugins)?;
    } else if !view.plugins.is_empty() {
        let rows = view.plugins.iter().map(|entry| match entry {
            PluginEntry::Usable(view) => (entry.name().as_str(), summary(view)),
            PluginEntry::Unusable { error, .. } => (entry.name().as_str(), error.clone()),
        });
        output::text(&output::tame(&aligned(&rows.collect::<Vec<_>>())))?;
    }
    if let Some(fault) = view.fault {
        output::complain(&fault);
    }
    Ok(Exit::Completed)
}

async fn of_folder(args: &ListArgs) -> Result<PluginsView, Error> {
    let host = args.plugins.builder(None).concurrency(1).build().await?;
    let mut plugins = Vec::new();
    for name in host.plugin_names().await? {
        plugins.push(match host.plugin(&name).await {
            Ok(plugin) => PluginEntry::Usable(PluginView::from(&plugin)),
            Err(error) => PluginEntry::Unusable { name, error: one_line(&error) },
        });
    }
    host.shutdown().await?;
    Ok(PluginsView { plugins, fault: None })
}

fn summary(view: &PluginView) -> String {
    let functions = match &view.functions {
        Some(all) => all.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", "),
        None => "(doesn't describe itself)".to_owned(),
    };
    // Enough of the digest to tell versions apart.
    let digest: String = view.digest.to_string().chars().take(19).collect();
    let fault = match &view.fault {
        Some(fault) => format!("  (its new version can't be used: {fault})"),
        None => String::new(),
    };
    format!("{digest}  {:>10}  {functions}{fault}", bytes(view.bytes as u64))
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
    if let Some(server) = &args.server.server {
        return inspect_there(args, &Client::new(server)?).await;
    }
    let component = Component::parse(&args.plugin)?;
    let host = args.plugins.builder(None).concurrency(1).build().await?;
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

/// What a daemon says of one of its plugins.
async fn inspect_there(args: &InspectArgs, client: &Client) -> Result<Exit, Error> {
    let mut plugins = client.plugins().await?.plugins.into_iter();
    let Some(entry) = plugins.find(|entry| entry.name().as_str() == args.plugin) else {
        return Err(Error::NotFound(format!("the daemon has no plugin {:?}", args.plugin)));
    };
    match &entry {
        _ if args.json => output::json(&entry)?,
        PluginEntry::Usable(view) => output::text(&output::tame(&described(view)))?,
        PluginEntry::Unusable { name, error } => {
            return Err(Error::NotFound(format!("plugin {name} can't be used: {error}")));
        }
    }
    Ok(Exit::Completed)
}

/// Name, version and functions of a plugin, and what is wrong with the next version.
fn described(view: &PluginView) -> String {
    let mut rows = vec![
        ("plugin", view.name.to_string()),
        ("digest", view.digest.to_string()),
        ("size", format!("{} bytes", view.bytes)),
    ];
    if let Some(fault) = &view.fault {
        rows.push(("new version", format!("can't be used: {fault}")));
    }
    let mut text = aligned(&rows);
    text.push_str("\n\nfunctions");
    match &view.functions {
        Some(functions) => functions.iter().for_each(|f| text.push_str(&function(f))),
        None => text.push_str("\n  it doesn't describe itself"),
    }
    text
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
        let mut text = described(&self.plugin);
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
