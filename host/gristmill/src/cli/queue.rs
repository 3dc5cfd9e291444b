//! `gristmill queue`: how queues stand, and what is done to a whole one.

use clap::Subcommand;
use clap::builder::FalseyValueParser;
use gristmill::{PluginName, QueueName, QueueView};
use serde_json::json;

use super::door::DoorArgs;
use super::error::Error;
use super::exit::Exit;
use super::output;
use super::report::{aligned, bytes, micros, table};

/// Look at queues, pause them, and deal with their failed jobs
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill queue show default")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(ListArgs),
    Show(ShowArgs),
    Pause(PauseArgs),
    Resume(ResumeArgs),
    ClearFailed(ClearArgs),
    RequeueFailed(RequeueArgs),
}

/// List the queues that were ever used
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill queue list")]
struct ListArgs {
    #[command(flatten)]
    how: HowArgs,
}

/// Show how a queue stands
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill queue show default --json")]
struct ShowArgs {
    #[command(flatten)]
    queue: QueueArgs,
}

/// Start no more jobs of a queue; what runs goes on, and new jobs are taken
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill queue pause default")]
struct PauseArgs {
    #[command(flatten)]
    queue: QueueArgs,
}

/// Start jobs of a paused queue again
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill queue resume default")]
struct ResumeArgs {
    #[command(flatten)]
    queue: QueueArgs,
}

/// Forget all failed jobs of a queue, and print how many there were
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill queue clear-failed default")]
struct ClearArgs {
    #[command(flatten)]
    queue: QueueArgs,
}

/// Run all failed jobs of a queue again, and print how many there are
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill queue requeue-failed default --plugin wordcount")]
struct RequeueArgs {
    #[command(flatten)]
    queue: QueueArgs,
    /// Only jobs of this plugin
    #[arg(long, value_name = "NAME")]
    plugin: Option<PluginName>,
}

#[derive(clap::Args)]
struct QueueArgs {
    /// The queue's name
    #[arg(value_name = "NAME")]
    name: QueueName,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(clap::Args)]
struct HowArgs {
    #[command(flatten)]
    door: DoorArgs,
    /// Print JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::List(ListArgs { how }) => list(&how).await,
        Command::Show(ShowArgs { queue }) => show(&queue).await,
        Command::Pause(PauseArgs { queue }) => set_paused(&queue, true).await,
        Command::Resume(ResumeArgs { queue }) => set_paused(&queue, false).await,
        Command::ClearFailed(ClearArgs { queue }) => clear(&queue).await,
        Command::RequeueFailed(RequeueArgs { queue, plugin }) => {
            requeue(&queue, plugin.as_ref()).await
        }
    }
}

async fn list(how: &HowArgs) -> Result<Exit, Error> {
    let queues = how.door.open().await?.queues().await?;
    if how.json {
        output::json(&queues)?;
    } else {
        let head = ["NAME", "SCHEDULED", "QUEUED", "RUNNING", "FAILED", "LATENCY", "PAUSED"];
        let rows: Vec<_> = queues.iter().map(row).collect();
        output::text(&table(head, &rows))?;
    }
    Ok(Exit::Completed)
}

fn row(queue: &QueueView) -> [String; 7] {
    [
        queue.name.to_string(),
        queue.scheduled.to_string(),
        queue.queued.to_string(),
        queue.running.to_string(),
        queue.failed.to_string(),
        millis(queue.latency_ms),
        yes_or_no(queue.paused),
    ]
}

async fn show(args: &QueueArgs) -> Result<Exit, Error> {
    let queue = args.how.door.open().await?.queue(&args.name).await?;
    tell(&queue, args.how.json)
}

async fn set_paused(args: &QueueArgs, paused: bool) -> Result<Exit, Error> {
    let queue = args.how.door.open().await?.set_paused(&args.name, paused).await?;
    if args.how.json {
        return tell(&queue, true);
    }
    output::text(if queue.paused { "paused" } else { "resumed" })?;
    Ok(Exit::Completed)
}

fn tell(queue: &QueueView, json: bool) -> Result<Exit, Error> {
    if json {
        output::json(queue)?;
    } else {
        output::text(&shown(queue))?;
    }
    Ok(Exit::Completed)
}

fn shown(queue: &QueueView) -> String {
    let ever = |now: u64, total: u64| format!("{now}, {total} ever");
    let totals = &queue.totals;
    aligned(&[
        ("queue", queue.name.to_string()),
        ("paused", yes_or_no(queue.paused)),
        ("scheduled", queue.scheduled.to_string()),
        ("queued", queue.queued.to_string()),
        ("running", queue.running.to_string()),
        ("completed", ever(queue.completed, totals.completed)),
        ("failed", ever(queue.failed, totals.failed)),
        ("cancelled", ever(queue.cancelled, totals.cancelled)),
        ("latency", millis(queue.latency_ms)),
        ("waiting", bytes(queue.waiting_bytes)),
        ("enqueued", format!("{} ever", totals.enqueued)),
        ("retried", format!("{} ever", totals.retried)),
        ("released", format!("{} ever", totals.released)),
        ("reaped", format!("{} ever", totals.reaped)),
    ])
}

async fn clear(args: &QueueArgs) -> Result<Exit, Error> {
    let cleared = args.how.door.open().await?.clear_failed(&args.name).await?;
    if args.how.json {
        output::json(&json!({ "cleared": cleared }))?;
    } else {
        output::text(&cleared.to_string())?;
    }
    Ok(Exit::Completed)
}

async fn requeue(args: &QueueArgs, plugin: Option<&PluginName>) -> Result<Exit, Error> {
    let all = args.how.door.open().await?.requeue_failed(&args.name, plugin).await?;
    if args.how.json {
        output::json(&all)?;
    } else {
        output::text(&all.requeued.to_string())?;
    }
    if all.conflicts == 0 {
        return Ok(Exit::Completed);
    }
    let conflicts = all.conflicts;
    output::complain(&format!("{conflicts} stay failed: other jobs hold their unique keys"));
    Ok(Exit::Unsuccessful)
}

fn millis(millis: u64) -> String {
    micros(millis.saturating_mul(1_000))
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
