//! `gristmill plugin push` and `remove`: the plugins of a daemon or of a fleet, without a shell on its machines.

use std::path::PathBuf;

use bytes::Bytes;
use clap::builder::FalseyValueParser;
use gristmill::client::Error as ClientError;
use gristmill::{Error as HostError, PluginName};

use super::shared::{self, Pushed, SharedArgs};
use super::summary;
use crate::cli::access::DaemonArgs;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::limits::LimitsArgs;
use crate::cli::output;

/// Put a component, with the manifest beside it, into a daemon's plugins folder
///
/// The daemon checks it first, and takes it over for the next job; one with --share-plugins puts it where
/// all such daemons fetch it. Ends with 3 where something is wrong with it. It takes an access token of role
/// admin, which a daemon without tokens has none of. With --redis-url it is checked here, and put there
/// without a daemon.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  gristmill plugin push target/plugins/wordcount.wasm\n  gristmill plugin push \
                  wordcount.wasm --redis-url redis://127.0.0.1:6379"
)]
pub(super) struct Args {
    /// The component's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The plugin's name [default: the stem of the file]
    #[arg(long, value_name = "NAME")]
    name: Option<PluginName>,
    #[command(flatten)]
    daemon: DaemonArgs,
    #[command(flatten)]
    shared: SharedArgs,
    #[command(flatten)]
    limits: LimitsArgs,
    /// Print the plugin as it serves then as JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// Take a plugin out of a daemon's plugins folder, or from a fleet
///
/// It takes an access token of role admin, or with --redis-url the Redis server.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin remove wordcount")]
pub(super) struct RemoveArgs {
    /// The plugin's name
    #[arg(value_name = "NAME")]
    name: PluginName,
    #[command(flatten)]
    daemon: DaemonArgs,
    #[command(flatten)]
    shared: SharedArgs,
}

pub(super) async fn run(args: &Args) -> Result<Exit, Error> {
    let unreadable = |path: &PathBuf, error: std::io::Error| {
        Error::Usage(format!("{} can't be read: {error}", path.display()))
    };
    let name = match &args.name {
        Some(name) => name.clone(),
        None => {
            let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
            let name = PluginName::new(&stem);
            name.map_err(|error| Error::Usage(format!("{error}; --name gives it one")))?
        }
    };
    let component = std::fs::read(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let beside = args.file.with_extension("toml");
    let manifest = match std::fs::read_to_string(&beside) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable(&beside, error)),
    };
    match push(args, &name, component.into(), manifest).await? {
        Pushed::Serves(view) if args.json => output::json(&view)?,
        Pushed::Serves(view) => {
            output::text(&output::tame(&format!("{name}  {}", summary(&view))))?;
        }
        Pushed::Refused(faults) => {
            let lines = faults.iter().map(|f| format!("{}: {}", f.file, f.message));
            output::text(&output::tame(&lines.collect::<Vec<_>>().join("\n")))?;
            return Ok(Exit::Unusable);
        }
    }
    Ok(Exit::Completed)
}

async fn push(
    args: &Args,
    name: &PluginName,
    component: Bytes,
    manifest: Option<String>,
) -> Result<Pushed, Error> {
    if let Some(shelf) = args.shared.shelf()? {
        return shared::push(&*shelf, &args.limits, name, component, manifest).await;
    }
    match args.daemon.client()?.push(name, &component, manifest.as_deref()).await {
        Ok(view) => Ok(Pushed::Serves(view)),
        Err(ClientError::Refused(problem)) if !problem.more.faults.is_empty() => {
            Ok(Pushed::Refused(problem.more.faults))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn remove(args: &RemoveArgs) -> Result<Exit, Error> {
    let removed = match args.shared.shelf()? {
        Some(shelf) => shelf.remove(&args.name).await.map_err(HostError::from)?,
        None => args.daemon.client()?.remove_plugin(&args.name).await?,
    };
    if removed {
        return Ok(Exit::Completed);
    }
    Err(Error::NotFound(format!("there is no plugin {:?} there", args.name.as_str())))
}
