//! A queue with jobs in every state, whose time is moved by a key, to be damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gristmill_job::{JobId, JobState, NewJob, Payload, QueueName, Start, UniqueKey};
use gristmill_queue::redis::check::Checked;
use gristmill_queue::redis::{Options, ServerClock};
use gristmill_queue::{Changed, Config, Note, Queue as _, RedisQueue};
use gristmill_test_redis::RedisServer;
use redis::cmd;

use crate::support::{AWorker, Fixture, a_job, complete, fail, open};

/// When time begins.
const BEGIN: u64 = 1_777_636_800_000;
/// Until every job that waits for its time is due.
const LATER: Duration = Duration::from_secs(7_200);

/// A queue after a lively life.
pub(crate) struct Life<'a> {
    q: &'a Fixture,
    pub(crate) queued: JobId,
    /// It was tried before.
    pub(crate) retried: JobId,
    /// It has a unique key.
    pub(crate) unique: JobId,
    pub(crate) other_unique: JobId,
    pub(crate) scheduled: JobId,
    pub(crate) running: JobId,
    /// It is to be cancelled while it runs.
    pub(crate) cancelling: JobId,
    pub(crate) completed: JobId,
    pub(crate) failed: JobId,
    pub(crate) cancelled: JobId,
    pub(crate) worker: AWorker<'a>,
}

pub(crate) async fn a_server() -> Fixture {
    emptied(RedisServer::start()).await
}

/// A server without anything on it but the time.
pub(crate) async fn emptied(server: RedisServer) -> Fixture {
    let mut connection = open(&server).await;
    cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
    cmd("SET").arg("clock").arg(BEGIN).exec_async(&mut connection).await.unwrap();
    let clock = ServerClock::Key("clock".to_owned());
    let options = Options { clock, ..Options::default() };
    let address = server.url().parse().unwrap();
    let queue = RedisQueue::connect_with(address, Config::default(), &options).await.unwrap();
    Fixture { server, queue, connection }
}

fn unique(key: &str) -> NewJob {
    NewJob { unique_key: Some(UniqueKey::new(key).unwrap()), ..a_job() }
}

impl<'a> Life<'a> {
    /// Lives through a life on an empty queue.
    pub(crate) async fn of(q: &'a Fixture) -> Self {
        let mut worker = q.worker();
        let [completed, failed, retried, running, cancelling] = {
            let mut ids = Vec::new();
            for _ in 0..5 {
                ids.push(q.enqueue(a_job()).await);
            }
            ids.try_into().unwrap()
        };
        let leased = worker.lease(5).await;
        let held = |id| leased.iter().find(|job| job.spec.id == id).unwrap().held();
        let checkpoint = Note::Checkpoint(held(running), Payload::text("so far"));
        worker.cycle(|cycle| cycle.notes = vec![checkpoint]).await.unwrap();
        worker.settle(vec![complete(held(completed)), fail(held(failed), None)]).await;
        worker.settle(vec![fail(held(retried), Some(Duration::ZERO))]).await;
        assert!(matches!(q.queue.cancel(cancelling).await.unwrap(), Changed::Done(_)));
        let cancelled = q.enqueue(a_job()).await;
        assert!(matches!(q.queue.cancel(cancelled).await.unwrap(), Changed::Done(_)));
        let start = Start::After(Duration::from_secs(3_600));
        let scheduled = q.enqueue(NewJob { start, ..a_job() }).await;
        let queued = q.enqueue(a_job()).await;
        let (unique, other_unique) = (unique("one"), unique("other"));
        let (unique, other_unique) = (q.enqueue(unique).await, q.enqueue(other_unique).await);
        Self {
            q,
            queued,
            retried,
            unique,
            other_unique,
            scheduled,
            running,
            cancelling,
            completed,
            failed,
            cancelled,
            worker,
        }
    }

    pub(crate) async fn check(&self, mends: bool) -> Checked {
        self.q.queue.check(&QueueName::default(), mends).await.unwrap()
    }

    /// Checks that everything is well.
    #[track_caller]
    pub(crate) fn expect_well(checked: &Checked) {
        assert_eq!((checked.found, checked.faults.as_slice()), (0, [].as_slice()), "{checked:#?}");
        assert!(checked.counted);
    }

    /// All that the server holds, by key.
    pub(crate) async fn keys(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys = BTreeMap::new();
        for key in self.q.ask::<Vec<String>>(cmd("KEYS").arg("*")).await {
            let kind: String = self.q.ask(cmd("TYPE").arg(&key)).await;
            let (command, arguments): (_, &[&str]) = match kind.as_str() {
                "hash" => ("HGETALL", &[]),
                "set" => ("SMEMBERS", &[]),
                "zset" => ("ZRANGE", &["0", "-1", "WITHSCORES"]),
                _ => ("GETRANGE", &["0", "-1"]),
            };
            let entries: redis::Value = self.q.ask(cmd(command).arg(&key).arg(arguments)).await;
            let entries = match entries {
                redis::Value::Array(entries) if kind == "set" => {
                    entries.iter().map(|entry| format!("{entry:?}")).collect()
                }
                redis::Value::Array(entries) => {
                    entries.chunks(2).map(|entry| format!("{entry:?}")).collect()
                }
                other => [format!("{other:?}")].into(),
            };
            keys.insert(key, entries);
        }
        keys
    }

    /// Lets every job come to its end; jobs whose worker is gone are run by another.
    pub(crate) async fn end(&self) {
        self.q.send(cmd("INCRBY").arg("clock").arg(LATER.as_millis().to_string())).await;
        let name = QueueName::default();
        let mut other = self.q.worker();
        other.lease(0).await;
        self.q.queue.reap(&name, self.worker.id).await.unwrap();
        loop {
            let leased = other.lease(100).await;
            if leased.is_empty() {
                break;
            }
            other.settle(leased.iter().map(|job| complete(job.held())).collect()).await;
        }
        let counts = self.q.queue.status(&name).await.unwrap().counts;
        assert_eq!((counts.scheduled, counts.queued, counts.running), (0, 0, 0), "{counts:?}");
        Self::expect_well(&self.check(false).await);
    }

    pub(crate) async fn state(&self, id: JobId) -> Option<JobState> {
        self.q.queue.get(id).await.unwrap().map(|job| job.state)
    }

    /// The field of a job's unique key.
    pub(crate) async fn field(&self, id: JobId) -> Vec<u8> {
        self.q.ask(cmd("HGET").arg(key("uniques")).arg(bytes(id))).await
    }
}

pub(crate) fn key(name: &str) -> String {
    format!("gristmill:{{default}}:{name}")
}

pub(crate) fn bytes(id: JobId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}
