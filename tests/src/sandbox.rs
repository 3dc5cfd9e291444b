//! A runtime with memory back-ends, for tests that need no queue.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill_cache::{Cache as _, Key, Lookup, MemoryCache, Reservation};
use gristmill_job::{
    BucketName, FunctionName, JobId, LogLine, NewJob, Payload, PluginName, Progress, SystemClock,
};
use gristmill_runtime::{
    Access, Allocator, Attempt, Config, FollowUps, Grants, Limits, LoadError, Manifest,
    NoFollowUps, Note, Notes, Plugin, Report, Runtime, Stop,
};
use tokio::sync::Notify;

/// How long a test may hold a key: longer than any test takes.
const HELD_FOR: Duration = Duration::from_secs(100);

/// What attempts had to say.
#[derive(Default)]
pub struct Recorded {
    /// Lines of log.
    pub log: Mutex<Vec<LogLine>>,
    /// Progress.
    pub progress: Mutex<Vec<Progress>>,
    /// Checkpoints.
    pub checkpoints: Mutex<Vec<Payload>>,
    /// Told of every line of log.
    logged: Notify,
}

impl Recorded {
    /// The messages of the log.
    ///
    /// # Panics
    /// A test panicked while it wrote.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.log.lock().expect("no panic").iter().map(|line| line.message.clone()).collect()
    }

    /// Waits until so many lines of log have this message.
    pub async fn said(&self, message: &str, times: usize) {
        loop {
            let logged = self.logged.notified();
            if self.messages().iter().filter(|said| *said == message).count() >= times {
                return;
            }
            logged.await;
        }
    }
}

impl Notes for Recorded {
    fn note(&self, _job: JobId, _attempt: u32, note: Note) {
        match note {
            Note::Log(line) => {
                self.log.lock().expect("no panic").push(line);
                self.logged.notify_waiters();
            }
            Note::Progress(progress) => self.progress.lock().expect("no panic").push(progress),
            Note::Checkpoint(saved) => self.checkpoints.lock().expect("no panic").push(saved),
        }
    }
}

/// A runtime with a memory cache, and a record of what attempts had to say.
pub struct Sandbox {
    /// The runtime.
    pub runtime: Runtime,
    /// Its cache.
    pub cache: Arc<MemoryCache>,
    /// What attempts had to say.
    pub recorded: Arc<Recorded>,
}

