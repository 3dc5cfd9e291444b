//! A worker over a plugins folder that is followed, and components to put there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill_cache::{Cache as _, Key, Lookup, MemoryCache, Reservation};
use gristmill_job::{Digest, Job, JobId, NewJob, Payload, PluginName, SystemClock, Verdict};
use gristmill_queue::{MemoryQueue, Queue as _};
use gristmill_runtime::{PluginStore, Runtime};
use gristmill_tests::a_job;
use gristmill_worker::{Config, Event, Observer, QueueFollowUps, Worker};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what should happen soon. Shorter than the pause between two looks at a
/// folder of which nothing was heard, so that what is noticed in time was heard of.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);

/// The smallest component that a job can call: it completes whatever it is asked for, with nothing.
const TINY: &str = r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) i32.const 1024))
  (core instance $i (instantiate $m))
  (type $payload' (record (field "content-type" string) (field "data" (list u8))))
  (export $payload "payload" (type $payload'))
  (type $disposition' (variant (case "retry") (case "retry-after" u64) (case "fatal")))
  (export $disposition "disposition" (type $disposition'))
  (type $failure' (record
    (field "message" string)
    (field "code" (option string))
    (field "detail" (option $payload))
    (field "disposition" $disposition)))
  (export $failure "failure" (type $failure'))
  (func $handle
    (param "function" string) (param "input" $payload)
    (result (result (option $payload) (error $failure)))
    (canon lift
      (core func $i "handle")
      (memory (core memory $i "memory"))
      (realloc (core func $i "realloc"))))
  (instance $handler
    (export "payload" (type $payload))
    (export "failure" (type $failure))
    (export "handle" (func $handle)))
  (export "gristmill:job/handler@0.1.0" (instance $handler)))
"#;

/// A version of the tiny component.
pub(super) fn tiny(version: u32) -> Vec<u8> {
    format!("{TINY};; version {version}\n").into_bytes()
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
        let key = Key::new("gate", &gristmill_cache::Config::default()).expect("a key");
        let space = "plugin:mill".parse().expect("a space");
        let gate = self.cache.get_or_reserve(&space, &key, PATIENCE * 4, Duration::ZERO).await;
        let Ok(Lookup::Reserved(gate)) = gate else { panic!("nobody else holds it: {gate:?}") };
        gate
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
