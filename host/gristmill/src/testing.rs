//! A host for tests in Rust: memory back-ends, a clock that the test sets, and waits that end when
//! something has happened rather than after a while.
//!
//! ```
//! use std::time::Duration;
//!
//! use gristmill::job::{Start, StateName};
//! use gristmill::testing::Harness;
//! use gristmill::{Host, NewJob, Payload};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let harness = Harness::start(Host::builder()).await?;
//! // A plugin of its own; `Host::builder().plugins_dir(…)` has those of a folder.
//! let component = br#"(component
//!     (core module $m
//!         (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
//!     (core instance $i (instantiate $m))
//!     (func (export "double") (param "n" u32) (result u32)
//!         (canon lift (core func $i "double"))))"#;
//! harness.load("maths".parse()?, &component[..]).await?;
//!
//! let done = harness.run(NewJob::new("maths".parse()?, Payload::json(&21.into()))).await?;
//! assert_eq!(done.result, Some(Payload::json(&42.into())));
//!
//! // What is to run later runs when the test says so.
//! let mut later = NewJob::new("maths".parse()?, Payload::json(&1.into()));
//! later.start = Start::After(Duration::from_secs(3_600));
//! let waiting = harness.run(later).await?;
//! assert_eq!(waiting.state.name(), StateName::Scheduled);
//! harness.advance(Duration::from_secs(3_600)).await?;
//! harness.run_until_idle().await?;
//! let done = harness.job(waiting.spec.id).await?.ok_or("it is gone")?;
//! assert_eq!(done.state.name(), StateName::Completed);
//! harness.shutdown().await?;
//! # Ok(())
//! # }
//! ```

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{Config as CacheConfig, Key, Space};
use gristmill_job::{Clock as _, Job, JobId, ManualClock, NewJob, QueueName, Timestamp, WorkerId};
use gristmill_queue::{Cycle, Filter};
use gristmill_worker::{Event, Observer, Summary};
use tokio::sync::watch;

use crate::backends::CacheUrl;
use crate::error::Error as HostError;
use crate::host::{Host, HostBuilder};

/// When a harness's clock starts: 2026-01-01, so that no test depends on when it runs.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// How long a wait may take in real time: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// Events that are kept; a test that makes more waits for them as they come.
const EVENTS_MAX: usize = 100_000;
/// Turns of [`Harness::run_to_the_end`]: jobs that enqueue others for later may do so for ever.
const TURNS_MAX: usize = 10_000;
/// Jobs of one page of a listing.
const PAGE_ITEMS: usize = 256;

/// Why a test's wait ended without what it waited for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host couldn't do it.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Jobs still wait or run.
    #[error("after {PATIENCE:?}, {queued} jobs still wait and {running} run")]
    NotIdle {
        /// Ready to run.
        queued: u64,
        /// Running.
        running: u64,
    },
    /// It didn't happen.
    #[error("the event didn't happen within {PATIENCE:?}; the last one was {last}")]
    NoEvent {
        /// The last event of all.
        last: String,
    },
    /// There always is more to do later.
    #[error("after {TURNS_MAX} turns there still are jobs that wait for their time")]
    Endless,
    /// The job is no longer known.
    #[error("there is no job {0}")]
    UnknownJob(JobId),
}

impl From<gristmill_queue::Error> for Error {
    fn from(error: gristmill_queue::Error) -> Self {
        Self::Host(error.into())
    }
}

/// A host that a test drives. All that a [`Host`] can do, it can do too.
pub struct Harness {
    host: Host,
    clock: Arc<ManualClock>,
    journal: Arc<Journal>,
    queues: Vec<QueueName>,
}

impl Deref for Harness {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Harness {
    /// Builds the host that was put together so far, on memory alone and on a clock of the test's own,
    /// and starts it. Its plugins folder isn't followed, and what it was told of Redis, of a clock and
    /// of an observer is replaced.
    ///
    /// # Errors
    /// [`Error::Host`].
    pub async fn start(builder: HostBuilder) -> Result<Self, Error> {
        let clock = Arc::new(ManualClock::at(START));
        let journal = Arc::new(Journal::default());
        let queues = builder.served();
        let host = builder
            .without_redis()
            .cache_url(CacheUrl::Memory)
            .watch_plugins(false)
            .clock(Arc::clone(&clock) as _)
            .observer(Arc::clone(&journal))
            .build()
            .await?;
        host.start();
        Ok(Self { host, clock, journal, queues })
    }

    /// What time it is for the host.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass, and jobs whose time has come become ready. Time stands still by itself; the
    /// limits of running attempts are kept on the machine's own clock.
    ///
    /// # Errors
    /// [`Error::Host`].
    pub async fn advance(&self, duration: Duration) -> Result<(), Error> {
        self.clock.advance(duration);
        while self.next_due().await? == Some(Duration::ZERO) {}
        Ok(())
    }

