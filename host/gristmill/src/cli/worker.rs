//! `gristmill worker`: the workers of all daemons that share a queue, and what is asked of them.

use clap::Subcommand;
use clap::builder::FalseyValueParser;
use gristmill::job::WorkerId;
use gristmill::{Wish, WorkerView};

use super::access::DaemonArgs;
use super::error::Error;
use super::exit::Exit;
use super::output;
use super::report::table;

/// Look at the workers of all daemons that share a queue, and make them quiet or stop them
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill worker list")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(ListArgs),
    Quiet(QuietArgs),
    Resume(ResumeArgs),
    Stop(StopArgs),
}

/// List the workers of all daemons that share the daemon's queue
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill worker list --json")]
struct ListArgs {
    #[command(flatten)]
    how: HowArgs,
}

/// Let a worker take no more jobs; what runs goes on
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill worker quiet 0b1c6a1e-33a5-4a5c-9d1b-6c4a1f0e7d2a")]
struct QuietArgs {
    #[command(flatten)]
    worker: WorkerArgs,
}

/// Let a quiet worker take jobs again
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill worker resume 0b1c6a1e-33a5-4a5c-9d1b-6c4a1f0e7d2a")]
struct ResumeArgs {
    #[command(flatten)]
    worker: WorkerArgs,
}

/// End a worker and its daemon, as SIGTERM does
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill worker stop 0b1c6a1e-33a5-4a5c-9d1b-6c4a1f0e7d2a")]
struct StopArgs {
    #[command(flatten)]
    worker: WorkerArgs,
}

#[derive(clap::Args)]
struct WorkerArgs {
    /// The worker's id
    #[arg(value_name = "ID")]
    id: WorkerId,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(clap::Args)]
struct HowArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Print JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::List(ListArgs { how }) => list(&how).await,
        Command::Quiet(QuietArgs { worker }) => ask(&worker, Wish::Quiet).await,
        Command::Resume(ResumeArgs { worker }) => ask(&worker, Wish::Resume).await,
        Command::Stop(StopArgs { worker }) => ask(&worker, Wish::Stop).await,
    }
}

async fn list(how: &HowArgs) -> Result<Exit, Error> {
    let all = how.daemon.client()?.workers().await?;
    if how.json {
        output::json(&all.workers)?;
    } else {
        let head = ["ID", "MACHINE", "PID", "STATE", "JOBS", "SLOTS", "QUEUES"];
        let rows: Vec<_> = all.workers.iter().map(row).collect();
        output::text(&table(head, &rows))?;
    }
    if let Some(fault) = all.fault {
        output::complain(&fault);
        return Ok(Exit::Unsuccessful);
    }
    Ok(Exit::Completed)
}

fn row(worker: &WorkerView) -> [String; 7] {
    let state = match (worker.stopping, worker.quiet) {
        (true, _) => "stopping",
        (false, true) => "quiet",
        (false, false) => "working",
    };
    let queues: Vec<&str> = worker.queues.iter().map(|queue| queue.as_str()).collect();
    [
        worker.id.to_string(),
        worker.machine.clone(),
        worker.pid.to_string(),
        state.to_owned(),
        worker.jobs.to_string(),
        worker.slots.to_string(),
        queues.join(","),
    ]
}

async fn ask(args: &WorkerArgs, wish: Wish) -> Result<Exit, Error> {
    let worker = args.how.daemon.client()?.ask_worker(args.id, wish).await?;
    if args.how.json {
        output::json(&worker)?;
    } else {
        output::text("asked")?;
    }
    Ok(Exit::Completed)
}
