//! `gristmill run`: jobs here and now.

mod many;
mod profile;
mod repeat;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use gristmill::job::time::parse_duration;
use gristmill::job::wire::JobView;
use gristmill::runtime::{self, Sampler};
use gristmill::{CancellationToken, Host, HostBuilder, Job, JobId, NewJob, OutcomeKind};

use super::args::{Component, OptionArgs, PluginsArgs, checked, request};
use super::compile;
use super::error::Error;
use super::exit::Exit;
use super::input::InputArgs;
use super::observe::GuestLog;
use super::output;
use super::report::{self, Tail};
use super::signals::Signals;

/// How long one look at a running job lasts. Jobs end by themselves, so it only has to be finite.
const LOOK: Duration = Duration::from_secs(3_600);

/// Run a plugin's function once, here and now, and print its result
///
/// The job gets one attempt in this process, on a queue and a cache of its own in memory: Redis is
/// never asked. Its result goes to stdout as it is, what it logs to stderr. Jobs that it enqueues are
/// not waited for. With --repeat, attempts share the cache, and the last one's result is printed.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill run target/plugins/wordcount.wasm --input-file README.md
  gristmill run subtitles convert --input-file movie.srt > movie.vtt
  gristmill run --jsonl jobs.jsonl > results.jsonl
  gristmill run subtitles --input-file movie.srt --repeat 100 --profile movie.json > /dev/null

A line of --jsonl is a job such as {\"plugin\": \"echo\", \"input\": \"hello\"}; all lines are checked \
before the first job starts. Each line of the output is a job with its result, in the order in \
which they end.")]
pub(crate) struct Args {
    /// A component's file (with a / or ending in .wasm or .wat), or a plugin's name
    #[arg(value_name = "PLUGIN|FILE", required_unless_present = "jsonl")]
    plugin: Option<String>,
    /// The function to call; may be left out where there is only one
    function: Option<String>,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    plugins: PluginsArgs,
    /// Print the whole job as JSON, rather than its result alone
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
    /// Run many jobs, one JSON object a line, from a file or from stdin (-)
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["input", "wave", "input_file", "content_type", "headers", "args", "env"])]
    jsonl: Option<PathBuf>,
    /// Run so many jobs, one after another, and tell on stderr what they took (with --json, on stdout and
    /// in place of the job); it ends with the first one that isn't completed
    #[arg(long, value_name = "N", conflicts_with = "jsonl")]
    repeat: Option<NonZeroU32>,
    /// Write a profile of where the function spends its time, for https://profiler.firefox.com; with
    /// --repeat, of all attempts together
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    profile: Option<PathBuf>,
    /// How many attempts run at one time with --jsonl [default: 4 for each core]
    #[arg(long, value_name = "N", env = "GRISTMILL_CONCURRENCY", hide_env_values = true)]
    concurrency: Option<usize>,
    /// How long running jobs may go on after Ctrl-C with --jsonl
    #[arg(long, value_name = "DURATION", env = "GRISTMILL_GRACE", hide_env_values = true, default_value = "10s", value_parser = parse_duration)]
    grace: Duration,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match &args.jsonl {
        Some(path) => many::run(&args, path).await,
        None => one(&args).await,
    }
}

impl Args {
    fn host(&self, sampler: Option<Arc<Sampler>>) -> Result<HostBuilder, Error> {
        let sandbox = runtime::Config { sampler, ..compile::sandbox(None) };
        Ok(self.plugins.builder_with(sandbox)?.watch_plugins(false))
    }

    fn component(&self) -> Result<Option<Component>, Error> {
        self.plugin.as_deref().map(Component::parse).transpose()
    }
}

async fn one(args: &Args) -> Result<Exit, Error> {
    let input = args.input.read()?;
    let Some(component) = args.component()? else {
        return Err(Error::Usage("PLUGIN|FILE is missing".to_owned()));
    };
    let target = args.profile.as_deref().map(profile::Target::create).transpose()?;
    let sampler = target.is_some().then(Arc::<Sampler>::default);
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    // Whoever interrupts a single job wants it to end, rather than to be waited for.
    let builder = args.host(sampler.clone())?.concurrency(1).grace(Duration::ZERO);
    let host = builder
        .observer(GuestLog { names_jobs: false })
        .shutdown_token(stop.clone())
        .abort_token(abort.clone())
        .build()
        .await?;
    let plugin = component.load(&host).await?;
    let mut request = request(plugin.name().clone(), args.function.as_deref(), input);
    args.options.apply(&mut request)?;
    request.max_attempts = Some(1);
    let job = checked(request)?;

    let signals = Signals::listen(stop, abort)?;
    host.start();
    let mut stats = repeat::Stats::default();
    let ended = again_and_again(&host, &job, args.repeat, &mut stats).await?;
    host.shutdown().await?;
    if let (Some(target), Some(sampler)) = (target, sampler) {
        target.write(plugin.name().as_str(), &sampler.profile())?;
    }
    match ended {
        Some(ended) => tell(args, &ended, &stats),
        None if signals.heard().is_some() => Ok(Exit::Interrupted),
        None => Err(Error::NotFound(format!("job {} is gone", job.id))),
    }
}

/// Runs a job as often as is asked for, until one isn't completed; answers the last.
async fn again_and_again(
    host: &Host,
    job: &NewJob,
    times: Option<NonZeroU32>,
    stats: &mut repeat::Stats,
) -> Result<Option<Job>, Error> {
    let mut left = times.map_or(1, NonZeroU32::get);
    loop {
        let id = host.enqueue(NewJob { id: JobId::random(), ..job.clone() }).await?;
        let ended = end_of(host, id).await?;
        left -= 1;
        let Some(job) = &ended else { return Ok(None) };
        if let Some(usage) = job.usage {
            stats.add(usage);
        }
        if left == 0 || job.outcome != Some(OutcomeKind::Completed) {
            return Ok(ended);
        }
    }
}

/// Tells the last job, or what all of them took.
fn tell(args: &Args, job: &Job, stats: &repeat::Stats) -> Result<Exit, Error> {
    let is_counted = args.repeat.is_some() && stats.attempts() > 0;
    if is_counted && !args.json {
        output::note(&stats.shown());
    }
    let is_fine = job.outcome == Some(OutcomeKind::Completed);
    if is_counted && args.json && is_fine {
        output::json(&stats.view())?;
        return Ok(Exit::Completed);
    }
    report::tell(&JobView::from(job), job.result.as_ref(), args.json, Tail::Seen)
}

/// The job once it has ended; none, if the worker ends before it.
pub(super) async fn end_of(host: &Host, id: JobId) -> Result<Option<Job>, Error> {
    loop {
        tokio::select! {
            biased;
            job = host.wait(id, LOOK) => match job? {
                Some(job) if !job.state.is_final() => {}
                ended => return Ok(ended),
            },
            () = host.ended().cancelled() => {
                let job = host.job(id).await?;
                return Ok(job.filter(|job| job.state.is_final()));
            }
        }
    }
}
