//! The host of native tests: the same calls, answered in memory, with everything to be seen.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    Cache, Commit, Ctx, FromPayload, HttpRequest, HttpResponse, Job, JobError, Level, NewJob,
    Payload, job,
};

mod cache;
mod host;

pub use host::Reservation;

/// When the jobs of tests are enqueued, in seconds since the Unix epoch: a fixed time, so that
/// tests can be repeated.
const ENQUEUED_AT: u64 = 1_767_225_600;

/// A host for native tests of jobs.
///
/// It has a clock that stands still until [`TestHost::advance`] moves it, an empty cache, no
/// configuration and no secrets. Clones are the same host. What a test wants to be otherwise, it
/// says with `with_…`; what a job did, it asks for afterwards. Grants and budgets are the daemon's
/// and not checked here, but what is wrong with a call by itself is.
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// /// Says hello.
/// #[job]
/// fn greet(ctx: &Ctx, input: String) -> JobResult<String> {
///     let greeting = ctx.config("greeting").unwrap_or_else(|| "hello".to_owned());
///     ctx.progress(1, 1);
///     Ok(format!("{greeting}, {input}"))
/// }
///
/// let host = TestHost::new().with_config("greeting", "good morning");
/// assert_eq!(host.run::<greet>("Ada".to_owned()), Ok("good morning, Ada".to_owned()));
/// assert_eq!(host.progress().unwrap().done, 1);
/// ```
#[derive(Clone)]
pub struct TestHost {
    state: Arc<Mutex<State>>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

/// How far an attempt said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is done.
    pub done: u64,
    /// What there is to do, if that is known.
    pub total: Option<u64>,
    /// What it said besides.
    pub note: Option<String>,
}

/// All that the host knows and has seen.
struct State {
    job_id: String,
    queue: String,
    attempt: u32,
    max_attempts: u32,
    parent_id: Option<String>,
    headers: Vec<(String, String)>,
    config: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    /// Since the host was made.
    now: Duration,
    deadline: Duration,
    time_limit: Duration,
    cancelled: bool,
    level: Level,
    progress: Option<Progress>,
    checkpoint: Option<Payload>,
    log: Vec<LogLine>,
    enqueued: Vec<NewJob>,
    held: Vec<NewJob>,
    responses: BTreeMap<String, HttpResponse>,
    requests: Vec<HttpRequest>,
    cache: cache::Memory,
}

impl Default for TestHost {
    fn default() -> TestHost {
        let time_limit = Duration::from_secs(30);
        TestHost {
            state: Arc::new(Mutex::new(State {
                job_id: "00000000-0000-4000-8000-000000000001".to_owned(),
                queue: "default".to_owned(),
                attempt: 1,
                max_attempts: 5,
                parent_id: None,
                headers: Vec::new(),
                config: BTreeMap::new(),
                secrets: BTreeMap::new(),
                now: Duration::ZERO,
                deadline: time_limit,
                time_limit,
                cancelled: false,
                level: Level::Trace,
                progress: None,
                checkpoint: None,
                log: Vec::new(),
                enqueued: Vec::new(),
                held: Vec::new(),
                responses: BTreeMap::new(),
                requests: Vec::new(),
                cache: cache::Memory::default(),
            })),
        }
    }
}

/// What the host is like.
impl TestHost {
    /// A host with the daemon's defaults.
    pub fn new() -> TestHost {
        TestHost::default()
    }

    /// Sets the job's id.
    #[must_use]
    pub fn with_job_id(self, id: &str) -> TestHost {
        self.with(|state| state.job_id = id.to_owned())
    }

    /// Sets the queue that the job came from.
    #[must_use]
    pub fn with_queue(self, name: &str) -> TestHost {
        self.with(|state| state.queue = name.to_owned())
    }

    /// Sets which attempt it is.
    #[must_use]
    pub fn with_attempt(self, attempt: u32) -> TestHost {
        self.with(|state| state.attempt = attempt)
    }

    /// Sets how many failures end the job.
    #[must_use]
    pub fn with_max_attempts(self, attempts: u32) -> TestHost {
        self.with(|state| state.max_attempts = attempts)
    }

    /// Sets the job that enqueued this one.
    #[must_use]
    pub fn with_parent_id(self, id: &str) -> TestHost {
        self.with(|state| state.parent_id = Some(id.to_owned()))
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> TestHost {
        self.with(|state| state.headers.push((name.to_owned(), value.to_owned())))
    }

    /// Sets a configuration value.
    #[must_use]
    pub fn with_config(self, key: &str, value: &str) -> TestHost {
        self.with(|state| drop(state.config.insert(key.to_owned(), value.to_owned())))
    }

    /// Sets a secret. Others are denied.
    #[must_use]
    pub fn with_secret(self, name: &str, value: &str) -> TestHost {
        self.with(|state| drop(state.secrets.insert(name.to_owned(), value.to_owned())))
    }

    /// Sets what requests to this URL answer. Others are denied.
    #[must_use]
    pub fn with_response(self, url: &str, response: HttpResponse) -> TestHost {
        self.with(|state| drop(state.responses.insert(url.to_owned(), response)))
    }

    /// Sets how long an attempt may take, 30 s if not said. The clock stands still while a job
    /// runs, unless it waits for the cache or the test moves it.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> TestHost {
        self.with(|state| {
            state.time_limit = limit;
            state.deadline = state.now + limit;
        })
    }

