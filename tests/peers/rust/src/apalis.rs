//! apalis with its back-end on Redis.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use apalis::prelude::{
    BackendExt as _, ParallelizeExt as _, TaskBuilder, TaskId, TaskSink as _,
    WaitForCompletion as _, WorkerBuilder, WorkerContext,
};
use apalis_redis::{Config, ConnectionManager, RedisStorage};
use redis::AsyncCommands as _;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::tally::Tally;
use crate::{Enqueue, Work, clock, pace, payload, told_to_end, window};

const QUEUE: &str = "peers";
/// How often the queue is asked how many jobs are done, since its worker tells of a job before that.
const COUNT_INTERVAL: Duration = Duration::from_millis(2);
/// How often the client asks for its job: apalis's own wait asks ten times a second.
const ASK_INTERVAL: Duration = Duration::from_millis(1);
/// How long a client waits for its job.
const PATIENCE: Duration = Duration::from_secs(30);

/// Locks are for jobs that take longer than a heartbeat, says the manual, and events for those who listen.
fn config() -> Config {
    Config::default().queue(QUEUE).lock_tasks(false).emit_events(false)
}

async fn storage(url: &str, config: Config) -> Result<RedisStorage<String>> {
    let connection = apalis_redis::connect(url).await?;
    Ok(RedisStorage::new(connection).with_config(config))
}

pub(crate) async fn enqueue(url: &str, how: &Enqueue) -> Result<Value> {
    let (storage, bulk) = (storage(url, config()).await?, how.bulk > 1);
    let producer = || {
        let storage = storage.clone();
        move |numbers: std::ops::Range<usize>| {
            let mut storage = storage.clone();
            async move {
                if bulk {
                    storage.push_bulk(numbers.map(payload).collect()).await?;
                } else {
                    storage.push(payload(numbers.start)).await?;
                }
                Ok(())
            }
        }
    };
    window::produce(how, producer).await
}

pub(crate) async fn work(url: &str, how: &Work, tally: Arc<Tally>) -> Result<()> {
    let storage = storage(url, config().batch_size(how.concurrency)).await?;
    let counted = apalis_redis::connect(url).await?;
    let runs = Arc::clone(&tally);
    let handler = move |payload: String, _: WorkerContext| {
        runs.ran(&payload);
        async { Ok::<(), std::io::Error>(()) }
    };
    let runtime = Handle::current();
    let worker = WorkerBuilder::new(format!("peer-{}", std::process::id()))
        .backend(storage.poll_with_interval(Duration::from_millis(how.poll_ms)))
        .parallelize(move |attempt| runtime.spawn(attempt))
        .build(handler);
    tally.ready()?;
    tokio::select! {
        ended = worker.run() => bail!("the worker ended by itself: {ended:?}"),
        ended = count(counted, &tally) => ended?,
        ended = tally.keep_writing() => ended?,
        ended = told_to_end() => ended?,
    }
    tally.write()
}

async fn done(connection: &mut ConnectionManager) -> Result<usize> {
    Ok(connection.scard(config().done_jobs_set()).await?)
}

async fn count(mut connection: ConnectionManager, tally: &Tally) -> Result<()> {
    let mut ticks = tokio::time::interval(COUNT_INTERVAL);
    loop {
        ticks.tick().await;
        tally.settled_so_far(done(&mut connection).await?);
    }
}

pub(crate) async fn call(url: &str, jobs: usize) -> Result<Vec<f64>> {
    let mut storage = storage(url, config()).await?;
    let mut times = Vec::with_capacity(jobs);
    for number in 0..jobs {
        let begun = clock::now();
        run(&mut storage, number).await?;
        times.push(clock::ms_since(begun));
    }
    Ok(times)
}

pub(crate) async fn call_at_rate(url: &str, jobs: usize, rate: u32) -> Result<Vec<f64>> {
    let storage = storage(url, config()).await?;
    let call = move |number, due| {
        let mut storage = storage.clone();
        async move {
            run(&mut storage, number).await?;
            Ok(clock::ms_since(due))
        }
    };
    pace::at_rate(jobs, rate, call).await
}

async fn run(storage: &mut RedisStorage<String>, number: usize) -> Result<()> {
    let id = TaskId::from_int(number as u64 + 1);
    storage.push_task(TaskBuilder::new(payload(number)).task_id(id.clone()).build()).await?;
    let wait = tokio::time::timeout(PATIENCE, completed(storage, &id)).await;
    wait.with_context(|| format!("job {number} has no result after {PATIENCE:?}"))?
}

async fn completed(storage: &mut RedisStorage<String>, id: &TaskId) -> Result<()> {
    loop {
        let results = storage.check_status([id.clone()]).await?;
        let results: Vec<apalis::prelude::TaskResult<()>> = results;
        if let Some(result) = results.into_iter().next() {
            return result.result.map_err(|error| anyhow!("job {id} failed: {error}"));
        }
        tokio::time::sleep(ASK_INTERVAL).await;
    }
}

pub(crate) async fn left(url: &str) -> Result<Value> {
    let (config, mut connection) = (config(), apalis_redis::connect(url).await?);
    let queued: usize = connection.llen(config.active_jobs_list()).await?;
    let due: usize = connection.zcard(config.scheduled_jobs_set()).await?;
    let dead: usize = connection.scard(config.dead_jobs_set()).await?;
    let all: usize = connection.hlen(config.job_data_hash()).await?;
    let in_flight = all.saturating_sub(queued + due + dead + done(&mut connection).await?);
    Ok(json!({ "waiting": queued + due + in_flight, "failed": dead }))
}
