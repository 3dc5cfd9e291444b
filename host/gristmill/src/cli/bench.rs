//! `gristmill bench`: how many jobs a second go through a queue, and how long one is on its way.
//!
//! Every measurement is taken several times over, in turn with the others and with what the server
//! gives at most, since only ratios of one run mean anything on a machine that others use, too. Each
//! checks that every job was settled exactly once.

mod crew;
mod drive;
mod figure;
mod latency;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::FalseyValueParser;
use gristmill::FunctionName;
use gristmill::job::time::parse_duration;
use gristmill::queue::redis::Address;
use gristmill::redis::RedisError;

use self::drive::Drive;
use self::figure::Report;
use self::stage::Stage;
use super::error::Error;
use super::exit::Exit;
use super::output;

/// What is measured of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Enqueueing, while nobody works
    Enqueue,
    /// Working off jobs that wait
    Drain,
    /// Both at once, from enqueued to settled
    Flow,
    /// From enqueueing a job to its client's seeing the result
    Latency,
}

/// Measure how many jobs a second go through a queue, and how long one is on its way
///
/// The queue is in memory or, with --redis-url, on a Redis server too, under keys of its own that are
/// removed at the end. The job gives back its input; unless --component names another, it is one of a few
/// instructions. Every job is checked to have been settled exactly once.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill bench
  gristmill bench --redis-url redis://127.0.0.1:6379/0 --component target/plugins/echo.wasm
  gristmill bench latency --rate 1000 --rate 10000
  gristmill bench drain flow --redis-url redis://127.0.0.1:6379/0 --result-ttl 0s

Leave the machine alone meanwhile, and the server too.")]
pub(crate) struct Args {
    /// What to measure [default: all of it]
    #[arg(value_enum)]
    what: Vec<What>,
    /// Measure the Redis server at this address, too
    #[arg(long, value_name = "URL", env = "GRISTMILL_REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// The component that each job calls [default: one that is built in]
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// The function to call; may be left out where there is only one
    #[arg(long, value_name = "NAME", requires = "component")]
    function: Option<FunctionName>,
    /// Jobs of one measurement; a tenth of them where they go one by one
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    jobs: u32,
    /// Bytes of input of each job
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1_048_576))]
    input_bytes: u32,
    /// How long a job is kept once it is completed; with 0s, nothing is kept of it
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    result_ttl: Duration,
    /// How often each measurement is taken
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Workers to measure with on Redis; may be repeated
    #[arg(long = "workers", value_name = "N", default_values_t = [1, 2], value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: Vec<u32>,
    /// Jobs a second to measure the latency at, beside that of one job after another; may be repeated
    #[arg(long = "rate", value_name = "N", default_values_t = [1_000, 10_000], value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rates: Vec<u32>,
    /// How long jobs are sent at each rate
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = parse_duration)]
    length: Duration,
    /// Print the figures as JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

impl Args {
    fn wants(&self, what: What) -> bool {
        self.what.is_empty() || self.what.contains(&what)
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    let mut report = Report::default();
    let address = args.redis_url.as_deref().map(str::parse::<Address>).transpose();
    let address = address.map_err(|error| gristmill::Error::from(RedisError::from(error)))?;
    let mut stages = vec![Stage::in_memory(&args)?];
    if let Some(address) = address {
        stages.push(Stage::on_server(address, &args).await?);
    }
    for stage in &stages {
        let measured = measure(&args, stage, &mut report).await;
        stage.clear().await?;
        measured?;
    }
    if args.json {
        output::json(&report)?;
    } else {
        output::text(&report.shown())?;
    }
    Ok(Exit::Completed)
}

/// Takes all measurements of one back-end in turn, several times over.
async fn measure(args: &Args, stage: &Stage, report: &mut Report) -> Result<(), Error> {
    for round in 1..=args.rounds {
        output::note(&format!("{}: round {round} of {}", stage.name(), args.rounds));
        let mut drive = Drive::new(stage, args.jobs as usize, report);
        drive.raw().await?;
        if args.wants(What::Enqueue) {
            drive.enqueue().await?;
        }
        for workers in stage.worker_counts(&args.workers) {
            if args.wants(What::Drain) {
                drive.drain(workers).await?;
            }
            if args.wants(What::Flow) {
                drive.flow(workers).await?;
            }
        }
        if args.wants(What::Latency) {
            latency::measure(stage, args, report).await?;
        }
    }
    Ok(())
}
