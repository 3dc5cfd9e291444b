//! What these tests have in common: a queue on a server of their own, jobs, and a worker.

use std::time::Duration;

use gristmill_job::{
    Digest, ErrorReport, JobId, NewJob, OutcomeKind, Payload, PluginName, QueueName, Usage,
    Verdict, WorkerId,
};
use gristmill_queue::redis::{ConnectError, Options};
use gristmill_queue::{
    Config, Cycle, CycleReply, Error, Held, Leased, Queue as _, RedisQueue, Settled, Settlement,
};
use gristmill_test_redis::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue};

/// How long workers' leases run.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

pub(crate) async fn connect(url: &str) -> Result<RedisQueue, ConnectError> {
    RedisQueue::connect(url.parse().unwrap(), Config::default()).await
}

/// Connects with little patience.
pub(crate) async fn connect_soon(url: &str) -> Result<RedisQueue, ConnectError> {
    let options = Options { connect_patience: Duration::from_millis(200), ..Options::default() };
    RedisQueue::connect_with(url.parse().unwrap(), Config::default(), &options).await
}

/// A server and a queue on it, and a connection beside the queue's.
pub(crate) struct Fixture {
    pub(crate) server: RedisServer,
    pub(crate) queue: RedisQueue,
    pub(crate) connection: MultiplexedConnection,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::on(RedisServer::start()).await
    }

    pub(crate) async fn on(server: RedisServer) -> Self {
        let queue = connect(&server.url()).await.unwrap();
        let connection = open(&server).await;
        Self { server, queue, connection }
    }

    /// Sends a command past the queue.
    pub(crate) async fn send(&self, command: &mut Cmd) {
        self.ask::<redis::Value>(command).await;
    }

    /// Asks the server past the queue.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &mut Cmd) -> T {
        command.query_async(&mut self.connection.clone()).await.unwrap()
    }

    pub(crate) async fn enqueue(&self, job: NewJob) -> JobId {
        let id = job.id;
        assert_eq!(self.queue.enqueue(vec![job]).await.unwrap(), [Verdict::Created]);
        id
    }

    pub(crate) fn worker(&self) -> AWorker<'_> {
        AWorker::of(&self.queue)
    }
}

/// A connection past the queue.
pub(crate) async fn open(server: &RedisServer) -> MultiplexedConnection {
    let client = Client::open(server.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

pub(crate) fn a_job() -> NewJob {
    a_job_with(b"input")
}

pub(crate) fn a_job_with(input: &[u8]) -> NewJob {
    NewJob::new(PluginName::new("echo").unwrap(), Payload::bytes(input.to_vec()))
}

/// A worker on the default queue.
pub(crate) struct AWorker<'a> {
    queue: &'a RedisQueue,
    pub(crate) id: WorkerId,
    /// What it believes to hold.
    pub(crate) held: Vec<Held>,
}

impl<'a> AWorker<'a> {
    pub(crate) fn of(queue: &'a RedisQueue) -> Self {
        Self { queue, id: WorkerId::random(), held: Vec::new() }
    }

    /// One cycle that wants nothing, but for what `change` makes of it.
    pub(crate) async fn cycle(
        &mut self,
        change: impl FnOnce(&mut Cycle),
    ) -> Result<CycleReply, Error> {
        let mut cycle = Cycle::new(QueueName::default(), self.id, LEASE);
        change(&mut cycle);
        let settled: Vec<Held> = cycle.settlements.iter().map(Settlement::held).collect();
        let left: Vec<Held> =
            self.held.iter().copied().filter(|held| !settled.contains(held)).collect();
        cycle.held = left.len();
        let reply = self.queue.cycle(&mut cycle).await?;
        self.held = left;
        self.held.extend(reply.jobs.iter().map(Leased::held));
        Ok(reply)
    }

    pub(crate) async fn lease(&mut self, want: usize) -> Vec<Leased> {
        self.cycle(|cycle| cycle.want = want).await.unwrap().jobs
    }

    /// Settles jobs, which must be possible.
    pub(crate) async fn settle(&mut self, settlements: Vec<Settlement>) {
        let count = settlements.len();
        let reply = self.cycle(|cycle| cycle.settlements = settlements).await.unwrap();
        assert_eq!(reply.verdicts, vec![Settled::Recorded; count]);
    }

    pub(crate) async fn resync(&mut self) {
        let resynced = self.queue.resync(&QueueName::default(), self.id, &self.held).await.unwrap();
        self.held.retain(|held| !resynced.lost.contains(held));
    }
}

pub(crate) fn complete(held: Held) -> Settlement {
    Settlement::Complete {
        held,
        digest: Digest::of(b"component"),
        result: Some(Payload::text("result")),
        usage: Usage::default(),
        follow_ups: Vec::new(),
    }
}

pub(crate) fn fail(held: Held, retry: Option<Duration>) -> Settlement {
    Settlement::Fail {
        held,
        digest: None,
        outcome: OutcomeKind::Trapped,
        error: ErrorReport::new("trap", "unreachable was executed"),
        usage: Usage::default(),
        retry,
    }
}
