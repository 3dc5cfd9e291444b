//! bullmq-official: BullMQ's own port to Rust.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bullmq::options::RedisConnectionOptions;
use bullmq::types::RemoveOnFinish;
use bullmq::worker::{CancellationToken, WorkerEvent};
use bullmq::{
    BulkJob, Job, JobOptions, Queue, QueueEvent, QueueEvents, QueueEventsOptions, QueueOptions,
    Worker, WorkerOptions,
};
use serde_json::{Value, json};

use crate::tally::Tally;
use crate::{Enqueue, Work, clock, pace, payload, told_to_end, window};

const QUEUE: &str = "peers";
/// The job's name, which BullMQ wants beside its data.
const NAME: &str = "noop";
/// How long a worker that is told to end may take.
const CLOSE_MS: u64 = 5_000;

fn connection(url: &str) -> RedisConnectionOptions {
    RedisConnectionOptions { url: url.to_owned(), ..Default::default() }
}

async fn queue(url: &str) -> Result<Queue> {
    let default_job_options = JobOptions {
        remove_on_complete: Some(RemoveOnFinish::Bool(true)),
        ..JobOptions::default()
    };
    let options = QueueOptions {
        connection: connection(url),
        default_job_options,
        ..QueueOptions::default()
    };
    Ok(Queue::with_options(QUEUE, options).await?)
}

pub(crate) async fn enqueue(url: &str, how: &Enqueue) -> Result<Value> {
    let (queue, bulk) = (Arc::new(queue(url).await?), how.bulk > 1);
    let producer = || {
        let queue = Arc::clone(&queue);
        move |numbers: std::ops::Range<usize>| {
            let queue = Arc::clone(&queue);
            async move {
                if bulk {
                    let jobs = numbers.map(|number| BulkJob::new(NAME, payload(number))).collect();
                    queue.add_bulk(jobs).await?;
                } else {
                    queue.add(NAME, payload(numbers.start)).await?;
                }
                Ok(())
            }
        }
    };
    window::produce(how, producer).await
}

pub(crate) async fn work(url: &str, how: &Work, tally: Arc<Tally>) -> Result<()> {
    let runs = Arc::clone(&tally);
    let processor = move |job: Job, _: CancellationToken| {
        runs.ran(job.data().as_str().unwrap_or_default());
        async { Ok(Value::Null) }
    };
    let options = WorkerOptions {
        connection: connection(url),
        concurrency: how.concurrency,
        autorun: false,
        ..WorkerOptions::default()
    };
    let worker = Worker::with_options(QUEUE, processor, options).await?;
    tally.ready()?;
    worker.run().await?;
    let listen = async {
        while let Some(event) = worker.next_event().await {
            match event {
                WorkerEvent::Completed { .. } => tally.settled_one(),
                WorkerEvent::Failed { error, .. } | WorkerEvent::Error(error) => {
                    bail!("the worker failed: {error}")
                }
                _ => {}
            }
        }
        bail!("the worker ended by itself")
    };
    tokio::select! {
        ended = listen => ended?,
        ended = tally.keep_writing() => ended?,
        ended = told_to_end() => ended?,
    }
    worker.close(CLOSE_MS).await?;
    tally.write()
}

/// BullMQ has no call in Rust that waits for a job; the queue's events are what its other ports wait for.
pub(crate) async fn call(url: &str, jobs: usize) -> Result<Vec<f64>> {
    let (queue, events) = (queue(url).await?, events(url).await?);
    let mut times = Vec::with_capacity(jobs);
    for number in 0..jobs {
        let begun = clock::now();
        let job = queue.add(NAME, payload(number)).await?;
        while completed(&events).await? != job.id() {}
        times.push(clock::ms_since(begun));
    }
    events.close().await;
    Ok(times)
}

/// The same for jobs on their way together: when each is completed, the one reader of the events writes down.
pub(crate) async fn call_at_rate(url: &str, jobs: usize, rate: u32) -> Result<Vec<f64>> {
    let (queue, events) = (Arc::new(queue(url).await?), events(url).await?);
    let add = move |number, due| {
        let queue = Arc::clone(&queue);
        async move {
            let job = queue.add(NAME, payload(number)).await?;
            Ok((job.id().to_owned(), due, clock::now()))
        }
    };
    let completions = async {
        let mut completions = HashMap::with_capacity(jobs);
        while completions.len() < jobs {
            completions.insert(completed(&events).await?, clock::now());
        }
        Ok(completions)
    };
    let (added, completions) = tokio::try_join!(pace::at_rate(jobs, rate, add), completions)?;
    events.close().await;
    // A client knows the id by which it is told of its job only once that is added.
    let time = |(id, due, added): (String, u64, u64)| {
        let completed = completions.get(&id).with_context(|| format!("job {id} never ended"))?;
        Ok((added.max(*completed) - due) as f64 / 1e6)
    };
    added.into_iter().map(time).collect()
}

async fn events(url: &str) -> Result<QueueEvents> {
    let options = QueueEventsOptions {
        connection: connection(url),
        last_event_id: Some("0".to_owned()),
        ..QueueEventsOptions::default()
    };
    Ok(QueueEvents::with_options(QUEUE, options).await?)
}

/// The id of the next job that is completed.
async fn completed(events: &QueueEvents) -> Result<String> {
    while let Some(entry) = events.next_event().await {
        match entry.event {
            QueueEvent::Completed { job_id, .. } => return Ok(job_id),
            QueueEvent::Failed { job_id, failed_reason, .. } => {
                bail!("job {job_id} failed: {failed_reason}")
            }
            QueueEvent::Error { message } => bail!("no more events: {message}"),
            _ => {}
        }
    }
    bail!("the events ended before all jobs")
}

pub(crate) async fn left(url: &str) -> Result<Value> {
    let counts = queue(url).await?.get_job_counts().await?;
    let waiting = counts.waiting + counts.active + counts.delayed + counts.prioritized;
    Ok(json!({ "waiting": waiting, "failed": counts.failed }))
}
