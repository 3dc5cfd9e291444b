//! How many jobs a second are taken over, worked off, or both at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill::job::time::monotonic;
use gristmill::queue::Queue;
use gristmill::queue::redis::gauge::Work;
use gristmill::{NewJob, Verdict};
use tokio::task::JoinSet;

use super::super::error::Error;
use super::crew::{Worker, close};
use super::figure::{RAW, Report};
use super::stage::{Settled, Stage, unusable};

/// Jobs in one batch.
const BATCH: usize = 256;
/// Batches on their way at one time.
const BATCHES: usize = 8;
/// Producers that enqueue one by one.
const PRODUCERS: [usize; 3] = [1, 32, 256];
/// Jobs on their way where enqueueing and working go on together, so that the queue isn't measured as
/// a store.
const WINDOW: usize = 8_192;

/// A server frees what was removed in a thread of its own: its memory is taken once so many readings in a
/// row, so far apart, were no lower than the one before.
const STEADY_READINGS: usize = 5;
const READING_INTERVAL: Duration = Duration::from_millis(20);
/// Readings after which a server whose memory goes on falling is taken as it is: others use it, too.
const READINGS_MAX: usize = 500;

/// Measures one stage, once.
pub(super) struct Drive<'a> {
    stage: &'a Stage,
    jobs: usize,
    report: &'a mut Report,
}

impl<'a> Drive<'a> {
    pub(super) fn new(stage: &'a Stage, jobs: usize, report: &'a mut Report) -> Self {
        Self { stage, jobs, report }
    }

    /// What the server gives at most.
    pub(super) async fn raw(&mut self) -> Result<(), Error> {
        if let Some(gauge) = self.stage.gauge() {
            let sets = gauge.sets(self.jobs, self.stage.input_bytes()).await;
            let rate = sets.map_err(unusable)?;
            self.add(&format!("{RAW} SET of the input, 64 in a pipeline"), rate);
            self.stage.clear().await?;
        }
        Ok(())
    }

    pub(super) async fn enqueue(&mut self) -> Result<(), Error> {
        for producers in PRODUCERS {
            let jobs = if producers == 1 { self.jobs / 10 } else { self.jobs };
            let queue = self.stage.queue().await?;
            let begun = monotonic();
            self.enqueue_singly(&queue, jobs, producers).await?;
            self.add(&format!("enqueue one by one, {producers} at a time"), rate(jobs, begun));
        }
        let queue = self.stage.queue().await?;
        let before = self.memory().await?;
        let begun = monotonic();
        self.enqueue_all(&queue, self.jobs).await?;
        self.add("enqueue by 256", rate(self.jobs, begun));
        if let Some(grown) = self.memory().await?.zip(before).map(|(after, before)| after - before)
        {
            self.note("memory of a waiting job", "bytes", grown / self.jobs as f64);
        }
        Ok(())
    }

    async fn enqueue_singly(
        &self,
        queue: &Arc<dyn Queue>,
        jobs: usize,
        producers: usize,
    ) -> Result<(), Error> {
        let mut tasks = JoinSet::new();
        for producer in 0..producers {
            let share = jobs / producers + usize::from(producer < jobs % producers);
            let (queue, job) = (Arc::clone(queue), self.stage.job());
            tasks.spawn(async move {
                for _ in 0..share {
                    enqueue(&*queue, vec![anew(&job)]).await?;
                }
                Ok(())
            });
        }
        finish(tasks).await
    }

    async fn enqueue_all(&self, queue: &Arc<dyn Queue>, jobs: usize) -> Result<(), Error> {
        let mut tasks = JoinSet::new();
        for task in 0..BATCHES {
            let share = jobs / BATCHES + usize::from(task < jobs % BATCHES);
            let (queue, job) = (Arc::clone(queue), self.stage.job());
            tasks.spawn(async move {
                let mut left = share;
                while left > 0 {
                    let batch = left.min(BATCH);
                    enqueue(&*queue, (0..batch).map(|_| anew(&job)).collect()).await?;
                    left -= batch;
                }
                Ok(())
            });
        }
        finish(tasks).await
    }