impl Sandbox {
    /// With default limits: on a busy machine, nothing but what spins should run into its wall.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// With these limits.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, Arc::new(NoFollowUps))
    }

    /// With this allocator and room for so many attempts at a time.
    ///
    /// # Errors
    /// The allocator can't be had here.
    pub fn with_slots(allocator: Allocator, slots: u32) -> Result<Self, gristmill_runtime::Error> {
        let config = Config { slots, allocator: Some(allocator), ..Config::default() };
        Self::build(config, Arc::new(NoFollowUps))
    }

    /// With these limits, and somebody who takes follow-ups.
    ///
    /// # Panics
    /// The engine can't be set up.
    #[must_use]
    pub fn with(limits: Limits, follow_ups: Arc<dyn FollowUps>) -> Self {
        // A pool for each of many tests would reserve more address space than there is.
        let config = Config { slots: 4, limits, ..Config::default() };
        Self::build(config, follow_ups).expect("an engine")
    }

    /// With this configuration.
    ///
    /// # Panics
    /// The engine can't be set up.
    #[must_use]
    pub fn with_config(config: Config) -> Self {
        Self::build(config, Arc::new(NoFollowUps)).expect("an engine")
    }

    fn build(
        config: Config,
        follow_ups: Arc<dyn FollowUps>,
    ) -> Result<Self, gristmill_runtime::Error> {
        let clock = Arc::new(SystemClock);
        let cache_config = gristmill_cache::Config::default();
        let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
        let shared = Arc::clone(&cache) as _;
        let runtime = Runtime::new(config, shared, cache_config, follow_ups, clock)?;
        Ok(Self { runtime, cache, recorded: Arc::default() })
    }

    /// Loads a guest of `tests/guests`.
    ///
    /// # Panics
    /// It can't be loaded.
    pub async fn guest(&self, name: &str) -> Plugin {
        self.runtime.load_file(&crate::guest(name)).await.expect("the guest loads")
    }

    /// Loads a guest of `tests/guests` as a plugin of another name, with these grants.
    ///
    /// # Panics
    /// It can't be loaded.
    pub async fn guest_as(&self, guest: &str, name: &str, grants: Grants) -> Plugin {
        let manifest = Manifest { grants, ..Manifest::default() };
        self.load(guest, name, manifest).await.expect("the guest loads")
    }

    /// Loads a guest of `tests/guests` with the manifest of this text.
    ///
    /// # Errors
    /// [`LoadError`]: the two don't go together.
    ///
    /// # Panics
    /// The text is no manifest.
    pub async fn guest_with(&self, guest: &str, manifest: &str) -> Result<Plugin, LoadError> {
        let manifest = Manifest::parse(manifest.as_bytes(), self.runtime.limits_max());
        self.load(guest, guest, manifest.expect("a manifest")).await
    }

    async fn load(&self, guest: &str, name: &str, manifest: Manifest) -> Result<Plugin, LoadError> {
        let bytes = std::fs::read(crate::guest(guest)).expect("the guest");
        let name = PluginName::new(name).expect("a plugin name");
        self.runtime.load_with(name, bytes.into(), manifest).await
    }

    /// Runs the first attempt of a job on the guest of its plugin's name.
    pub async fn run(&self, job: NewJob) -> Report {
        let plugin = self.guest(job.plugin.as_str()).await;
        self.attempt(&plugin, job, 1, None).await
    }

    /// Runs one attempt of a job.
    ///
    /// # Panics
    /// The host is unwell.
    pub async fn attempt(
        &self,
        plugin: &Plugin,
        job: NewJob,
        number: u32,
        checkpoint: Option<Payload>,
    ) -> Report {
        let stop = Stop::new();
        let attempt = self.an_attempt(job, number, checkpoint, stop);
        self.runtime.run(plugin, attempt).await.expect("the host is well")
    }

    /// An attempt that can be cancelled from outside.
    #[must_use]
    pub fn an_attempt(
        &self,
        job: NewJob,
        number: u32,
        checkpoint: Option<Payload>,
        stop: Stop,
    ) -> Attempt {
        Attempt {
            job: Arc::new(job),
            number,
            enqueued_at: gristmill_job::Timestamp::from_millis(1_777_636_800_000),
            checkpoint,
            stop,
            notes: Arc::clone(&self.recorded) as _,
        }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

/// A job that calls a function of a plugin; an empty function name is left out.
///
/// # Panics
/// One of the names is no name.
#[must_use]
pub fn a_job(plugin: &str, function: &str, input: Payload) -> NewJob {
    let mut job = NewJob::new(PluginName::new(plugin).expect("a plugin name"), input);
    if !function.is_empty() {
        job.function = Some(FunctionName::new(function).expect("a function name"));
    }
    job
}

/// A grant of one bucket.
///
/// # Panics
/// The name is no name.
#[must_use]
pub fn a_grant(bucket: &str, access: Access) -> Grants {
    let bucket = BucketName::new(bucket).expect("a bucket name");
    Grants { cache: [(bucket, access)].into(), ..Grants::default() }
}

/// Reserves a missing key, so that whoever wants its value waits until it is released.
///
/// # Panics
/// The key isn't missing, or somebody else holds it.
pub async fn hold(cache: &MemoryCache, space: &str, key: &str) -> Reservation {
    let key = Key::new(key, &gristmill_cache::Config::default()).expect("a key");
    let space = space.parse().expect("a space");
    let held = cache.get_or_reserve(&space, &key, HELD_FOR, Duration::ZERO).await;
    let Ok(Lookup::Reserved(reservation)) = held else { panic!("nobody else holds it: {held:?}") };
    reservation
}
