//! How long a job is on its way: from when it is to be sent until its client has seen the result.
//!
//! At a rate, jobs are sent when their time has come, whatever became of those before, and their time
//! counts from then: a queue that falls behind shows as much.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gristmill::NewJob;
use gristmill::job::JobState;
use gristmill::job::time::monotonic;
use gristmill::queue::Queue;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::super::error::Error;
use super::Args;
use super::crew::{Worker, close};
use super::drive::{anew, finish};
use super::figure::{Report, percentile};
use super::stage::{Settled, Stage};

/// Jobs of the measurement that sends one after another.
const SINGLES: usize = 2_000;
/// How long a client waits for a job before it gives the measurement up.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is told of the times, and its share of the jobs.
const SHARES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)];

pub(super) async fn measure(stage: &Stage, args: &Args, report: &mut Report) -> Result<(), Error> {
    let times = one_by_one(stage).await?;
    tell(stage, report, "one job after another", times);
    for rate in &args.rates {
        let times = at_rate(stage, *rate, args.length).await?;
        tell(stage, report, &format!("{rate} jobs/s"), times);
    }
    Ok(())
}

fn tell(stage: &Stage, report: &mut Report, name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    for (share_shown, share) in SHARES {
        let name = format!("latency, {name}, {share_shown}");
        report.add(stage.name(), &name, "ms", percentile(&times, share));
    }
}

async fn one_by_one(stage: &Stage) -> Result<Vec<f64>, Error> {
    let queue = stage.queue().await?;
    let settled = Arc::new(Settled::default());
    let workers = stage.workers(&queue, 1, &settled).await?;
    workers.iter().for_each(Worker::start);
    let (job, client) = (stage.job(), Arc::clone(&queue));
    let times = Handle::current().spawn(async move {
        let mut times = Vec::with_capacity(SINGLES);
        for _ in 0..SINGLES {
            times.push(way(&*client, anew(&job), monotonic()).await?);
        }
        Ok::<_, Error>(times)
    });
    let times = times.await.map_err(|panic| Error::Threads(panic.into()))??;
    close(workers, &settled, &*queue, SINGLES).await?;
    Ok(times)
}

async fn at_rate(stage: &Stage, rate: u32, length: Duration) -> Result<Vec<f64>, Error> {
    let queue = stage.queue().await?;
    let settled = Arc::new(Settled::default());
    let workers = stage.workers(&queue, 1, &settled).await?;
    workers.iter().for_each(Worker::start);
    let job = stage.job();
    let jobs = (f64::from(rate) * length.as_secs_f64()).ceil() as usize;
    let times = Arc::new(Mutex::new(Vec::with_capacity(jobs)));
    let (client, seen, runtime) = (Arc::clone(&queue), Arc::clone(&times), Handle::current());
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
            let (queue, job, seen) = (Arc::clone(&client), anew(&job), Arc::clone(&seen));
            let send = async move {
                let time = way(&*queue, job, due).await?;
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(time);
                Ok(())
            };
            clients.spawn_on(send, &runtime);
        }
        clients
    });
    let clients = paced.await.map_err(|panic| Error::Threads(panic.into()))?;
    finish(clients).await?;
    close(workers, &settled, &*queue, jobs).await?;
    Ok(std::mem::take(&mut times.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Milliseconds from when a job was due until its result is here.
async fn way(queue: &dyn Queue, job: NewJob, due: Instant) -> Result<f64, Error> {
    let id = job.id;
    match queue.run(job, PATIENCE).await?.1 {
        Some(job) if job.state == JobState::Completed => Ok(due.elapsed().as_secs_f64() * 1e3),
        _ => Err(Error::Miscounted(format!("job {id} isn't completed after {PATIENCE:?}"))),
    }
}
