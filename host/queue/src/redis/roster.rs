//! The roster on a Redis server: a key for each process, which the server forgets by itself.
//!
//! What is asked of a process waits in a list, and a letter to its mailbox says so: the one that wakes a
//! worker, with the process's own id for the worker's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gristmill_job::WorkerId;
use gristmill_redis::{Link, Repeat, Reply};
use redis::{Pipeline, Value, cmd};
use tokio::sync::Notify;

use super::codec::{Decoded, millis};
use super::mailbox::Mailbox;
use crate::Error;
use crate::roster::{ProcessId, Roster};

/// What may be asked of a process before it looks; of more, the first is forgotten.
const ASKED_MAX: usize = 16;
/// How long it is kept for a process that doesn't look: longer than any lease is likely to be, and not for
/// ever, since the process may be gone.
const ASKED_TTL: Duration = Duration::from_secs(300);
/// The kind of letter that rings a bell.
const BELL: u8 = b'w';

/// The roster on a Redis server.
#[derive(Debug)]
pub(super) struct RedisRoster {
    link: Arc<Link>,
    prefix: String,
    me: ProcessId,
    bell: Arc<Notify>,
}

impl RedisRoster {
    /// The roster for the process of this mailbox, by whose name others know it.
    pub(super) fn new(
        link: &Arc<Link>,
        prefix: &str,
        name: &str,
        mailbox: &Mailbox,
    ) -> Decoded<Self> {
        let me: ProcessId = name.parse()?;
        let bell = mailbox.calls.bell(WorkerId::from(*me.as_uuid()));
        Ok(Self { link: Arc::clone(link), prefix: prefix.to_owned(), me, bell })
    }

    /// The set of all processes.
    fn processes(&self) -> String {
        self.key("processes")
    }

    /// What a process says.
    fn said(&self, process: ProcessId) -> String {
        self.key(&format!("said:{process}"))
    }

    /// What was asked of a process.
    fn asked(&self, process: ProcessId) -> String {
        self.key(&format!("asked:{process}"))
    }

    /// All of them share a hash tag, so that on a cluster they are in one place.
    fn key(&self, name: &str) -> String {
        format!("{}:w:{{workers}}:{name}", self.prefix)
    }

    async fn send(&self, all: &Pipeline) -> Result<Vec<Value>, Error> {
        Ok(self.link.pipeline(all, Repeat::Once).await?)
    }

    fn understood<T>(&self, decoded: Decoded<T>) -> Result<T, Error> {
        Ok(decoded.map_err(|error| self.link.misunderstood(&error))?)
    }
}

#[async_trait]
impl Roster for RedisRoster {
    async fn announce(&self, said: &str, ttl: Duration) -> Result<Vec<String>, Error> {
        let mut all = Pipeline::new();
        all.cmd("SET").arg(self.said(self.me)).arg(said).arg("PX").arg(millis(ttl).max(1));
        all.cmd("SADD").arg(self.processes()).arg(self.me.to_string());
        all.cmd("LPOP").arg(self.asked(self.me)).arg(ASKED_MAX);
        let asked = self.send(&all).await?.pop().unwrap_or(Value::Nil);
        self.understood(texts(asked))
    }

    async fn withdraw(&self) -> Result<(), Error> {
        let mut all = Pipeline::new();
        all.cmd("SREM").arg(self.processes()).arg(self.me.to_string());
        all.cmd("DEL").arg(self.said(self.me)).arg(self.asked(self.me));
        self.send(&all).await.map(drop)
    }

    async fn others(&self) -> Result<Vec<(ProcessId, String)>, Error> {
        let processes = self.link.ask(cmd("SMEMBERS").arg(self.processes())).await?;
        let mut others = self.understood(processes_of(processes))?;
        others.retain(|process| *process != self.me);
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = others.iter().map(|process| self.said(*process)).collect();
        let said = self.link.ask(cmd("MGET").arg(keys)).await?;
        let said = self.understood(texts_or_none(said))?;
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        for (process, said) in others.into_iter().zip(said) {
            match said {
                Some(said) => there.push((process, said)),
                None => gone.push(process.to_string()),
            }
        }
        if !gone.is_empty() {
            // One that was late only is there again with its next announcement.
            self.link.ask(cmd("SREM").arg(self.processes()).arg(gone)).await?;
        }
        Ok(there)
    }

    async fn ask(&self, process: ProcessId, what: &str) -> Result<(), Error> {
        let newest = -isize::try_from(ASKED_MAX).unwrap_or(1);
        let letter = [&[BELL], process.as_uuid().as_bytes().as_slice()].concat();
        let mut all = Pipeline::new();
        all.cmd("RPUSH").arg(self.asked(process)).arg(what);
        all.cmd("LTRIM").arg(self.asked(process)).arg(newest).arg(-1);
        all.cmd("PEXPIRE").arg(self.asked(process)).arg(millis(ASKED_TTL));
        all.cmd("PUBLISH").arg(format!("{}:mail:{process}", self.prefix)).arg(letter);
        self.send(&all).await.map(drop)
    }

    async fn called(&self) {
        self.bell.notified().await;
    }
}

fn processes_of(value: Value) -> Decoded<Vec<ProcessId>> {
    texts(value)?.iter().map(|text| Ok(text.parse()?)).collect()
}

fn texts(value: Value) -> Decoded<Vec<String>> {
    Ok(texts_or_none(value)?.into_iter().flatten().collect())
}

fn texts_or_none(value: Value) -> Decoded<Vec<Option<String>>> {
    let parts = match value {
        Value::Set(parts) => Value::Array(parts),
        other => other,
    };
    let Some(mut reply) = Reply::maybe(parts)? else { return Ok(Vec::new()) };
    let mut texts = Vec::new();
    while !reply.is_empty() {
        texts.push(reply.maybe_bytes()?.map(String::from_utf8).transpose()?);
    }
    Ok(texts)
}
