//! What the HTTP API costs, beside a bare handler of the same framework on the same threads.
//!
//! `wrk` asks both in turn, several times over: for enqueueing a job, and for reading one. The queue is in
//! memory and nothing works on it, so that the API is measured and not the jobs. Each answer of another
//! kind than the expected one ends the measurement.

mod bare;
mod wrk;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_api::{Access, Desk, LOADS_MAX, bind, serve_with};
use gristmill_cache::MemoryCache;
use gristmill_job::{JobId, NewJob, Payload, PluginName, SystemClock};
use gristmill_queue::MemoryQueue;
use gristmill_runtime::{NoFollowUps, PluginStore, Runtime};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::wrk::{Figures, Wrk};

/// How often everybody is measured.
const ROUNDS: usize = 3;
/// How long each time.
const LENGTH: Duration = Duration::from_secs(3);
/// Any component does: no job of it runs.
const COMPONENT: &[u8] = include_bytes!("../../../gristmill/src/cli/bench/echo.wat");
/// The job that is enqueued, of 100 bytes of input.
const JOB: &str = r#"{"plugin":"echo","function":"echo","input":"....................................................................................................","content_type":"text/plain"}"#;

fn main() -> anyhow::Result<()> {
    // Cargo passes this to every benchmark; a test run only wants to see it compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

/// Queue and cache in memory, and the one plugin.
async fn a_desk(echo: PluginName) -> anyhow::Result<Desk> {
    let clock = Arc::new(SystemClock);
    let bounds = gristmill_cache::Config::default();
    let cache = Arc::new(MemoryCache::new(bounds.clone(), clock.clone()));
    let engine =
        gristmill_runtime::Config { slots: u32::try_from(LOADS_MAX)?, ..Default::default() };
    let runtime =
        Runtime::new(engine, cache.clone(), bounds, Arc::new(NoFollowUps), clock.clone())?;
    let plugins = Arc::new(PluginStore::new(runtime.clone(), None));
    plugins.insert(runtime.load(echo, Bytes::from_static(COMPONENT)).await?);
    let config = gristmill_queue::Config { waiting_items_max: u64::MAX, ..Default::default() };
    let queue = Arc::new(MemoryQueue::new(config, clock.clone()));
    Ok(Desk::new(queue, cache, plugins, runtime, Handle::current(), clock))
}

async fn run() -> anyhow::Result<()> {
    let echo = PluginName::new("echo")?;
    let desk = a_desk(echo.clone()).await?;
    let job = NewJob::new(echo, Payload::text("."));
    let id = job.id;
    desk.queue.enqueue(vec![job]).await?;
    let (ours, bare) = (bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    let servers = [bare.local_addr()?, ours.local_addr()?];

    let (draining, closing) = (CancellationToken::new(), CancellationToken::new());
    let measured = async {
        let measured = measure(&servers, id).await;
        closing.cancel();
        measured
    };
    let (served, served_bare, measured) = tokio::join!(
        serve_with(ours, desk, Access::default(), draining, closing.clone()),
        bare::serve(bare, closing.clone()),
        measured
    );
    served?;
    served_bare?;
    measured
}

async fn measure(servers: &[SocketAddr; 2], job: JobId) -> anyhow::Result<()> {
    let ways = [
        ("POST /v1/jobs", Wrk::post("/v1/jobs", JOB)?),
        ("GET /v1/jobs/{id}", Wrk::get(&format!("/v1/jobs/{job}"))),
    ];
    for (name, wrk) in ways {
        let mut figures: [Vec<Figures>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (figures, address) in figures.iter_mut().zip(servers) {
                figures.push(wrk.ask(*address, LENGTH).await?);
            }
        }
        let [bare, ours] = figures.map(wrk::median);
        line(&format!("{name:20} bare       {}", bare.shown()));
        let share = 100.0 * ours.rate / bare.rate;
        line(&format!("{name:20} gristmill  {}, {share:.0}% of bare", ours.shown()));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn line(text: &str) {
    println!("{text}");
}
