//! Peers in Rust, behind the one command line that all peers of `scripts/bench-peers` have.
//!
//! `enqueue` puts jobs into the queue and prints how long that took, `work` works until it is told to
//! end and writes down what it did, `call` enqueues one job after another, or so many a second, and waits
//! for each result, and `left` tells what the queue still holds. `spawn` needs no queue: it starts a process for each
//! job. Whatever is a setting of a peer comes from `tests/peers/bench/contenders.py`.

mod apalis;
mod bullmq;
mod clock;
mod pace;
mod spawn;
mod tally;
mod window;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::tally::Tally;

/// Bytes of each job's payload, as in all peers.
const PAYLOAD_BYTES: usize = 100;

#[derive(Parser)]
#[command(about = "Measures queues of other people")]
struct Args {
    /// Where jobs are kept
    #[arg(long, env = "REDIS_URL", global = true, default_value = "redis://127.0.0.1:6379")]
    redis_url: String,
    #[command(subcommand)]
    role: Role,
}

#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    Bullmq,
    Apalis,
}

#[derive(Subcommand)]
enum Role {
    /// Enqueue jobs, and print how long it took
    Enqueue(Enqueue),
    /// Work until SIGTERM
    Work(Work),
    /// Enqueue a job and wait for its result, one after another or at a rate
    Call {
        peer: Peer,
        #[arg(long)]
        jobs: usize,
        /// Jobs a second, whatever becomes of those before
        #[arg(long)]
        rate: Option<u32>,
    },
    /// Tell what the queue holds
    Left { peer: Peer },
    /// Start a process for each job, and wait for its end
    Spawn {
        #[arg(long)]
        jobs: usize,
        /// Processes at one time
        #[arg(long)]
        at_once: usize,
        #[arg(trailing_var_arg = true, required = true)]
        command: Vec<String>,
    },
}

/// What is enqueued, and how.
#[derive(clap::Args, Clone)]
struct Enqueue {
    peer: Peer,
    #[arg(long)]
    jobs: usize,
    /// Producers at one time
    #[arg(long, default_value_t = 1)]
    at_once: usize,
    /// Jobs that a producer hands over together
    #[arg(long, default_value_t = 1)]
    bulk: usize,
    /// Jobs that may be on their way at most
    #[arg(long, requires = "tally")]
    window: Option<usize>,
    /// Where workers tell how many are done
    #[arg(long)]
    tally: Option<PathBuf>,
}

/// A worker and its settings.
#[derive(clap::Args)]
struct Work {
    peer: Peer,
    /// Where to write what was done
    #[arg(long)]
    tally: PathBuf,
    /// Jobs at one time
    #[arg(long)]
    concurrency: usize,
    /// Milliseconds between looks at an empty queue, where the peer has to look
    #[arg(long, default_value_t = 10)]
    poll_ms: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if let Role::Spawn { jobs, at_once, command } = &args.role {
        print(&spawn::measure(*jobs, *at_once, command)?);
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(args))
}

async fn run(args: Args) -> Result<()> {
    let url = &args.redis_url;
    match args.role {
        Role::Enqueue(enqueue) => print(&match enqueue.peer {
            Peer::Bullmq => bullmq::enqueue(url, &enqueue).await?,
            Peer::Apalis => apalis::enqueue(url, &enqueue).await?,
        }),
        Role::Work(work) => {
            let tally = Tally::create(&work.tally)?;
            match work.peer {
                Peer::Bullmq => bullmq::work(url, &work, tally).await?,
                Peer::Apalis => apalis::work(url, &work, tally).await?,
            }
        }
        Role::Call { peer, jobs, rate } => {
            let times = match (peer, rate) {
                (Peer::Bullmq, None) => bullmq::call(url, jobs).await?,
                (Peer::Bullmq, Some(rate)) => bullmq::call_at_rate(url, jobs, rate).await?,
                (Peer::Apalis, None) => apalis::call(url, jobs).await?,
                (Peer::Apalis, Some(rate)) => apalis::call_at_rate(url, jobs, rate).await?,
            };
            print(&json!({ "ms": times }));
        }
        Role::Left { peer } => print(&match peer {
            Peer::Bullmq => bullmq::left(url).await?,
            Peer::Apalis => apalis::left(url).await?,
        }),
        Role::Spawn { .. } => unreachable!("it was run without a runtime"),
    }
    Ok(())
}

fn print(result: &Value) {
    println!("{result}");
}

/// The payload of a job: its number, and dots up to the length of all.
fn payload(number: usize) -> String {
    format!("{number:08}{}", ".".repeat(PAYLOAD_BYTES - 8))
}

/// Waits until the worker is told to end.
async fn told_to_end() -> Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
