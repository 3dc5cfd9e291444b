//! What all operations share: the link, the keys, the bounds, and which queues there are.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gristmill_job::{JobId, QueueName, WorkerId};
use gristmill_redis::{Arguments, ConnectError, Link, Repeat, Reply};
use redis::Value;
use uuid::Uuid;

use super::codec::Decoded;
use super::keys::Keys;
use super::script::{Scripts, Step};
use crate::Config;

/// The names of queues that one process keeps in mind, so that a search for a job asks first where it
/// is likely to be.
const KNOWN_MAX: usize = 1_000;

/// A server with queues on it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) link: Arc<Link>,
    scripts: Scripts,
    pub(super) keys: Keys,
    pub(super) config: Config,
    /// The name of this process's mailbox: 32 characters, as the scripts expect.
    pub(super) mailbox: String,
    known: Mutex<Known>,
}

/// The queues that are known to be among the queues of the server.
#[derive(Debug, Default)]
struct Known {
    /// Over which connection they were heard of: the server may have lost its data since.
    connection: u64,
    queues: BTreeSet<QueueName>,
}

impl Server {
    pub(super) fn new(link: Arc<Link>, scripts: Scripts, prefix: &str, config: Config) -> Self {
        Self {
            link,
            scripts,
            keys: Keys::new(prefix),
            config,
            mailbox: Uuid::new_v4().simple().to_string(),
            known: Mutex::default(),
        }
    }

    /// Runs a script on a queue.
    pub(super) async fn run(
        &self,
        step: &'static Step,
        queue: &QueueName,
        arguments: &Arguments,
        repeat: Repeat,
    ) -> Result<Value, ConnectError> {
        self.run_on(step, &self.keys.of(step, queue), arguments, repeat).await
    }

    /// Runs a script on a queue and what a worker holds of it.
    pub(super) async fn run_for(
        &self,
        worker: WorkerId,
        step: &'static Step,
        queue: &QueueName,
        arguments: &Arguments,
        repeat: Repeat,
    ) -> Result<Value, ConnectError> {
        let mut keys = self.keys.of(step, queue);
        keys.push(self.keys.held(queue, worker));
        self.run_on(step, &keys, arguments, repeat).await
    }

    /// Runs a script on these keys.
    pub(super) async fn run_on(
        &self,
        step: &'static Step,
        keys: &[Vec<u8>],
        arguments: &Arguments,
        repeat: Repeat,
    ) -> Result<Value, ConnectError> {
        self.link.run(self.scripts.get(step), keys, arguments, repeat).await
    }

    pub(super) fn understood<T>(&self, decoded: Decoded<T>) -> Result<T, ConnectError> {
        decoded.map_err(|error| self.link.misunderstood(&error))
    }

    /// Makes a queue one of the server's queues, if it isn't yet.
    pub(super) async fn register(&self, queue: &QueueName) -> Result<(), ConnectError> {
        let connection = self.link.connections();
        if self.known(connection).queues.contains(queue) {
            return Ok(());
        }
        let mut command = redis::cmd("SADD");
        command.arg(self.keys.queues()).arg(queue.as_str());
        match self.link.ask(&command).await {
            // On a full server nothing can be added, but what is there can come to its end.
            Err(full @ ConnectError::Full { .. }) if !self.queues().await?.contains(queue) => {
                return Err(full);
            }
            Err(ConnectError::Full { .. }) => return Ok(()),
            added => added?,
        };
        let mut known = self.known(self.link.connections());
        if known.queues.len() < KNOWN_MAX {
            known.queues.insert(queue.clone());
        }
        Ok(())
    }

    /// All queues of the server, by name.
    pub(super) async fn queues(&self) -> Result<BTreeSet<QueueName>, ConnectError> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.queues());
        let value = self.link.ask(&command).await?;
        let queues = self.understood(names(value))?;
        let mut known = self.known(self.link.connections());
        known.queues = queues.iter().take(KNOWN_MAX).cloned().collect();
        Ok(queues)
    }

    /// Asks the queues for a job, first those that are known, then all; the first answer that is
    /// one, and whose it is.
    pub(super) async fn search(
        &self,
        step: &'static Step,
        arguments: &Arguments,
    ) -> Result<Option<(QueueName, Reply)>, ConnectError> {
        let known = self.known(self.link.connections()).queues.clone();
        if let Some(found) = self.search_in(&known, step, arguments).await? {
            return Ok(Some(found));
        }
        let others = &self.queues().await? - &known;
        self.search_in(&others, step, arguments).await
    }

    async fn search_in(
        &self,
        queues: &BTreeSet<QueueName>,
        step: &'static Step,
        arguments: &Arguments,
    ) -> Result<Option<(QueueName, Reply)>, ConnectError> {
        let asked = queues.iter().map(|queue| self.run(step, queue, arguments, Repeat::Once));
        let answers = futures_util::future::try_join_all(asked).await?;
        for (queue, value) in queues.iter().zip(answers) {
            if let Some(reply) = self.understood(Reply::maybe(value))? {
                return Ok(Some((queue.clone(), reply)));
            }
        }
        Ok(None)
    }

    fn known(&self, connection: u64) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.connection != connection {
            *known = Known { connection, queues: BTreeSet::new() };
        }
        known
    }
}

fn names(value: Value) -> Decoded<BTreeSet<QueueName>> {
    let mut reply = match value {
        Value::Set(parts) => Reply::new(Value::Array(parts))?,
        other => Reply::new(other)?,
    };
    let mut names = BTreeSet::new();
    while !reply.is_empty() {
        names.insert(String::from_utf8(reply.bytes()?)?.parse()?);
    }
    Ok(names)
}

pub(super) fn id_bytes(id: JobId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

pub(super) fn worker_bytes(worker: WorkerId) -> Vec<u8> {
    worker.as_uuid().as_bytes().to_vec()
}
