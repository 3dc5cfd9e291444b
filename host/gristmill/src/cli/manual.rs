//! `gristmill manual`: pages of the manual, as `make release` packs them.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::Cli;
use super::error::Error;
use super::exit::Exit;

/// Write pages of the manual, one for each command, into a folder
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill manual /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// The folder
    dir: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Error> {
    let mut command = Cli::command();
    command.build();
    write(&command, &args.dir)?;
    Ok(Exit::Completed)
}

/// A page, and those of the commands below it.
fn write(command: &clap::Command, dir: &Path) -> Result<(), Error> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.render(&mut page).map_err(Error::Output)?;
    fs::write(dir.join(man.get_filename()), page).map_err(Error::Output)?;
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        write(below, dir)?;
    }
    Ok(())
}
