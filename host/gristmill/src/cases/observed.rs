//! What a case's attempt did.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_job::{
    BucketName, JobId, LogLine, NewJob, Outcome, Payload, Progress, Usage, Verdict,
};
use gristmill_queue::Queue;
use gristmill_runtime::{FollowUps, Note, Notes};

/// What a case's attempt did.
#[derive(Debug)]
pub struct Observed {
    /// What it came to.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// The jobs that it enqueued: those that went at once, then those that waited for its success.
    pub jobs: Vec<NewJob>,
    /// Its log.
    pub log: Vec<LogLine>,
    /// Its last progress.
    pub progress: Option<Progress>,
    /// The last checkpoint that it saved.
    pub checkpoint: Option<Payload>,
    /// What the cache held afterwards, under the keys that the case names.
    pub cache: Vec<(CacheKey, Option<Bytes>)>,
}

/// A key of the cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CacheKey {
    /// The bucket; the plugin's own part of the cache, if there is none.
    pub bucket: Option<BucketName>,
    /// The key in it.
    pub key: String,
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bucket {
            Some(bucket) => write!(f, "buckets.{bucket}.{}", self.key),
            None => write!(f, "cache.{}", self.key),
        }
    }
}

/// Takes what an attempt says while it runs.
#[derive(Default)]
pub(super) struct Noted(Mutex<Notebook>);

#[derive(Default)]
pub(super) struct Notebook {
    pub(super) log: Vec<LogLine>,
    pub(super) progress: Option<Progress>,
    pub(super) checkpoint: Option<Payload>,
}

impl Noted {
    pub(super) fn take(&self) -> Notebook {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Notes for Noted {
    fn note(&self, _job: JobId, _attempt: u32, note: Note) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match note {
            Note::Log(line) => book.log.push(line),
            Note::Progress(progress) => book.progress = Some(progress),
            Note::Checkpoint(checkpoint) => book.checkpoint = Some(checkpoint),
        }
    }
}

/// Enqueues jobs into a queue that nobody works on, and remembers those that it took.
pub(super) struct Recorder {
    queue: Arc<dyn Queue>,
    taken: Mutex<Vec<NewJob>>,
}

impl Recorder {
    pub(super) fn new(queue: Arc<dyn Queue>) -> Self {
        Self { queue, taken: Mutex::default() }
    }

    pub(super) fn take(&self) -> Vec<NewJob> {
        std::mem::take(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl FollowUps for Recorder {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> anyhow::Result<Vec<Verdict>> {
        let verdicts = self.queue.enqueue(jobs.clone()).await?;
        let taken = jobs.into_iter().zip(&verdicts);
        let taken = taken.filter(|(_, verdict)| **verdict == Verdict::Created).map(|(job, _)| job);
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
        Ok(verdicts)
    }
}
