//! The queue on a Redis server, shared by all processes that know its address.
//!
//! Every step is one script that runs whole on the server, on keys that it declares and that share
//! the queue's hash tag. A job is an envelope, which never changes, and a record, which
//! does; beside them are sorted sets for each thing that is asked of a queue: whose turn it is, what is
//! due, what is kept until when. Time is the server's. `docs/redis.md` names the keys.

mod calls;
mod change;
pub mod check;
mod codec;
pub mod doctor;
pub mod gauge;
mod intake;
mod keys;
mod look;
mod mailbox;
mod record;
mod reply;
mod roster;
mod script;
mod server;
mod turn;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use gristmill_job::{Job, JobId, LogLine, NewJob, QueueName, Verdict, WorkerId};
pub use gristmill_redis::{Address, ConnectError, InvalidAddress};
use gristmill_redis::{Arguments, Link, Patience, Repeat, Schema};

use self::check::Checked;
use self::intake::Intake;
use self::keys::Keys;
use self::mailbox::Mailbox;
use self::roster::RedisRoster;
use self::script::Scripts;
pub use self::script::ServerClock;
use self::server::{Server, worker_bytes};
use crate::{
    Changed, Config, Cycle, CycleReply, Error, Filter, Held, Info, Page, Queue, QueueStatus,
    Reaped, Resynced, Roster, Traits, Woken,
};

/// The layout of keys that this version writes. One that doesn't know a server's layout keeps away.
const SCHEMA: u64 = 3;
/// Bytes that one script is given: enough for a batch of ordinary jobs, and read by the server in a
/// few milliseconds.
const BATCH_BYTES_MAX: usize = 16 << 20;
/// Reaped workers that one queue remembers by name, as in memory. One that was forgotten is still told
/// from a new one as soon as it claims to hold something.
const REAPED_MAX: usize = 10_000;
/// Jobs that one cycle hands over to other queues, about.
const OUTBOX_ITEMS: usize = 256;
/// The longest wait for a job's end before it is looked at again, should a message have been lost.
const WAIT_BACKSTOP: Duration = Duration::from_secs(30);

/// How queues are kept on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What all keys begin with: installations with different ones don't see each other.
    pub prefix: String,
    /// What time it is.
    pub clock: ServerClock,
    /// How long a server has to take a connection and to greet.
    pub connect_patience: Duration,
    /// How long a server has to answer. Past it the connection is given up, since nothing that is
    /// sent takes long; well below a lease, so that a worker can still renew it.
    pub answer_patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "gristmill".to_owned(),
            clock: ServerClock::default(),
            connect_patience: Duration::from_secs(5),
            answer_patience: Duration::from_secs(3),
        }
    }
}

/// The queue on a Redis server.
pub struct RedisQueue {
    server: Arc<Server>,
    mailbox: Mailbox,
    roster: Arc<RedisRoster>,
    intake: Intake,
}

impl RedisQueue {
    /// Connects to a server, on the async runtime that this is called on; connections that are lost
    /// later are made anew by themselves.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(address: Address, config: Config) -> Result<Self, ConnectError> {
        Self::connect_with(address, config, &Options::default()).await
    }

    /// Connects to a server, whose keys begin with a prefix of one's own.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect_with(
        address: Address,
        config: Config,
        options: &Options,
    ) -> Result<Self, ConnectError> {
        let scripts = Scripts::new(&options.prefix, &options.clock);
        let schema = Schema { key: Keys::new(&options.prefix).schema(), number: SCHEMA };
        let patience =
            Patience { connect: options.connect_patience, answer: options.answer_patience };
        let link = Arc::new(Link::new(address, patience, schema, scripts.all())?);
        link.connect().await?;
        let server =
            Arc::new(Server::new(Arc::clone(&link), scripts, &options.prefix, config.clone()));
        let mailbox = Mailbox::open(&link, &options.prefix, &server.mailbox);
        // Else what is told in the first moments would be lost. It is hints alone, so that a server
        // that refuses them is no reason to do without it.
        if tokio::time::timeout(options.connect_patience, mailbox.is_open()).await.is_err() {
            tracing::warn!("Redis can't be subscribed to: workers and clients hear of things late");
        }
        let roster = RedisRoster::new(&link, &options.prefix, &server.mailbox, &mailbox);
        let roster = Arc::new(roster.map_err(|error| link.misunderstood(&error))?);
        let intake = Intake::open(&server, &config);
        Ok(Self { server, mailbox, roster, intake })
    }

    /// Holds all that is kept of a queue against its jobs, and repairs what it finds if it is to. The
    /// queue may be in use meanwhile. May be repeated; safe to drop between what is repaired.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: what was repaired until then stays so.
    pub async fn check(&self, queue: &QueueName, repair: bool) -> Result<Checked, Error> {
        Ok(self.server.check(queue, repair).await?)
    }

    fn check_batch(&self, what: &'static str, items: usize) -> Result<(), Error> {
        let max = self.server.config.batch_items_max;
        if items > max { Err(Error::TooLarge { what, items, max }) } else { Ok(()) }
    }

    /// Whether there is something for a worker to do in a queue; if not, it is noted to be hungry.
    async fn has_something(&self, worker: WorkerId, queue: &QueueName) -> Result<bool, Error> {
        let mut arguments = Arguments::default();
        arguments.push(worker_bytes(worker));
        arguments.push(self.server.mailbox.as_str());
        let value = self.server.run(&script::HUNGER, queue, &arguments, Repeat::Once).await?;
        Ok(value == redis::Value::Int(1))
    }
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisQueue").field(self.server.link.address()).finish()
    }
}

