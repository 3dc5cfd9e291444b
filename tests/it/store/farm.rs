//! A worker over a plugins folder that is followed, and components to put there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill_cache::{Cache as _, MemoryCache, Reservation};
use gristmill_job::{Digest, Job, JobId, NewJob, Payload, PluginName, SystemClock, Verdict};
use gristmill_queue::{MemoryQueue, Queue as _};
use gristmill_runtime::{PluginStore, Runtime};
use gristmill_tests::{a_job, framed, hold};
use gristmill_worker::{Config, Event, Observer, QueueFollowUps, Worker};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what should happen soon. Shorter than the pause between two looks at a
/// folder of which nothing was heard, so that what is noticed in time was heard of.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);

/// The middle of the smallest component that a job can call: it completes whatever it is asked for, with
/// nothing.
const TINY: &str = r#"
  (core module $Main
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $main (instantiate $Main))
"#;

/// A version of the tiny component.
pub(super) fn tiny(version: u32) -> Vec<u8> {
    format!("{};; version {version}\n", framed(TINY)).into_bytes()
}

/// The plugin that all of these tests put into the folder, in one version or another.
pub(super) fn mill() -> PluginName {
    PluginName::new("mill").expect("a plugin name")
}

/// A job of it.
pub(super) fn a_mill_job() -> NewJob {
    a_job("mill", "single_flight", Payload::text("x"))
}

/// Passes events on.
struct Listener(Mutex<mpsc::UnboundedSender<Event>>);

impl Observer for Listener {
    fn observe(&self, event: &Event) {
        // A test that waits for nothing more has dropped the other end.
        let _ = self.0.lock().expect("no panic").send(event.clone());
    }
}

/// A worker on the memory queue, over a plugins folder that is followed.
pub(super) struct Farm {
    top: TempDir,
    cache: Arc<MemoryCache>,
    queue: Arc<MemoryQueue>,
    pub(super) plugins: Arc<PluginStore>,
    events: mpsc::UnboundedReceiver<Event>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Farm {
    /// With this version of the plugin in its folder, followed.
    pub(super) async fn start(bytes: &[u8]) -> Self {
        let mut farm = Self::unwatched(bytes);
        farm.watch();
        farm.until(|plugins| plugins.loaded(&mill()).is_some()).await;
        farm
    }

    /// With this version of the plugin in its folder, which nobody follows.
    pub(super) fn unwatched(bytes: &[u8]) -> Self {
        let top = tempfile::tempdir().expect("a folder");
        let folder = top.path().join("plugins");
        std::fs::create_dir(&folder).expect("a folder");
        let clock = Arc::new(SystemClock);
        let cache_config = gristmill_cache::Config::default();
        let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
        let queue = Arc::new(MemoryQueue::new(Default::default(), Arc::clone(&clock) as _));
        let config = gristmill_runtime::Config { slots: 16, ..Default::default() };
        let follow_ups = Arc::new(QueueFollowUps::new(Arc::clone(&queue) as _));
        let runtime =
            Runtime::new(config, Arc::clone(&cache) as _, cache_config, follow_ups, clock)
                .expect("an engine");
        let plugins = Arc::new(PluginStore::new(runtime.clone(), Some(folder)));
        let (sender, events) = mpsc::unbounded_channel();
        let worker = Worker::new(
            Config { concurrency: 8, ..Config::default() },
            Arc::clone(&queue) as _,
            runtime,
            Arc::clone(&plugins),
            Arc::new(Listener(Mutex::new(sender))),
            tokio::runtime::Handle::current(),
        );
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let working = worker.run(stop.clone());
        tasks.spawn(async {
            working.await.expect("all is recorded");
        });
        let farm = Self { top, cache, queue, plugins, events, stop, tasks };
        farm.put("mill.wasm", bytes);
        farm
    }

    pub(super) fn watch(&mut self) {
        let (plugins, stop) = (Arc::clone(&self.plugins), self.stop.clone());
        self.tasks.spawn(async move { plugins.watch(stop).await });
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.top.path().join("plugins")
    }

    /// A place beside the folder, on the same file system.
    pub(super) fn beside(&self) -> PathBuf {
        self.top.path().join("beside")
    }

    /// Puts a file into the folder, in one step.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        put(&self.folder(), name, bytes);
    }

    /// Waits until the store says so.
    pub(super) async fn until(&self, is_so: impl Fn(&PluginStore) -> bool) {
        let mut changes = self.plugins.changes();
        let waiting = async {
            while !is_so(&self.plugins) {
                changes.changed().await.expect("the store is there");
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "it should have come to be so; {:?}", self.plugins.fault(&mill()));
    }

    /// Waits until this version serves, and there is nothing wrong.
    pub(super) async fn until_serving(&self, bytes: &[u8]) {
        let digest = Digest::of(bytes);
        self.until(|plugins| {
            plugins.loaded(&mill()).is_some_and(|plugin| plugin.digest() == digest)
                && plugins.fault(&mill()).is_none()
        })
        .await;
    }

    pub(super) async fn until_event(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let next = async {
            loop {
                let event = self.events.recv().await.expect("the worker goes on");
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the event comes")
    }

    pub(super) async fn enqueue(&self, job: NewJob) -> JobId {
        let id = job.id;
        let verdicts = self.queue.enqueue(vec![job]).await.expect("the queue is there");
        assert_eq!(verdicts, [Verdict::Created]);
        id
    }

    pub(super) async fn end_of(&self, id: JobId) -> Job {
        let job = self.queue.wait(id, PATIENCE).await.expect("the queue is there");
        let job = job.expect("the job is kept");
        assert!(job.state.is_final(), "{:?} {:?}", job.state, job.error);
        job
    }

    /// Runs a job to its end, and answers with the version that ran it.
    pub(super) async fn run(&self, job: NewJob) -> Option<Digest> {
        let id = self.enqueue(job).await;
        let job = self.end_of(id).await;
        assert_eq!(job.error, None);
        job.digest
    }

    /// Holds up every job of the guest `single-flight` until it is released.
    pub(super) async fn close_gate(&self) -> Reservation {
        hold(&self.cache, "plugin:mill", "gate").await
    }

    pub(super) async fn open_gate(&self, gate: Reservation) {
        self.cache.release(gate).await.expect("a cache");
    }

    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no panic");
        }
    }
}

/// The guest whose jobs wait at the gate.
pub(super) fn gated() -> Vec<u8> {
    std::fs::read(gristmill_tests::guest("single-flight")).expect("the guest")
}

/// Puts a file into a folder, in one step.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let part = folder.join(format!(".{name}.part"));
    std::fs::write(&part, bytes).expect("the file is written");
    std::fs::rename(part, folder.join(name)).expect("the file is put in its place");
}
