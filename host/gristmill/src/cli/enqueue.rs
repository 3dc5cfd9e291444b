//! `gristmill enqueue`: a job for the daemon, or many.

mod many;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use gristmill::PluginName;
use gristmill::job::time::parse_duration;

use super::args::{OptionArgs, checked, millis, request};
use super::door::DoorArgs;
use super::error::Error;
use super::exit::Exit;
use super::input::InputArgs;
use super::{output, wait};

/// Enqueue a job, and print its id
///
/// With --wait, the job's result is printed once it has ended, as by `gristmill run`. With --jsonl,
/// many jobs are enqueued, and an id is printed for each that was taken.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill enqueue wordcount --input-file README.md --wait
  gristmill enqueue subtitles convert --input-file movie.srt --delay 5m --unique-key movie
  gristmill enqueue --jsonl jobs.jsonl --queue bulk

A line of --jsonl is a job such as {\"plugin\": \"echo\", \"input\": \"hello\"}; what it leaves out, the \
flags say. All lines are checked before the first job is sent. A job with an id may be sent again: \
it is taken once.")]
pub(crate) struct Args {
    /// The plugin's name
    #[arg(required_unless_present = "jsonl")]
    plugin: Option<PluginName>,
    /// The function to call; may be left out where there is only one
    function: Option<String>,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    options: OptionArgs,
    /// The queue to wait in
    #[arg(long, value_name = "NAME", env = "GRISTMILL_QUEUE", hide_env_values = true)]
    queue: Option<String>,
    /// 0 (most urgent) to 3 [default: 1]
    #[arg(long, value_name = "CLASS", env = "GRISTMILL_PRIORITY", hide_env_values = true)]
    priority: Option<u8>,
    /// Start no sooner than after this long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "at")]
    delay: Option<Duration>,
    /// Start no sooner than at this time, such as 2026-05-01T12:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Failures that end the job [default: 5]
    #[arg(long, value_name = "N", env = "GRISTMILL_MAX_ATTEMPTS", hide_env_values = true)]
    max_attempts: Option<u32>,
    /// The version of the plugin that must run it, by its digest, or `latest`: the one that serves when it
    /// starts [default: where plugins are shared, the one that serves now]
    #[arg(long, value_name = "DIGEST|latest")]
    digest: Option<String>,
    /// The job's id, by which a repeated enqueue is recognised [default: a random one]
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
    /// Refuse the job while another with this key waits or runs
    #[arg(long, value_name = "KEY")]
    unique_key: Option<String>,
    /// How long the job is kept once it is completed; with 0s, nothing is kept of it [default: 24h]
    #[arg(long, value_name = "DURATION", env = "GRISTMILL_RESULT_TTL", hide_env_values = true, value_parser = parse_duration)]
    result_ttl: Option<Duration>,
    /// Wait for the job to end
    #[arg(long, env = "GRISTMILL_WAIT", hide_env_values = true, value_parser = FalseyValueParser::new())]
    wait: bool,
    /// How long to wait with --wait [default: as long as it takes]
    #[arg(
        long,
        value_name = "DURATION",
        env = "GRISTMILL_WAIT_TIMEOUT",
        hide_env_values = true,
        value_parser = parse_duration
    )]
    wait_timeout: Option<Duration>,
    /// Enqueue many jobs, one JSON object a line, from a file or from stdin (-)
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["input", "wave", "input_file", "content_type", "headers", "args", "env", "delay", "at", "id", "unique_key", "digest"])]
    jsonl: Option<PathBuf>,
    #[command(flatten)]
    door: DoorArgs,
    /// Print the whole job as JSON, rather than its id or result; with --jsonl, a verdict a line
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match &args.jsonl {
        Some(_) if args.wait => Err(Error::Usage("--wait: not for many jobs".to_owned())),
        Some(path) => many::run(&args, path).await,
        // It may have come and gone before it can be asked for.
        None if args.wait && args.result_ttl == Some(Duration::ZERO) => Err(Error::Usage(
            "--wait: with --result-ttl 0s there is no result to wait for; 1m keeps it long enough"
                .to_owned(),
        )),
        None => one(args).await,
    }
}

async fn one(args: Args) -> Result<Exit, Error> {
    let Some(plugin) = args.plugin else {
        return Err(Error::Usage("PLUGIN is missing".to_owned()));
    };
    let input = args.input.read()?;
    let mut request = request(plugin, args.function.as_deref(), input);
    args.options.apply(&mut request)?;
    request.queue = args.queue;
    request.priority = args.priority;
    request.delay_ms = args.delay.map(millis);
    request.run_at = args.at;
    request.max_attempts = args.max_attempts;
    request.unique_key = args.unique_key;
    request.result_ttl_ms = args.result_ttl.map(millis);
    request.digest = args.digest;
    request.id = args.id.or(request.id);
    let job = checked(request)?;
    let door = args.door.open().await?;
    let view = door.enqueue(job).await?;
    if args.wait {
        return wait::wait(&door, view.id, args.wait_timeout, args.json).await;
    }
    if args.json {
        output::json(&view)?;
    } else {
        output::text(&view.id.to_string())?;
    }
    Ok(Exit::Completed)
}
