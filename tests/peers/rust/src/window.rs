//! Producers that stop for a while where too many of their jobs are on their way.

use std::fs::File;
use std::future::Future;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{Enqueue, clock};

/// How often the worker's file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// How many jobs were enqueued and how many run.
struct Window {
    jobs_max: usize,
    given: AtomicUsize,
    run: AtomicUsize,
}

impl Window {
    /// The numbers of the next jobs, at most `bulk`, once there is room for them; none: all are given.
    async fn next(&self, jobs: usize, bulk: usize) -> Option<std::ops::Range<usize>> {
        let first = self.given.fetch_add(bulk, Ordering::AcqRel);
        let end = jobs.min(first + bulk);
        if first >= end {
            return None;
        }
        while end.saturating_sub(self.run.load(Ordering::Acquire)) > self.jobs_max {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Some(first..end)
    }

    /// Follows what a worker writes, for as long as it is polled.
    async fn follow(&self, mut tally: File) -> Result<()> {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        let (mut grown, mut begins_line) = (Vec::new(), true);
        loop {
            ticks.tick().await;
            grown.clear();
            tally.read_to_end(&mut grown)?;
            let mut run = 0;
            for byte in &grown {
                run += usize::from(begins_line && *byte == b'r');
                begins_line = *byte == b'\n';
            }
            // The line `ready` begins with the same letter.
            self.run.fetch_add(run, Ordering::AcqRel);
        }
    }
}

/// Hands the numbers of all jobs to as many producers as `how` says, and tells how long they took.
pub(crate) async fn produce<P, F>(how: &Enqueue, producer: impl Fn() -> P) -> Result<Value>
where
    P: FnMut(std::ops::Range<usize>) -> F + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let jobs_max = how.window.unwrap_or(usize::MAX);
    let window = Arc::new(Window { jobs_max, given: 0.into(), run: 0.into() });
    let mut follower = JoinSet::new();
    if let Some(path) = how.tally.as_ref().filter(|_| how.window.is_some()) {
        let (window, tally) = (Arc::clone(&window), File::open(path)?);
        follower.spawn(async move { window.follow(tally).await });
    }
    let (jobs, bulk) = (how.jobs, how.bulk);
    let mut producers = JoinSet::new();
    let begun = clock::now();
    for _ in 0..how.at_once {
        let (window, mut put) = (Arc::clone(&window), producer());
        producers.spawn(async move {
            while let Some(numbers) = window.next(jobs, bulk).await {
                put(numbers).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = producers.join_next().await {
        ended??;
    }
    let seconds = clock::ms_since(begun) / 1e3;
    follower.shutdown().await;
    Ok(json!({ "began_ns": begun, "seconds": seconds }))
}
