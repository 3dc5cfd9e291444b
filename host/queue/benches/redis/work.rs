//! The work that is measured.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gristmill_job::{
    Digest, JobId, NewJob, Payload, PluginName, QueueName, Usage, Verdict, WorkerId, time,
};
use gristmill_queue::{Changed, Cycle, Filter, Held, Leased, Queue, RedisQueue, Settlement};
use gristmill_test_redis::RedisServer;
use redis::aio::MultiplexedConnection;

use crate::report::Figures;

pub(crate) struct Bench {
    queue: Arc<RedisQueue>,
    connection: MultiplexedConnection,
}

impl Bench {
    pub(crate) async fn new(server: &RedisServer, queue: Arc<RedisQueue>) -> Self {
        let client = redis::Client::open(server.url()).expect("a client");
        let connection = client.get_multiplexed_async_connection().await.expect("a connection");
        Self { queue, connection }
    }

    /// What the server gives at most: plain commands on the same bytes.
    pub(crate) async fn raw(&self, jobs: usize) -> Figures {
        let value = [b'.'; 100];
        let mut connection = self.connection.clone();
        self.measured(jobs, async {
            for batch in 0..jobs / 64 {
                let mut pipe = redis::pipe();
                for i in 0..64 {
                    pipe.cmd("SET").arg(batch * 64 + i).arg(&value).ignore();
                }
                pipe.query_async::<()>(&mut connection).await.expect("an answer");
            }
        })
        .await
    }

