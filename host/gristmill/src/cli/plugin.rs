//! `gristmill plugin`: what plugins there are, and what one is made of.

use clap::Subcommand;
use clap::builder::FalseyValueParser;
use gristmill::{PluginEntry, PluginView, PluginsView};

use super::access::CredentialArgs;
use super::args::PluginsArgs;
use super::error::{Error, one_line};
use super::exit::Exit;
use super::output;
use super::report::{aligned, bytes};

mod check;
mod inspect;
mod push;
mod shared;

/// Look at plugins, and put them to a daemon
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
    Push(push::Args),
    Remove(push::RemoveArgs),
}

/// List the plugins of a folder, of a daemon, or of a fleet
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  gristmill plugin list --plugins target/plugins\n  gristmill plugin list \
                  --redis-url redis://127.0.0.1:6379"
)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
    /// Print an array of plugins as JSON; one that can't be used has a name and an error
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// Where the plugins are: in a folder, at a daemon, or on a Redis server.
#[derive(clap::Args)]
struct Place {
    #[command(flatten)]
    plugins: PluginsArgs,
    /// Ask the daemon at this address what it has, and what is wrong with what came since
    #[arg(long, value_name = "URL", env = "GRISTMILL_SERVER", hide_env_values = true)]
    server: Option<String>,
    #[command(flatten)]
    credentials: CredentialArgs,
    #[command(flatten)]
    shared: shared::SharedArgs,
}

impl Place {
    /// What is there, where it isn't a folder.
    async fn elsewhere(&self) -> Result<Option<PluginsView>, Error> {
        match (&self.server, self.shared.shelf()?) {
            (_, Some(shelf)) => Ok(Some(shared::list(&*shelf).await?)),
            (Some(server), None) => Ok(Some(self.credentials.client(server)?.plugins().await?)),
            (None, None) => Ok(None),
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::List(args) => list(&args).await,
        Command::Inspect(args) => inspect::run(&args).await,
        Command::Check(args) => check::run(&args).await,
        Command::Push(args) => push::run(&args).await,
        Command::Remove(args) => push::remove(&args).await,
    }
}

async fn list(args: &ListArgs) -> Result<Exit, Error> {
    let view = match args.place.elsewhere().await? {
        Some(view) => view,
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
    let host = args.place.plugins.builder(None)?.concurrency(1).build().await?;
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
