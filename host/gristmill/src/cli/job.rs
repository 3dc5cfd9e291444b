//! `gristmill job`: look at a job, wait for it, change it.

mod shown;

use std::time::Duration;

use clap::Subcommand;
use clap::builder::FalseyValueParser;
use gristmill::job::time::parse_duration;
use gristmill::{Change, JobId};

use self::shown::{shown, state};
use super::door::DoorArgs;
use super::error::Error;
use super::exit::Exit;
use super::observe::dated;
use super::{output, wait};

/// Look at a job, wait for it, or change it
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill job show 6f9619ff-8b86-d011-b42d-00cf4fc964ff")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(ShowArgs),
    Wait(WaitArgs),
    Logs(LogsArgs),
    Cancel(CancelArgs),
    Retry(RetryArgs),
    Remove(RemoveArgs),
}

/// What all of them are told.
#[derive(clap::Args)]
struct JobArgs {
    /// The job's id
    #[arg(value_name = "ID")]
    id: JobId,
    #[command(flatten)]
    door: DoorArgs,
    /// Print JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// Show what is known of a job
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill job show 6f9619ff-8b86-d011-b42d-00cf4fc964ff --json")]
struct ShowArgs {
    #[command(flatten)]
    job: JobArgs,
}

/// Wait for a job to end, and print its result as `gristmill run` does
///
/// With --json, the whole job is printed. A job that is no longer waited for goes on.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill job wait 6f9619ff-8b86-d011-b42d-00cf4fc964ff --timeout 5m")]
struct WaitArgs {
    #[command(flatten)]
    job: JobArgs,
    /// How long to wait [default: as long as it takes]
    #[arg(
        long,
        value_name = "DURATION",
        env = "GRISTMILL_WAIT_TIMEOUT",
        hide_env_values = true,
        value_parser = parse_duration
    )]
    timeout: Option<Duration>,
}

/// Print what a job logged, the oldest line first; with --json, an object a line
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill job logs 6f9619ff-8b86-d011-b42d-00cf4fc964ff")]
struct LogsArgs {
    #[command(flatten)]
    job: JobArgs,
}

/// Cancel a job: at once where it waits, by its worker where it runs; prints its state
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill job cancel 6f9619ff-8b86-d011-b42d-00cf4fc964ff")]
struct CancelArgs {
    #[command(flatten)]
    job: JobArgs,
}

/// Run a failed or cancelled job again, with its counters at zero; prints its state
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill job retry 6f9619ff-8b86-d011-b42d-00cf4fc964ff")]
struct RetryArgs {
    #[command(flatten)]
    job: JobArgs,
}

/// Forget a job that isn't running; prints the state that it was in
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill job remove 6f9619ff-8b86-d011-b42d-00cf4fc964ff")]
struct RemoveArgs {
    #[command(flatten)]
    job: JobArgs,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::Show(args) => show(&args.job).await,
        Command::Wait(WaitArgs { job, timeout }) => {
            wait::wait(&job.door.open().await?, job.id, timeout, job.json).await
        }
        Command::Logs(args) => logs(&args.job).await,
        Command::Cancel(args) => change(&args.job, Change::Cancel).await,
        Command::Retry(args) => change(&args.job, Change::Retry).await,
        Command::Remove(args) => change(&args.job, Change::Remove).await,
    }
}

async fn show(args: &JobArgs) -> Result<Exit, Error> {
    let job = args.door.open().await?.known(args.id).await?;
    if args.json {
        output::json(&job)?;
    } else {
        output::text(&output::tame(&shown(&job)))?;
    }
    Ok(Exit::Completed)
}

async fn logs(args: &JobArgs) -> Result<Exit, Error> {
    for line in args.door.open().await?.logs(args.id).await? {
        if args.json {
            output::json_line(&line)?;
        } else {
            output::text(&output::tame(&dated(&line)))?;
        }
    }
    Ok(Exit::Completed)
}

async fn change(args: &JobArgs, change: Change) -> Result<Exit, Error> {
    let job = args.door.open().await?.change(args.id, change).await?;
    if args.json {
        output::json(&job)?;
    } else {
        output::text(&state(&job))?;
    }
    Ok(Exit::Completed)
}
