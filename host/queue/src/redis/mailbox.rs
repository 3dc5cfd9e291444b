//! What the server tells a process unasked: that a worker should look for work, that a job has ended.
//!
//! Each process subscribes to one channel of its own. Scripts publish to it when they find it noted:
//! among the hungry workers, as the home of a worker whose job is to be cancelled, or at a job that
//! somebody waits for. What is published while nobody is subscribed is lost; so whenever the
//! subscription is made anew, all workers are woken and all who wait look for themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use gristmill_job::{JobId, WorkerId};
use redis::RedisError;
use redis::aio::PubSub;
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::codec::Decoded;
use super::link::Link;
use super::record::View;
use super::reply::{job_id, worker_id};

/// How long a silent subscription is believed in; then the server is asked, and has as long to answer.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Waits before the next try to subscribe, which double from the first to the last.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// What one who waits for a job is told.
#[derive(Debug)]
pub(super) enum Heard {
    /// It has ended; all of it.
    Ended(Box<View>),
    /// It was removed.
    Gone,
}

/// A process's mailbox.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// Its name: 32 characters, as the scripts expect.
    pub(super) name: String,
    post: Arc<Post>,
    /// How often the subscription was made; 0: not yet.
    subscribed: watch::Receiver<u64>,
    _closing: DropGuard,
}

/// Who is to be told of what.
#[derive(Debug, Default)]
struct Post {
    bells: Mutex<HashMap<WorkerId, Arc<Notify>>>,
    waiting: Mutex<HashMap<JobId, Vec<oneshot::Sender<Heard>>>>,
}

impl Mailbox {
    /// Opens a mailbox, which is read on the link's home until it is dropped.
    pub(super) fn open(link: &Arc<Link>, prefix: &str) -> Self {
        let name = Uuid::new_v4().simple().to_string();
        let post = Arc::<Post>::default();
        let (announce, subscribed) = watch::channel(0);
        let closing = CancellationToken::new();
        let reader = Reader {
            link: Arc::clone(link),
            channel: format!("{prefix}:mail:{name}"),
            post: Arc::clone(&post),
            announce,
        };
        let closed = closing.clone();
        // It ends with the mailbox, which nobody has to wait for: it holds nothing but a connection.
        drop(link.home().spawn(async move {
            tokio::select! {
                () = reader.read() => {}
                () = closed.cancelled() => {}
            }
        }));
        Self { name, post, subscribed, _closing: closing.drop_guard() }
    }

    /// The bell of a worker; it keeps one ring for a worker that isn't listening.
    pub(super) fn bell(&self, worker: WorkerId) -> Arc<Notify> {
        Arc::clone(self.post.bells().entry(worker).or_default())
    }

    /// Takes the bell of a worker away that is no more.
    pub(super) fn forget(&self, worker: WorkerId) {
        self.post.bells().remove(&worker);
    }

    /// Waits until letters come.
    pub(super) async fn is_open(&self) {
        let mut subscribed = self.subscribed.clone();
        // It is closed only when the process ends.
        let _ = subscribed.wait_for(|times| *times > 0).await;
    }

    /// What is heard of a job from now on. Closed when letters may have been lost.
    pub(super) fn listen(&self, id: JobId) -> oneshot::Receiver<Heard> {
        let (teller, listener) = oneshot::channel();
        let mut waiting = self.post.waiting();
        let tellers = waiting.entry(id).or_default();
        tellers.retain(|teller| !teller.is_closed());
        tellers.push(teller);
        listener
    }

    /// Drops those who wait for a job no longer.
    pub(super) fn tidy(&self, id: JobId) {
        let mut waiting = self.post.waiting();
        if let Some(tellers) = waiting.get_mut(&id) {
            tellers.retain(|teller| !teller.is_closed());
            if tellers.is_empty() {
                waiting.remove(&id);
            }
        }
    }
}

impl Post {
    fn bells(&self) -> MutexGuard<'_, HashMap<WorkerId, Arc<Notify>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<JobId, Vec<oneshot::Sender<Heard>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Letters may have been lost: everybody looks for himself.
    fn tell_all(&self) {
        self.waiting().clear();
        for bell in self.bells().values() {
            bell.notify_one();
        }
    }

