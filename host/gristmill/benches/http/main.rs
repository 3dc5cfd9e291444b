//! What the HTTP API costs, beside a bare handler of the same framework on the same threads.
//!
//! `wrk` asks both in turn, several times over: for enqueueing a job, and for reading one. The queue is in
//! memory and nothing works on it, so that the API is measured and not the jobs. Each answer of another
//! kind than the expected one ends the measurement.

mod bare;
mod wrk;

use std::time::Duration;

use gristmill::job::{NewJob, Payload, PluginName};
use gristmill::{Host, JobId};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::wrk::{Figures, Wrk};

/// How often everybody is measured.
const ROUNDS: usize = 3;
/// How long each time.
const LENGTH: Duration = Duration::from_secs(3);
/// Any component does: no job of it runs.
const COMPONENT: &str = include_str!("../../src/cli/bench/echo.wat");
/// The job that is enqueued, of 100 bytes of input.
const JOB: &str = r#"{"plugin":"echo","input":"....................................................................................................","content_type":"text/plain"}"#;

fn main() -> anyhow::Result<()> {
    // Cargo passes this to every benchmark; a test run only wants to see it compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let host = Host::builder().build().await?;
    let echo = PluginName::new("echo")?;
    host.load(echo.clone(), COMPONENT).await?;
    let job = host.enqueue(NewJob::new(echo, Payload::text("."))).await?;
    let ours = gristmill::bind("127.0.0.1:0").await?;
    let bare = TcpListener::bind("127.0.0.1:0").await?;
    let servers = [("bare", bare.local_addr()?), ("gristmill", ours.local_addr()?)];

    let closing = CancellationToken::new();
    let measured = async {
        let measured = measure(&servers, job).await;
        closing.cancel();
        measured
    };
    let (served, served_bare, measured) = tokio::join!(
        host.serve(ours, closing.clone()),
        bare::serve(bare, closing.clone()),
        measured
    );
    served?;
    served_bare?;
    host.shutdown().await?;
    measured
}

async fn measure(servers: &[(&str, std::net::SocketAddr); 2], job: JobId) -> anyhow::Result<()> {
    let ways = [
        ("POST /v1/jobs", Wrk::post("/v1/jobs", JOB)?),
        ("GET /v1/jobs/{id}", Wrk::get(&format!("/v1/jobs/{job}"))),
    ];
    for (name, wrk) in ways {
        let mut figures: [Vec<Figures>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (figures, (_, address)) in figures.iter_mut().zip(servers) {
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
