//! How long a job is on its way: from when it is to be sent until its client has seen the result.
//!
//! At a rate, jobs are sent when their time has come, whatever became of those before, and their time
//! counts from then: a queue that falls behind shows as much.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, iter};

use gristmill::NewJob;
use gristmill::job::JobState;
use gristmill::job::time::monotonic;
use gristmill::queue::Queue;
use gristmill::queue::redis::gauge::Echo;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::super::error::Error;
use super::Args;
use super::crew::{Worker, close};
use super::drive::{anew, finish};
use super::figure::{LATENCY, RAW, Report, percentile};
use super::stage::{Settled, Stage, unusable};

/// Jobs of the measurement that sends one after another.
const SINGLES: usize = 2_000;
/// How long a client waits for a job before it gives the measurement up.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is told of the times, and its share of the jobs.
const SHARES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)];

/// When jobs are sent.
#[derive(Clone, Copy)]
enum Pace {
    OneByOne,
    /// So many a second.
    Rate(u32),
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneByOne => write!(f, "one job after another"),
            Self::Rate(rate) => write!(f, "{rate} jobs/s"),
        }
    }
}

/// What is on its way.
#[derive(Clone)]
enum Client {
    Job(Arc<dyn Queue>, Arc<NewJob>),
    /// A message, as a job's would be without a queue.
    Message(Arc<Echo>),
}

pub(super) async fn measure(stage: &Stage, args: &Args, report: &mut Report) -> Result<(), Error> {
    let rates = args.rates.iter().map(|&rate| Pace::Rate(rate));
    for pace in iter::once(Pace::OneByOne).chain(rates) {
        if let Some(gauge) = stage.gauge() {
            let echo = gauge.echo(stage.input_bytes()).await.map_err(unusable)?;
            let times = times(&Client::Message(Arc::new(echo)), pace, args.length).await?;
            tell(stage, report, &format!("{RAW} there and back, {pace}"), times);
        }
        let times = of_jobs(stage, pace, args.length).await?;
        tell(stage, report, &format!("{LATENCY}, {pace}"), times);
    }
    Ok(())
}

fn tell(stage: &Stage, report: &mut Report, name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    for (share_shown, share) in SHARES {
        report.add(
            stage.name(),
            &format!("{name}, {share_shown}"),
            "ms",
            percentile(&times, share),
        );
    }
}

async fn of_jobs(stage: &Stage, pace: Pace, length: Duration) -> Result<Vec<f64>, Error> {
    let queue = stage.queue().await?;
    let settled = Arc::new(Settled::default());
    let workers = stage.workers(&queue, 1, &settled).await?;
    workers.iter().for_each(Worker::start);
    let times =
        times(&Client::Job(Arc::clone(&queue), Arc::new(stage.job())), pace, length).await?;
    close(workers, &settled, &*queue, times.len()).await?;
    Ok(times)
}

async fn times(client: &Client, pace: Pace, length: Duration) -> Result<Vec<f64>, Error> {
    match pace {
        Pace::OneByOne => one_by_one(client.clone()).await,
        Pace::Rate(rate) => at_rate(client.clone(), rate, length).await,
    }
}

async fn one_by_one(client: Client) -> Result<Vec<f64>, Error> {
    let times = Handle::current().spawn(async move {
        let mut times = Vec::with_capacity(SINGLES);
        for _ in 0..SINGLES {
            times.push(client.way(monotonic()).await?);
        }
        Ok(times)
    });
    times.await.map_err(|panic| Error::Threads(panic.into()))?
}

async fn at_rate(client: Client, rate: u32, length: Duration) -> Result<Vec<f64>, Error> {
    let jobs = (f64::from(rate) * length.as_secs_f64()).ceil() as usize;
    let times = Arc::new(Mutex::new(Vec::with_capacity(jobs)));
    let (seen, runtime) = (Arc::clone(&times), Handle::current());
    // The runtime's own timers are late by up to a millisecond, which is more than most jobs take.
    let paced = tokio::task::spawn_blocking(move || {
        let (mut clients, begun) = (JoinSet::new(), monotonic());
        for number in 0..jobs {
            let due = begun + Duration::from_secs_f64(number as f64 / f64::from(rate));
            while let wait = due.saturating_duration_since(monotonic())
                && !wait.is_zero()
            {
                std::thread::park_timeout(wait);
            }
            let (client, seen) = (client.clone(), Arc::clone(&seen));
            let send = async move {
                let time = client.way(due).await?;
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(time);
                Ok(())
            };
            clients.spawn_on(send, &runtime);
        }
        clients
    });
    let clients = paced.await.map_err(|panic| Error::Threads(panic.into()))?;
    finish(clients).await?;
    Ok(std::mem::take(&mut times.lock().unwrap_or_else(PoisonError::into_inner)))
}

impl Client {
    /// Milliseconds from when a job was due until its result is here.
    async fn way(&self, due: Instant) -> Result<f64, Error> {
        match self {
            Self::Message(echo) => {
                let back = tokio::time::timeout(PATIENCE, echo.there_and_back()).await;
                let late =
                    |_| Error::Miscounted(format!("a message isn't back after {PATIENCE:?}"));
                back.map_err(late)?.map_err(unusable)?;
            }
            Self::Job(queue, job) => {
                let job = anew(job);
                let id = job.id;
                let ended = queue.run(job, PATIENCE).await?.1;
                if ended.is_none_or(|job| job.state != JobState::Completed) {
                    let message = format!("job {id} isn't completed after {PATIENCE:?}");
                    return Err(Error::Miscounted(message));
                }
            }
        }
        Ok(due.elapsed().as_secs_f64() * 1e3)
    }
}
