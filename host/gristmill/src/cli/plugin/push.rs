//! `gristmill plugin push` and `remove`: a daemon's plugins, without a shell on its machine.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use gristmill::PluginName;
use gristmill::client::Error as ClientError;

use super::summary;
use crate::cli::access::DaemonArgs;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::output;

/// Put a component, with the manifest beside it, into a daemon's plugins folder
///
/// The daemon checks it first, and takes it over for the next job. Ends with 3 where something is wrong
/// with it. It takes an access token of role admin, which a daemon without tokens has none of.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin push target/plugins/wordcount.wasm")]
pub(super) struct Args {
    /// The component's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The plugin's name [default: the stem of the file]
    #[arg(long, value_name = "NAME")]
    name: Option<PluginName>,
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Print the plugin as it serves then as JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// Take a plugin out of a daemon's plugins folder
///
/// It takes an access token of role admin.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin remove wordcount")]
pub(super) struct RemoveArgs {
    /// The plugin's name
    #[arg(value_name = "NAME")]
    name: PluginName,
    #[command(flatten)]
    daemon: DaemonArgs,
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
    let client = args.daemon.client()?;
    match client.push(&name, &component.into(), manifest.as_deref()).await {
        Ok(view) if args.json => output::json(&view)?,
        Ok(view) => output::text(&output::tame(&format!("{name}  {}", summary(&view))))?,
        Err(ClientError::Refused(problem)) if !problem.more.faults.is_empty() => {
            let lines = problem.more.faults.iter().map(|f| format!("{}: {}", f.file, f.message));
            output::text(&output::tame(&lines.collect::<Vec<_>>().join("\n")))?;
            return Ok(Exit::Unusable);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Completed)
}

pub(super) async fn remove(args: &RemoveArgs) -> Result<Exit, Error> {
    let client = args.daemon.client()?;
    if client.remove_plugin(&args.name).await? {
        return Ok(Exit::Completed);
    }
    Err(Error::NotFound(format!("the daemon has no plugin {:?}", args.name.as_str())))
}
