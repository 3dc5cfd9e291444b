//! `gristmill completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use super::error::Error;
use super::exit::Exit;
use super::output;

/// Print a script that completes commands and flags in a shell
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  gristmill completions bash > ~/.local/share/bash-completion/completions/gristmill"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gristmill", &mut script);
    output::result("text/plain", &script)?;
    Ok(Exit::Completed)
}