    /// Works off jobs that wait already.
    pub(super) async fn drain(&mut self, workers: u32) -> Result<(), Error> {
        let queue = self.stage.queue().await?;
        self.enqueue_all(&queue, self.jobs).await?;
        let settled = Arc::new(Settled::default());
        let crew = self.stage.workers(&queue, workers, &settled).await?;
        let before = self.work().await?;
        let begun = monotonic();
        crew.iter().for_each(Worker::start);
        settled.reach(self.jobs).await;
        self.add(&format!("drain, {}", workers_shown(workers)), rate(self.jobs, begun));
        if let Some((after, before)) = self.work().await?.zip(before) {
            let jobs = self.jobs as f64;
            let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / jobs;
            let name = workers_shown(workers);
            self.note(&format!("server's processor for a drained job, {name}"), "µs", cpu);
            let commands = (after.commands - before.commands) / jobs;
            self.note(&format!("commands for a drained job, {name}"), "", commands);
            let bytes = (after.bytes - before.bytes) / jobs;
            self.note(&format!("bytes on the wire for a drained job, {name}"), "bytes", bytes);
        }
        close(crew, &settled, &*queue, self.jobs).await
    }

    /// Enqueues and works at once, from the first job to the end of the last.
    pub(super) async fn flow(&mut self, workers: u32) -> Result<(), Error> {
        let queue = self.stage.queue().await?;
        let settled = Arc::new(Settled::default());
        let crew = self.stage.workers(&queue, workers, &settled).await?;
        crew.iter().for_each(Worker::start);
        let job = self.stage.job();
        let begun = monotonic();
        let mut enqueued = 0;
        while enqueued < self.jobs {
            let room = WINDOW.saturating_sub(enqueued - settled.count());
            if room < BATCH {
                settled.reach(enqueued + BATCH - WINDOW).await;
                continue;
            }
            let batch = BATCH.min(self.jobs - enqueued);
            enqueue(&*queue, (0..batch).map(|_| anew(&job)).collect()).await?;
            enqueued += batch;
        }
        settled.reach(self.jobs).await;
        self.add(&format!("enqueue and drain, {}", workers_shown(workers)), rate(self.jobs, begun));
        close(crew, &settled, &*queue, self.jobs).await
    }

    /// The server's memory, once it has freed what was removed before.
    async fn memory(&self) -> Result<Option<f64>, Error> {
        let Some(gauge) = self.stage.gauge() else { return Ok(None) };
        let (mut last, mut steady) = (f64::INFINITY, 0);
        for _ in 0..READINGS_MAX {
            let reading = gauge.memory().await.map_err(unusable)?;
            steady = if reading < last { 0 } else { steady + 1 };
            last = reading;
            if steady == STEADY_READINGS {
                break;
            }
            tokio::time::sleep(READING_INTERVAL).await;
        }
        Ok(Some(last))
    }

    async fn work(&self) -> Result<Option<Work>, Error> {
        match self.stage.gauge() {
            Some(gauge) => Ok(Some(gauge.work().await.map_err(unusable)?)),
            None => Ok(None),
        }
    }

    fn add(&mut self, name: &str, rate: f64) {
        self.note(name, "/s", rate);
    }

    fn note(&mut self, name: &str, unit: &'static str, value: f64) {
        self.report.add(self.stage.name(), name, unit, value);
    }
}

/// A job like this one, under an id of its own.
pub(super) fn anew(job: &NewJob) -> NewJob {
    NewJob { id: gristmill::JobId::random(), ..job.clone() }
}

pub(super) async fn enqueue(queue: &dyn Queue, jobs: Vec<NewJob>) -> Result<(), Error> {
    let verdicts = queue.enqueue(jobs).await?;
    match verdicts.iter().find(|verdict| **verdict != Verdict::Created) {
        None => Ok(()),
        Some(verdict) => Err(Error::Miscounted(format!("a new job was answered {verdict:?}"))),
    }
}

/// Waits for all tasks; the first that fails ends the others.
pub(super) async fn finish(mut tasks: JoinSet<Result<(), Error>>) -> Result<(), Error> {
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Error::Threads(error.into()))??;
    }
    Ok(())
}

fn rate(jobs: usize, begun: Instant) -> f64 {
    jobs as f64 / begun.elapsed().as_secs_f64()
}

fn workers_shown(count: u32) -> String {
    if count == 1 { "1 worker".to_owned() } else { format!("{count} workers") }
}
