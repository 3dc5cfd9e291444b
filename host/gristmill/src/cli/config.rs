//! The daemon's configuration: flags, before variables of the environment, before a file.
//!
//! The file's keys are the names of flags, in sections. What it says becomes the flags' default, so that there
//! is one parser for each of them, and one order of precedence. All faults of the file and the environment are
//! told together, each with its place.

mod file;
mod sections;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::OsStr;
use clap::{ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use self::file::Given;
use super::Cli;
use super::error::Error;

/// The file that is read where none is named, if it is there.
const USUAL: &str = "gristmill.toml";
/// The command that has a file.
const SERVE: &str = "serve";

/// What each flag of the daemon came to, as it was written, by its name.
pub(crate) type Settings = BTreeMap<String, Vec<String>>;

/// Parses the command line, with what environment and file add to it. Wrong use, and a wish for help, end the
/// process in here.
pub(crate) fn parse() -> Result<(Cli, Settings), Error> {
    let arguments: Vec<OsString> = env::args_os().collect();
    let command = Cli::command();
    let Some(file) = file_of(&command, &arguments) else {
        let matches = command.get_matches_from(arguments);
        return Ok((parsed(&matches).unwrap_or_else(|error| error.exit()), Settings::new()));
    };
    let command = configured(command, file.as_deref())?;
    let matches = command.clone().get_matches_from(arguments);
    let settings = settings(&command, &matches);
    Ok((parsed(&matches).unwrap_or_else(|error| error.exit()), settings))
}

/// The same once more, with what the file says now; nothing ends the process.
pub(crate) fn parse_again() -> Result<(Cli, Settings), Error> {
    let arguments: Vec<OsString> = env::args_os().collect();
    let command = Cli::command();
    let file = file_of(&command, &arguments).flatten();
    let command = configured(command, file.as_deref())?;
    let usage = |error: clap::Error| Error::Usage(said(&error));
    let matches = command.clone().try_get_matches_from(arguments).map_err(usage)?;
    let settings = settings(&command, &matches);
    Ok((parsed(&matches).map_err(usage)?, settings))
}

fn parsed(matches: &ArgMatches) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(matches)
}

/// Whether it is about the daemon, and which file is to be read then.
fn file_of(command: &Command, arguments: &[OsString]) -> Option<Option<PathBuf>> {
    // Whatever is wrong is told later, together with what is wrong with the file.
    let matches = command.clone().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    let (SERVE, serve) = matches.subcommand()? else { return None };
    let named = serve.get_one::<PathBuf>("config").cloned();
    let usual = || Some(PathBuf::from(USUAL)).filter(|path| path.is_file());
    Some(named.or_else(usual))
}

/// The command line with the file's values as defaults.
fn configured(command: Command, file: Option<&Path>) -> Result<Command, Error> {
    let (mut faults, mut given) = (environment_faults(&command), Vec::new());
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Usage(format!("{} can't be read: {error}", path.display())))?;
        let read = file::read(&path.display().to_string(), &text, &command);
        faults.extend(read.faults);
        given = read.given;
    }
    if faults.is_empty() { Ok(with_defaults(command, given)) } else { Err(Error::Faults(faults)) }
}

fn with_defaults(mut command: Command, given: Vec<Given>) -> Command {
    for Given { id, global, values } in given {
        let values: Vec<OsStr> = values.into_iter().map(OsStr::from).collect();
        let change = |command: Command| command.mut_arg(id, |arg| arg.default_values(values));
        command = if global { change(command) } else { command.mut_subcommand(SERVE, change) };
    }
    command
}

/// A flag that may be configured, with whether all commands have it.
fn flags(command: &Command) -> impl Iterator<Item = (&clap::Arg, bool)> {
    let globals = command.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| (arg, true));
    let serve = command.find_subcommand(SERVE).into_iter().flat_map(Command::get_arguments);
    let own = serve.filter(|arg| !arg.is_global_set()).map(|arg| (arg, false));
    globals.chain(own).filter(|(arg, _)| sections::of(arg.get_long()).is_some())
}

/// What is wrong with variables of the environment.
fn environment_faults(command: &Command) -> Vec<String> {
    let mut faults = Vec::new();
    for (arg, _) in flags(command) {
        let Some(name) = arg.get_env() else { continue };
        let Some(value) = env::var_os(name) else { continue };
        let fault = match value.to_str() {
            // It is read as a truth value of any spelling.
            Some(_) if is_switch(arg) => None,
            Some(value) => fault(command, arg, value),
            None => Some("it is no text".to_owned()),
        };
        faults.extend(fault.map(|fault| format!("{}: {fault}", name.to_string_lossy())));
    }
    faults
}

/// Whether a flag has no value.
fn is_switch(arg: &clap::Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// What the parser of a flag has against a value.
fn fault(command: &Command, arg: &clap::Arg, value: &str) -> Option<String> {
    let long = arg.get_long()?;
    let line = ["gristmill".to_owned(), SERVE.to_owned(), format!("--{long}={value}")];
    let error = command.clone().try_get_matches_from(line).err()?;
    // It may also be something else that is wrong, such as another variable.
    let about = error.get(clap::error::ContextKind::InvalidArg)?.to_string();
    let is_its_own = about.split([' ', '=']).any(|word| word == format!("--{long}"));
    is_its_own.then(|| said(&error))
}

/// What a parser says, in one line.
fn said(error: &clap::Error) -> String {
    use std::error::Error as _;
    if let Some(source) = error.source() {
        return source.to_string();
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

/// What each flag came to.
fn settings(command: &Command, matches: &ArgMatches) -> Settings {
    let Some((_, serve)) = matches.subcommand() else { return Settings::new() };
    let named = flags(command).filter_map(|(arg, _)| {
        let raw = serve.get_raw(arg.get_id().as_str());
        let values = raw.into_iter().flatten().map(|v| v.to_string_lossy().into_owned());
        Some((arg.get_long()?.to_owned(), values.collect()))
    });
    named.collect()
}

#[cfg(test)]
mod tests;
