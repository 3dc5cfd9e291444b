//! Producers: they enqueue jobs of all kinds at a steady pace, and repeat what got no answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gristmill_job::{
    Backoff, BackoffKind, NewJob, Payload, RetryPolicy, Start, UniqueKey, Verdict, time,
};
use gristmill_queue::Queue;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::journal::Journal;

/// The guest that does what its caller wants.
pub(crate) const GUEST: &str = "moody";

/// The queue beside the default one.
pub(crate) const SECOND_QUEUE: &str = "second";

/// Unique keys that producers share.
pub(crate) const KEYS: usize = 5;

/// The wait before a request without an answer is sent again.
const AGAIN: Duration = Duration::from_millis(50);

/// How long a job is offered to a server before the run has failed: longer than any fault.
const OFFER_PATIENCE: Duration = Duration::from_secs(60);

/// One producer.
pub(crate) struct Producer {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) seed: u64,
    /// The time from one job to the next.
    pub(crate) pace: Duration,
}

impl Producer {
    /// Enqueues until it is told to stop; the last job is offered until it is answered.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let mut pace = tokio::time::interval(self.pace);
        // What a fault has held up isn't made up for: a burst is another kind of trouble.
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                _ = pace.tick() => {}
            }
            offer(&*self.queue, a_job(&mut rng)?, &self.journal).await?;
        }
    }
}

/// Offers a job until it is answered, and answers whether it was taken over.
pub(crate) async fn offer(
    queue: &dyn Queue,
    job: NewJob,
    journal: &Journal,
) -> anyhow::Result<bool> {
    let begun = time::monotonic();
    loop {
        let error = match queue.enqueue(vec![job.clone()]).await {
            Ok(verdicts) => {
                let verdict = verdicts.into_iter().next().context("a verdict for each job")?;
                return told(&job, &verdict, journal);
            }
            Err(error) => error,
        };
        journal.pages().answers.unknown += 1;
        if begun.elapsed() > OFFER_PATIENCE {
            return Err(error).context("a job found no taker");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn told(job: &NewJob, verdict: &Verdict, journal: &Journal) -> anyhow::Result<bool> {
    match verdict {
        Verdict::Created => journal.accept(job),
        Verdict::Duplicate => {
            journal.accept(job);
            journal.pages().answers.duplicates += 1;
        }
        Verdict::UniqueConflict(_) => {
            journal.pages().answers.conflicts += 1;
            return Ok(false);
        }
        Verdict::Rejected(rejection) => bail!("a job was refused: {rejection:?}"),
    }
    Ok(true)
}

/// A job that ends well at once.
pub(crate) fn a_plain_job(queue: &str) -> anyhow::Result<NewJob> {
    let mut job = call("well", Payload::none())?;
    job.queue = queue.parse()?;
    Ok(job)
}

/// A job that takes one of the shared unique keys, for a moment.
pub(crate) fn a_unique_job(key: usize) -> anyhow::Result<NewJob> {
    let mut job = call("slowly", Payload::json(&json!(20)))?;
    job.unique_key = Some(UniqueKey::new(&format!("key-{key}"))?);
    Ok(job)
}

/// A job that takes longer than any test waits for it.
pub(crate) fn a_long_job() -> anyhow::Result<NewJob> {
    call("slowly", Payload::json(&json!(20_000)))
}

fn call(function: &str, input: Payload) -> anyhow::Result<NewJob> {
    let mut job = NewJob::new(GUEST.parse()?, input);
    job.function = Some(function.parse()?);
    let base = Duration::from_millis(50);
    let backoff = Backoff { kind: BackoffKind::Fixed, base, max: base, jitter: 0.0 };
    job.retry = Some(RetryPolicy { attempts_max: 3, backoff, ..RetryPolicy::default() });
    Ok(job)
}

/// A job by chance: most end well, some take their time, some fail and are tried again.
fn a_job(rng: &mut SmallRng) -> anyhow::Result<NewJob> {
    let mut job = match rng.random_range(0..100) {
        0..45 => call("well", Payload::none())?,
        45..75 => call("slowly", Payload::json(&json!(rng.random_range(50..600))))?,
        75..87 => call("later", Payload::json(&json!(rng.random_range(1..4))))?,
        87..90 => call("never", Payload::none())?,
        90..92 => call("badly", Payload::none())?,
        _ => a_unique_job(rng.random_range(0..KEYS))?,
    };
    // A key is of one queue.
    if job.unique_key.is_none() && rng.random_bool(0.25) {
        job.queue = SECOND_QUEUE.parse()?;
    }
    if rng.random_bool(0.15) {
        job.start = Start::After(Duration::from_millis(rng.random_range(10..2_000)));
    }
    job.priority = rng.random_range(0_u8..4).try_into().map_err(anyhow::Error::msg)?;
    Ok(job)
}
