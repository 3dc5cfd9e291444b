//! `gristmill enqueue`: a job for the daemon.

use std::time::Duration;

use clap::builder::FalseyValueParser;
use gristmill::job::StateName;
use gristmill::job::time::parse_duration;
use gristmill::job::wire::JobView;
use gristmill::{CancellationToken, Client, PluginName};

use super::args::{OptionArgs, ServerArgs, checked, millis, request};
use super::error::Error;
use super::exit::Exit;
use super::input::InputArgs;
use super::output;
use super::report::{self, Tail};
use super::signals::Signals;

/// Enqueue a job with the daemon, and print its id
///
/// With --wait, the job's result is printed once it has ended, as by `gristmill run`.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill enqueue wordcount --input-file README.md --wait
  gristmill enqueue subtitles convert --input-file movie.srt --delay 5m --unique-key movie")]
pub(crate) struct Args {
    /// The plugin's name
    plugin: PluginName,
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
    /// The job's id, by which a repeated enqueue is recognised [default: a random one]
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
    /// Refuse the job while another with this key waits or runs
    #[arg(long, value_name = "KEY")]
    unique_key: Option<String>,
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
    #[command(flatten)]
    server: ServerArgs,
    /// Print the whole job as JSON, rather than its id or result
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    let client = args.server.client()?;
    let input = args.input.read()?;
    let mut request = request(args.plugin.clone(), args.function.as_deref(), input);
    args.options.apply(&mut request)?;
    request.queue = args.queue;
    request.priority = args.priority;
    request.delay_ms = args.delay.map(millis);
    request.run_at = args.at;
    request.max_attempts = args.max_attempts;
    request.unique_key = args.unique_key;
    request.id = args.id.or(request.id);
    let job = checked(request)?;
    let view = client.enqueue(&job).await?;
    if args.wait {
        return wait(&client, &view, args.wait_timeout, args.json).await;
    }
    if args.json {
        output::json(&view)?;
    } else {
        output::text(&view.id.to_string())?;
    }
    Ok(Exit::Completed)
}

async fn wait(
    client: &Client,
    job: &JobView,
    patience: Option<Duration>,
    json: bool,
) -> Result<Exit, Error> {
    let id = job.id;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let _signals = Signals::listen(stop.clone(), abort)?;
    let found = tokio::select! {
        found = client.wait(id, patience) => found?,
        () = stop.cancelled() => {
            output::complain(&format!("no longer waiting for job {id}, which goes on"));
            return Ok(Exit::Interrupted);
        }
    };
    let Some(job) = found else { return Err(Error::NotFound(format!("job {id} was removed"))) };
    if matches!(job.state, StateName::Scheduled | StateName::Queued | StateName::Running) {
        output::complain(&format!("job {id} is still {} and goes on", job.state));
        return Ok(Exit::TimedOut);
    }
    // The job object has its result as JSON; only the raw one is as the function gave it.
    let result = if json { None } else { client.result(id).await? };
    let had_one = job.result.is_some() || job.result_base64.is_some();
    if !json && had_one && result.is_none() {
        return Err(Error::NotFound(format!("the result of job {id} isn't kept any more")));
    }
    report::tell(&job, result.as_ref(), json, Tail::Log)
}