    fn deliver(&self, letter: &[u8]) -> Decoded<()> {
        let (kind, rest) = letter.split_first().context("a letter is empty")?;
        let (id, rest) = rest.split_at_checked(16).context("a letter is cut off")?;
        match kind {
            b'w' => {
                if let Some(bell) = self.bells().get(&worker_id(id)?) {
                    bell.notify_one();
                }
            }
            b'e' => self.tell(job_id(id)?, || unframed(rest))?,
            b'g' => self.tell(job_id(id)?, || Ok(Heard::Gone))?,
            other => anyhow::bail!("a letter is of the unknown kind {other}"),
        }
        Ok(())
    }

    fn tell(&self, id: JobId, heard: impl Fn() -> Decoded<Heard>) -> Decoded<()> {
        let Some(tellers) = self.waiting().remove(&id) else { return Ok(()) };
        for teller in tellers {
            // One who doesn't wait any more need not be told.
            let _ = teller.send(heard()?);
        }
        Ok(())
    }
}

/// A job in five parts, each behind its length; see `framed` in the scripts.
fn unframed(mut rest: &[u8]) -> Decoded<Heard> {
    let mut part = || -> Decoded<Option<Vec<u8>>> {
        let (length, after) = rest.split_first_chunk::<4>().context("a letter is cut off")?;
        let length = u32::from_be_bytes(*length);
        if length == u32::MAX {
            rest = after;
            return Ok(None);
        }
        let split = after.split_at_checked(length as usize).context("a letter is cut off")?;
        rest = split.1;
        Ok(Some(split.0.to_vec()))
    };
    let (record, envelope) = (part()?, part()?);
    let view = View {
        record: record.context("a letter has no record")?,
        envelope: envelope.context("a letter has no envelope")?,
        outcome: part()?,
        progress: part()?,
        checkpoint: part()?,
    };
    ensure!(rest.is_empty(), "a letter is too long");
    Ok(Heard::Ended(Box::new(view)))
}

/// Who reads the mailbox.
struct Reader {
    link: Arc<Link>,
    channel: String,
    post: Arc<Post>,
    announce: watch::Sender<u64>,
}

impl Reader {
    /// Reads for ever: when the subscription is lost, it is made anew.
    async fn read(self) {
        let mut wait = RETRY_MIN;
        loop {
            match self.subscribe().await {
                Ok(subscription) => {
                    wait = RETRY_MIN;
                    self.announce.send_modify(|times| *times += 1);
                    self.post.tell_all();
                    let lost = self.deliver_all(subscription).await;
                    tracing::debug!(error = %lost, "the subscription to the queue is lost");
                }
                Err(error) => {
                    tracing::debug!(%error, "the queue can't be subscribed to");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_MAX);
                }
            }
        }
    }

    async fn subscribe(&self) -> Result<PubSub, RedisError> {
        let subscribing = async {
            let mut subscription = self.link.client().get_async_pubsub().await?;
            subscription.subscribe(&self.channel).await?;
            Ok(subscription)
        };
        tokio::time::timeout(SILENCE_MAX, subscribing).await.unwrap_or_else(|_| Err(silence()))
    }

    /// Delivers letters until the subscription is lost.
    async fn deliver_all(&self, subscription: PubSub) -> RedisError {
        let (mut sink, mut letters) = subscription.split();
        loop {
            match tokio::time::timeout(SILENCE_MAX, letters.next()).await {
                Ok(Some(letter)) => {
                    if let Err(error) = self.post.deliver(letter.get_payload_bytes()) {
                        tracing::warn!(%error, "a message of the queue can't be read");
                    }
                }
                Ok(None) => return RedisError::from(std::io::Error::other("it was closed")),
                Err(_) => {
                    match tokio::time::timeout(SILENCE_MAX, sink.ping::<redis::Value>()).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => return error,
                        Err(_) => return silence(),
                    }
                }
            }
        }
    }
}

fn silence() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}