    /// Promotes what is due, which wakes the worker, and answers when the next job is.
    async fn next_due(&self) -> Result<Option<Duration>, Error> {
        let mut next = None;
        for queue in &self.queues {
            // In the name of a worker that leases nothing. The host's own one reaps it when time passes.
            let mut look = Cycle::new(queue.clone(), WorkerId::random(), Duration::ZERO);
            let due = self.queue().cycle(&mut look).await?.next_due;
            next = [next, due].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// Enqueues a job, runs until nothing is left to do now, and answers the job as it is then: it may
    /// wait for its time, or for its next attempt.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn run(&self, job: NewJob) -> Result<Job, Error> {
        let id = self.enqueue(job).await?;
        self.run_until_idle().await?;
        self.job(id).await?.ok_or(Error::UnknownJob(id))
    }

    /// Waits until no job of the queues that are served is ready or running. Jobs whose time is ahead
    /// are left alone, and so are paused queues.
    ///
    /// # Errors
    /// [`Error::NotIdle`] after a minute; [`Error::Host`].
    pub async fn run_until_idle(&self) -> Result<(), Error> {
        let mut told = self.journal.told.subscribe();
        let deadline = tokio::time::sleep(PATIENCE);
        tokio::pin!(deadline);
        loop {
            told.mark_unchanged();
            let (queued, running) = self.busy().await?;
            if queued + running == 0 {
                return Ok(());
            }
            tokio::select! {
                // The sender lives as long as this harness.
                _ = told.changed() => {}
                () = &mut deadline => return Err(Error::NotIdle { queued, running }),
            }
        }
    }

    /// Runs everything, retries and delayed jobs too: lets time pass whenever nothing else is left.
    ///
    /// # Errors
    /// [`Error::Endless`], [`Error::NotIdle`], [`Error::Host`].
    pub async fn run_to_the_end(&self) -> Result<(), Error> {
        for _ in 0..TURNS_MAX {
            self.run_until_idle().await?;
            match self.next_due().await? {
                None => return Ok(()),
                Some(due) => self.advance(due).await?,
            }
        }
        Err(Error::Endless)
    }

    /// How many jobs are ready, and how many run.
    async fn busy(&self) -> Result<(u64, u64), Error> {
        let (mut queued, mut running) = (0, 0);
        for queue in &self.queues {
            let status = self.queue().status(queue).await?;
            running += status.counts.running;
            if !status.paused {
                queued += status.counts.queued;
            }
        }
        Ok((queued, running))
    }

    /// The next event that is wanted, of those after the last one that this answered.
    ///
    /// # Errors
    /// [`Error::NoEvent`] after a minute.
    pub async fn next(&self, wanted: impl Fn(&Event) -> bool) -> Result<Event, Error> {
        let mut told = self.journal.told.subscribe();
        let found = async {
            loop {
                told.mark_unchanged();
                if let Some(event) = self.journal.take(&wanted) {
                    return event;
                }
                // The sender lives as long as this harness.
                let _ = told.changed().await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(event) => Ok(event),
            Err(_) => {
                let last = self.events().pop();
                Err(Error::NoEvent { last: last.map_or_else(String::new, |e| format!("{e:?}")) })
            }
        }
    }

    /// What has happened so far, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.journal.pages().events.iter().cloned().collect()
    }

    /// The records of all jobs of all queues, in the order in which they were enqueued.
    ///
    /// # Errors
    /// [`Error::Host`].
    pub async fn jobs(&self) -> Result<Vec<Job>, Error> {
        let mut jobs = Vec::new();
        for queue in self.queue().queues().await? {
            let mut filter =
                Filter { queue, state: None, plugin: None, cursor: None, limit: PAGE_ITEMS };
            loop {
                let page = self.queue().list(&filter).await?;
                jobs.extend(page.jobs);
                filter.cursor = page.cursor;
                if filter.cursor.is_none() {
                    break;
                }
            }
        }
        // Each queue lists its newest first.
        jobs.reverse();
        jobs.sort_by_key(|job| job.enqueued_at);
        Ok(jobs)
    }

    /// What the cache holds under a key of this space, such as `plugin:echo` or `bucket:rates`.
    ///
    /// # Errors
    /// [`Error::Host`]: the key can't be one.
    pub async fn cached(&self, space: &Space, key: &str) -> Result<Option<Bytes>, Error> {
        let unavailable = |error: gristmill_cache::Error| HostError::CacheUse(error);
        let key = Key::new(key, &CacheConfig::default()).map_err(unavailable)?;
        Ok(self.cache().get(space, &key).await.map_err(unavailable)?)
    }

    /// Stops the host as [`Host::shutdown`] does.
    ///
    /// # Errors
    /// [`Error::Host`].
    pub async fn shutdown(self) -> Result<Summary, Error> {
        Ok(self.host.shutdown().await?)
    }
}

/// Keeps events for a test.
struct Journal {
    pages: Mutex<Pages>,
    told: watch::Sender<u64>,
}

#[derive(Default)]
struct Pages {
    events: VecDeque<Event>,
    /// How many of the oldest were taken or passed over.
    read: usize,
}

impl Default for Journal {
    fn default() -> Self {
        Self { pages: Mutex::default(), told: watch::Sender::new(0) }
    }
}

impl Journal {
    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next event that is wanted; those before it are passed over.
    fn take(&self, wanted: impl Fn(&Event) -> bool) -> Option<Event> {
        let mut pages = self.pages();
        let at = pages.events.iter().skip(pages.read).position(wanted)?;
        let at = pages.read + at;
        pages.read = at + 1;
        pages.events.get(at).cloned()
    }
}

impl Observer for Journal {
    fn observe(&self, event: &Event) {
        let mut pages = self.pages();
        if pages.events.len() == EVENTS_MAX {
            pages.events.pop_front();
            pages.read = pages.read.saturating_sub(1);
        }
        pages.events.push_back(event.clone());
        drop(pages);
        self.told.send_modify(|count| *count += 1);
    }
}