    /// Sets the least level of log lines that are kept; trace if not said.
    #[must_use]
    pub fn with_log_level(self, level: Level) -> TestHost {
        self.with(|state| state.level = level)
    }

    fn with(self, change: impl FnOnce(&mut State)) -> TestHost {
        change(&mut self.state());
        self
    }
}

/// What a test does with it.
impl TestHost {
    /// Runs one attempt of a job.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// #[job]
    /// fn halve(input: u32) -> JobResult<u32> {
    ///     Ok(input / 2)
    /// }
    ///
    /// assert_eq!(TestHost::new().run::<halve>(8), Ok(4));
    /// ```
    pub fn run<J: Job>(&self, input: J::Input) -> Result<J::Output, JobError> {
        self.attempt(|ctx| J::run(ctx, input))
    }

    /// Runs one attempt of a job from payload to payload, as the daemon does.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # #[job]
    /// # fn halve(input: u32) -> JobResult<u32> {
    /// #     Ok(input / 2)
    /// # }
    /// let host = TestHost::new();
    /// let result = host.handle::<halve>(Payload::new("application/json", "8"));
    /// assert_eq!(result, Ok(Some(Payload::new("application/json", "4"))));
    ///
    /// let error = host.handle::<halve>(Payload::new("application/json", "-8")).unwrap_err();
    /// assert_eq!(error.code.as_deref(), Some("invalid-input"));
    /// ```
    pub fn handle<J: Job>(&self, input: Payload) -> Result<Option<Payload>, JobError> {
        self.attempt(|ctx| job::run::<J>(ctx, input))
    }

    /// The context of an attempt, for tests of what jobs are made of.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// fn quality(ctx: &Ctx) -> u32 {
    ///     ctx.config("quality").and_then(|text| text.parse().ok()).unwrap_or(80)
    /// }
    ///
    /// let host = TestHost::new().with_config("quality", "95");
    /// assert_eq!(quality(&host.ctx()), 95);
    /// ```
    pub fn ctx(&self) -> Ctx {
        Ctx::new(self.clone())
    }

    /// Moves the clock.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # use std::time::Duration;
    /// let host = TestHost::new();
    /// host.cache().set_with("session", "open", Duration::from_secs(60))?;
    /// host.advance(Duration::from_secs(60));
    /// assert!(!host.cache().exists("session")?);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn advance(&self, by: Duration) {
        self.state().now += by;
    }

    /// Asks for the job to be cancelled.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// #[job]
    /// fn count(ctx: &Ctx) -> JobResult<u32> {
    ///     Ok((0..100).take_while(|_| !ctx.cancelled()).count() as u32)
    /// }
    ///
    /// let host = TestHost::new();
    /// host.cancel();
    /// assert_eq!(host.run::<count>(()), Ok(0));
    /// ```
    pub fn cancel(&self) {
        self.state().cancelled = true;
    }

    /// One attempt: what it enqueues on success becomes real only then.
    fn attempt<T>(&self, run: impl FnOnce(&Ctx) -> Result<T, JobError>) -> Result<T, JobError> {
        {
            let mut state = self.state();
            state.held.clear();
            state.deadline = state.now + state.time_limit;
        }
        let result = run(&self.ctx());
        let mut state = self.state();
        let held = std::mem::take(&mut state.held);
        if result.is_ok() {
            state.enqueued.extend(held);
        }
        result
    }
}

/// What a test sees.
impl TestHost {
    /// All lines logged so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.state().log.clone()
    }

    /// What was last said of the progress.
    pub fn progress(&self) -> Option<Progress> {
        self.state().progress.clone()
    }

    /// The checkpoint that was saved last, read as a job's input is read.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// #[job]
    /// fn import(ctx: &Ctx) -> JobResult {
    ///     ctx.save_checkpoint(&17)?;
    ///     bail_retry!("connection lost")
    /// }
    ///
    /// let host = TestHost::new();
    /// host.run::<import>(()).unwrap_err();
    /// assert_eq!(host.checkpoint(), Ok(Some(17)));
    /// ```
    pub fn checkpoint<T: FromPayload>(&self) -> Result<Option<T>, JobError> {
        self.ctx().checkpoint()
    }

    /// The jobs enqueued so far: those enqueued at once, and those of attempts that succeeded.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// #[job]
    /// fn publish(ctx: &Ctx, input: bool) -> JobResult {
    ///     ctx.enqueue([NewJob::new("announce", &())?])?;
    ///     input.then_some(()).or_fatal("not ready")
    /// }
    ///
    /// let host = TestHost::new();
    /// host.run::<publish>(false).unwrap_err();
    /// assert_eq!(host.enqueued(), []);
    /// host.run::<publish>(true)?;
    /// assert_eq!(host.enqueued().len(), 1);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn enqueued(&self) -> Vec<NewJob> {
        self.state().enqueued.clone()
    }

    /// The requests sent so far, whatever they were answered.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.state().requests.clone()
    }

    /// The plugin's own part of the cache.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// let host = TestHost::new();
    /// host.cache().set("answer", &42)?;
    /// assert_eq!(host.ctx().cache().get("answer")?, Some(42));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn cache(&self) -> Cache<'_> {
        self.bucket("")
    }

    /// A shared part of the cache.
    pub fn bucket(&self, name: &str) -> Cache<'_> {
        Cache::new(self, name)
    }

    /// A test that panicked inside a job may still look at what the job did.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn enqueued_at() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(ENQUEUED_AT)
}

#[cfg(test)]
mod tests;