    pub(crate) async fn enqueue(&self, jobs: usize, batch: usize) -> Figures {
        self.measured(jobs, async {
            for _ in 0..jobs / batch {
                let batch = (0..batch).map(|_| a_job()).collect();
                let verdicts = self.queue.enqueue(batch).await.expect("verdicts");
                assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Created));
            }
        })
        .await
    }

    pub(crate) async fn enqueue_singly(&self, jobs: usize, producers: usize) -> Figures {
        self.measured(jobs, async {
            join_all((0..producers).map(|_| async {
                for _ in 0..jobs / producers {
                    self.queue.enqueue(vec![a_job()]).await.expect("a verdict");
                }
            }))
            .await;
        })
        .await
    }

    /// Leases and settles until so many jobs are completed, each exactly once.
    pub(crate) async fn drain(&self, jobs: usize, batch: usize) -> Figures {
        self.measured(jobs, async {
            let worker = WorkerId::random();
            let mut held: Vec<Held> = Vec::new();
            let mut completed = 0;
            while completed < jobs {
                let mut cycle = a_cycle(worker, batch);
                cycle.settlements = held.drain(..).map(complete).collect();
                completed += cycle.settlements.len();
                let reply = self.queue.cycle(&mut cycle).await.expect("a reply");
                held.extend(reply.jobs.iter().map(Leased::held));
                assert!(!held.is_empty() || completed >= jobs || reply.jobs.is_empty());
                if reply.jobs.is_empty() && held.is_empty() {
                    break;
                }
            }
        })
        .await
    }

    /// Completes whatever waits.
    pub(crate) async fn empty(&self) {
        self.drain(usize::MAX, 256).await;
    }

    /// Lets so many jobs wait, and answers how many bytes each takes.
    pub(crate) async fn fill(&self, jobs: usize) -> u64 {
        let before = self.used_memory().await;
        self.enqueue(jobs, 250).await;
        (self.used_memory().await - before) / jobs as u64
    }

    pub(crate) async fn cancel(&self, jobs: usize) -> Figures {
        let batch: Vec<NewJob> = (0..jobs).map(|_| a_job()).collect();
        let ids: Vec<JobId> = batch.iter().map(|job| job.id).collect();
        for batch in batch.chunks(250) {
            self.queue.enqueue(batch.to_vec()).await.expect("verdicts");
        }
        self.measured(jobs, async {
            for id in &ids {
                let changed = self.queue.cancel(*id).await.expect("an answer");
                assert!(matches!(changed, Changed::Done(_)));
            }
        })
        .await
    }

    pub(crate) async fn list(&self, pages: usize) -> Figures {
        let mut filter = Filter {
            queue: QueueName::default(),
            state: None,
            plugin: None,
            cursor: None,
            limit: 100,
        };
        self.measured(pages, async {
            for _ in 0..pages {
                let page = self.queue.list(&filter).await.expect("a page");
                filter.cursor = page.cursor;
            }
        })
        .await
    }

    /// The longest script since the server's start, by its own log of what was slow.
    pub(crate) async fn longest_script(&self) -> u64 {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("SLOWLOG");
        command.arg("GET").arg(100);
        let log = command.query_async::<redis::Value>(&mut connection).await.expect("a log");
        let redis::Value::Array(entries) = log else { return 0 };
        let micros = entries.iter().filter_map(|entry| match entry {
            redis::Value::Array(parts) => match parts.get(2) {
                Some(redis::Value::Int(micros)) => u64::try_from(*micros).ok(),
                _ => None,
            },
            _ => None,
        });
        micros.max().unwrap_or(0)
    }

    /// What an idle worker costs: a cycle a second and the wait between them.
    pub(crate) async fn idle_requests(&self) -> u64 {
        self.empty().await;
        let worker = WorkerId::random();
        let begun = time::monotonic();
        let figures = self
            .measured(1, async {
                while time::monotonic().saturating_duration_since(begun) < Duration::from_secs(10) {
                    self.queue.cycle(&mut a_cycle(worker, 8)).await.expect("a reply");
                    let queues = [QueueName::default()];
                    let woken = self.queue.wake(worker, &queues);
                    let _ = tokio::time::timeout(Duration::from_secs(1), woken).await;
                }
            })
            .await;
        figures.requests
    }

    async fn measured(&self, jobs: usize, work: impl Future<Output = ()>) -> Figures {
        let (calls_before, cpu_before) = (self.counters().await, self.cpu_time().await);
        let begun = time::monotonic();
        work.await;
        let took = time::monotonic().saturating_duration_since(begun);
        let (calls, cpu) = (self.counters().await, self.cpu_time().await - cpu_before);
        let grown = |name: &str| {
            let before = calls_before.get(name).copied().unwrap_or_default();
            calls.get(name).copied().unwrap_or_default() - before
        };
        let all: u64 = calls.keys().map(|name| grown(name)).sum();
        // Where there are no scripts, clients send everything. Else what they send beside them is
        // counted among the inner calls; it is next to nothing.
        let requests = match grown("evalsha") {
            0 => all,
            scripts => scripts,
        };
        Figures { jobs, took, cpu, requests, inner: all - requests }
    }

    /// The calls of each command so far, by the server's own count.
    async fn counters(&self) -> HashMap<String, u64> {
        let text = self.info("commandstats").await;
        let lines = text.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':'));
        let calls = |facts: &str| {
            facts.split(',').find_map(|fact| fact.strip_prefix("calls=")?.parse().ok())
        };
        lines.filter_map(|(name, facts)| Some((name.to_owned(), calls(facts)?))).collect()
    }

    /// The processor time of the server so far, which other processes can't stretch.
    async fn cpu_time(&self) -> Duration {
        let text = self.info("cpu").await;
        let seconds = |name: &str| -> f64 {
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            found.and_then(|number| number.trim().parse().ok()).unwrap_or(0.0)
        };
        Duration::from_secs_f64(seconds("used_cpu_user") + seconds("used_cpu_sys"))
    }

    async fn used_memory(&self) -> u64 {
        let text = self.info("memory").await;
        let found = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
        found.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    }

    async fn info(&self, section: &str) -> String {
        let mut connection = self.connection.clone();
        redis::cmd("INFO").arg(section).query_async(&mut connection).await.expect("an answer")
    }
}

fn a_job() -> NewJob {
    let plugin = PluginName::new("echo").expect("a name");
    NewJob::new(plugin, Payload::bytes(vec![b'.'; 100]))
}

fn a_cycle(worker: WorkerId, want: usize) -> Cycle {
    Cycle { want, ..Cycle::new(QueueName::default(), worker, Duration::from_secs(10)) }
}

fn complete(held: Held) -> Settlement {
    Settlement::Complete {
        held,
        digest: Digest::of(b""),
        result: Some(Payload::bytes(vec![b'.'; 100])),
        usage: Usage::default(),
        follow_ups: Vec::new(),
    }
}
