//! A desk that is served, and a client of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gristmill_cache::MemoryCache;
use gristmill_job::{
    ErrorReport, JobId, NewJob, OutcomeKind, Payload, QueueName, SystemClock, Usage, WorkerId,
};
use gristmill_queue::{Config, Cycle, Leased, MemoryQueue, Queue, Settlement};
use gristmill_runtime::{NoFollowUps, PluginStore, Runtime};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::problem::Problem;
use crate::routes::Front;
use crate::{Access, Desk, LOADS_MAX, bind, serve_with};

/// A served desk. Its connections end with the test's async runtime.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) queue: Arc<dyn Queue>,
    pub(super) front: Front,
    pub(super) tasks: TaskTracker,
    /// Shown with every request.
    pub(super) token: Option<&'static str>,
    http: reqwest::Client,
}

/// A desk over the shipped plugins.
pub(super) fn desk(config: Config) -> Desk {
    let plugins_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins");
    assert!(plugins_dir.join("wordcount.wasm").exists(), "run `make plugins`");
    desk_over(config, plugins_dir)
}

/// A desk over the plugins of a folder.
pub(super) fn desk_over(config: Config, plugins_dir: PathBuf) -> Desk {
    let clock = Arc::new(SystemClock);
    let cache_config = gristmill_cache::Config::default();
    let cache = Arc::new(MemoryCache::new(cache_config.clone(), clock.clone()));
    let slots = u32::try_from(LOADS_MAX).unwrap();
    let allocator = Some(gristmill_runtime::Allocator::OnDemand);
    let engine = gristmill_runtime::Config { slots, allocator, ..Default::default() };
    let runtime =
        Runtime::new(engine, cache.clone(), cache_config, Arc::new(NoFollowUps), clock.clone())
            .unwrap();
    let plugins = Arc::new(PluginStore::new(runtime.clone(), Some(plugins_dir)));
    let queue = Arc::new(MemoryQueue::new(config, clock.clone()));
    Desk::new(queue, cache, plugins, runtime, Handle::current(), clock)
}

/// A client as browsers and scripts are.
pub(super) fn http() -> reqwest::Client {
    // The client wants one even where it never needs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(super) async fn with(config: Config) -> Self {
        Self::serving(desk(config), Access::default()).await
    }

    pub(super) async fn with_access(access: Access) -> Self {
        Self::serving(desk(Config::default()), access).await
    }

    pub(super) async fn serving(desk: Desk, access: Access) -> Self {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (draining, closing) = (CancellationToken::new(), CancellationToken::new());
        let (tasks, queue) = (TaskTracker::new(), Arc::clone(&desk.queue));
        let front = Front::new(desk.clone(), access.clone(), draining.clone(), closing.clone());
        let serving = serve_with(listener, desk, access, draining, closing);
        tasks.spawn(async { serving.await.unwrap() });
        let http = http();
        Self { url, queue, front, tasks, token: None, http }
    }

    fn showing(&self, request: RequestBuilder) -> RequestBuilder {
        match self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.showing(self.http.get(format!("{}{path}", self.url)))
    }

    pub(super) fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.showing(self.http.post(format!("{}/v1/jobs", self.url)));
        request.header("content-type", "application/json").body(body)
    }

    /// A request that changes something, as clients make it.
    pub(super) fn change(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.showing(self.http.request(method, format!("{}{path}", self.url)));
        request.header("content-type", "application/json")
    }

    /// A job in the queue that came in by another door.
    pub(super) async fn enqueued(&self) -> JobId {
        self.enqueued_with(|_| {}).await
    }

    pub(super) async fn enqueued_with(&self, change: impl FnOnce(&mut NewJob)) -> JobId {
        let mut job = NewJob::new("echo".parse().unwrap(), Payload::text("hi"));
        change(&mut job);
        let id = job.id;
        self.queue.enqueue(vec![job]).await.unwrap();
        id
    }

    /// Completes the next job with this result.
    pub(super) async fn complete(&self, result: Payload) {
        self.settle(|leased| Settlement::Complete {
            held: leased.held(),
            digest: gristmill_job::Digest::of(b"echo"),
            result: Some(result),
            usage: Usage::default(),
            follow_ups: Vec::new(),
        })
        .await;
    }

    /// Fails the next job for good.
    pub(super) async fn fail(&self) {
        self.settle(|leased| Settlement::Fail {
            held: leased.held(),
            digest: None,
            outcome: OutcomeKind::Failed,
            error: ErrorReport::new("broken", "it doesn't work"),
            usage: Usage::default(),
            retry: None,
        })
        .await;
    }

    async fn settle(&self, settlement: impl FnOnce(&Leased) -> Settlement) {
        let worker = WorkerId::random();
        let leased = self.lease(worker).await;
        self.turn(worker, |cycle| cycle.settlements.push(settlement(&leased))).await;
    }

    /// Leases the next job.
    pub(super) async fn lease(&self, worker: WorkerId) -> Leased {
        self.turn(worker, |cycle| cycle.want = 1).await.remove(0)
    }

    /// A worker's turn on the default queue.
    pub(super) async fn turn(
        &self,
        worker: WorkerId,
        change: impl FnOnce(&mut Cycle),
    ) -> Vec<Leased> {
        let cycle = Cycle::new(QueueName::default(), worker, Duration::from_secs(10));
        let mut cycle = Cycle { want_bytes: 1 << 20, ..cycle };
        change(&mut cycle);
        self.queue.cycle(&mut cycle).await.unwrap().jobs
    }
}

/// Sends a request and expects this status.
pub(super) async fn expect(request: RequestBuilder, status: u16) -> Response {
    let response = request.send().await.unwrap();
    let got = response.status();
    if got != StatusCode::from_u16(status).unwrap() {
        panic!("{got}: {}", response.text().await.unwrap());
    }
    response
}

/// Sends a request and expects JSON.
pub(super) async fn json(request: RequestBuilder, status: u16) -> Value {
    let response = expect(request, status).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().await.unwrap()
}

/// Sends a request and expects a problem.
pub(super) async fn problem(request: RequestBuilder, status: u16) -> Problem {
    let response = expect(request, status).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.title.is_empty() && !problem.detail.is_empty());
    problem
}