#[async_trait]
impl Queue for RedisQueue {
    fn traits(&self) -> Traits {
        Traits { durable: true, shared: true, time_precision: Duration::from_millis(1) }
    }

    async fn enqueue(&self, batch: Vec<NewJob>) -> Result<Vec<Verdict>, Error> {
        self.check_batch("jobs", batch.len())?;
        self.intake.enqueue(&batch).await
    }

    async fn run(&self, job: NewJob, patience: Duration) -> Result<(Verdict, Option<Job>), Error> {
        self.server.run_job(&job, patience, &self.intake, &self.mailbox).await
    }

    async fn cycle(&self, cycle: &mut Cycle) -> Result<CycleReply, Error> {
        self.check_batch("settlements", cycle.settlements.len())?;
        self.check_batch("notes", cycle.notes.len())?;
        // From now on its bell keeps what is told of it.
        self.mailbox.calls.bell(cycle.worker);
        let turned = self.server.cycle(cycle, &self.mailbox).await;
        if let Err(Error::WorkerReaped(worker)) = &turned {
            self.mailbox.calls.forget(*worker);
        }
        turned
    }

    async fn resync(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<Resynced, Error> {
        self.mailbox.calls.close(worker, queue);
        self.server.resync(queue, worker, held).await
    }

    async fn reap(&self, queue: &QueueName, worker: WorkerId) -> Result<Reaped, Error> {
        self.server.reap(queue, worker).await
    }

    async fn absolve(
        &self,
        queue: &QueueName,
        worker: WorkerId,
        held: &[Held],
    ) -> Result<usize, Error> {
        self.check_batch("jobs", held.len())?;
        Ok(self.server.absolve(queue, worker, held).await?)
    }

    async fn wake(&self, worker: WorkerId, queues: &[QueueName]) -> Woken {
        let calls = &self.mailbox.calls;
        let bell = calls.bell(worker);
        self.mailbox.is_open().await;
        // A cycle that left room has seen to it that the worker is called.
        let unasked = queues.iter().filter(|queue| !calls.is_expected(worker, queue));
        let asked = unasked.map(|queue| self.has_something(worker, queue));
        match try_join_all(asked).await {
            Ok(found) if found.contains(&true) => calls.call(worker),
            // Who can't ask waits all the same: the caller's own bound ends it.
            Ok(_) | Err(_) => {}
        }
        bell.notified().await;
        calls.take(worker)
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, Error> {
        Ok(self.server.get(id).await?)
    }

    async fn wait(&self, id: JobId, patience: Duration) -> Result<Option<Job>, Error> {
        Ok(self.server.wait(id, patience, &self.mailbox).await?)
    }

    async fn logs(&self, id: JobId) -> Result<Option<Vec<LogLine>>, Error> {
        Ok(self.server.logs(id).await?)
    }

    async fn list(&self, filter: &Filter) -> Result<Page, Error> {
        self.server.list(filter).await
    }

    async fn cancel(&self, id: JobId) -> Result<Changed, Error> {
        Ok(self.server.change(&script::CANCEL, id).await?)
    }

    async fn requeue(&self, id: JobId) -> Result<Changed, Error> {
        Ok(self.server.change(&script::REQUEUE, id).await?)
    }

    async fn remove(&self, id: JobId) -> Result<Changed, Error> {
        Ok(self.server.change(&script::REMOVE, id).await?)
    }

    async fn clear_failed(&self, queue: &QueueName) -> Result<u64, Error> {
        Ok(self.server.clear_failed(queue).await?)
    }

    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), Error> {
        Ok(self.server.set_paused(queue, paused).await?)
    }

    async fn queues(&self) -> Result<Vec<QueueName>, Error> {
        Ok(self.server.queues().await?.into_iter().collect())
    }

    async fn status(&self, queue: &QueueName) -> Result<QueueStatus, Error> {
        Ok(self.server.status(queue).await?)
    }

    fn roster(&self) -> Option<Arc<dyn Roster>> {
        Some(Arc::clone(&self.roster) as _)
    }

    async fn info(&self) -> Result<Info, Error> {
        let server = self.server.server_info().await?;
        let of = |name: &str| server.get(name).map_or("unknown", String::as_str);
        let kept = match of("aof_enabled") {
            "1" => "with an append-only file",
            _ => "without an append-only file: what it hasn't saved is lost with it",
        };
        let address = self.server.link.address();
        let note = format!("Redis {} at {address}, {kept}", of("redis_version"));
        let round_trips = self.server.link.round_trips();
        Ok(Info { backend: "redis", note, durable: true, round_trips })
    }
}
