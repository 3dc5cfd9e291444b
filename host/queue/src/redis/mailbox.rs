//! What the server tells a process unasked: that a worker should look for work or has got some, that a
//! job has ended.
//!
//! Each process subscribes to one channel of its own. Scripts publish to it when they find it noted:
//! among the hungry workers, as the home of a worker whose job is to be cancelled, or at a job that
//! somebody waits for. What is published while nobody is subscribed is lost; so whenever the
//! subscription is made anew, all workers are woken and all who wait look for themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};
use gristmill_job::JobId;
use gristmill_redis::{Link, Listener, Subscription};
use tokio::sync::oneshot;

use super::calls::{Calls, Ticket};
use super::codec::Decoded;
use super::record::{View, leased};
use super::reply::{job_id, worker_id};

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
    post: Arc<Post>,
    /// What this process's workers are told.
    pub(super) calls: Arc<Calls>,
    subscription: Subscription,
}

/// Who is to be told of what.
#[derive(Debug, Default)]
struct Post {
    calls: Arc<Calls>,
    waiting: Mutex<HashMap<JobId, Vec<oneshot::Sender<Heard>>>>,
}

impl Mailbox {
    /// Opens a mailbox of this name, which is read on the link's home until it is dropped.
    pub(super) fn open(link: &Arc<Link>, prefix: &str, name: &str) -> Self {
        let post = Arc::<Post>::default();
        let channel = format!("{prefix}:mail:{name}");
        let calls = Arc::clone(&post.calls);
        let subscription = Subscription::open(link, channel, Arc::clone(&post) as _);
        Self { post, calls, subscription }
    }

    /// Waits until letters come.
    pub(super) async fn is_open(&self) {
        self.subscription.is_open().await;
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
    fn waiting(&self) -> MutexGuard<'_, HashMap<JobId, Vec<oneshot::Sender<Heard>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Listener for Post {
    /// Letters may have been lost: everybody looks for himself.
    fn subscribed(&self) {
        self.waiting().clear();
        self.calls.call_all();
    }

    fn hear(&self, letter: &[u8]) -> anyhow::Result<()> {
        let (kind, rest) = letter.split_first().context("a letter is empty")?;
        let (id, rest) = rest.split_at_checked(16).context("a letter is cut off")?;
        match kind {
            b'w' => self.calls.call(worker_id(id)?),
            b'a' => {
                let worker = worker_id(id)?;
                let (ticket, rest) = rest.split_first_chunk().context("a letter is cut off")?;
                let (id, envelope) = rest.split_at_checked(16).context("a letter is cut off")?;
                let leased = leased(job_id(id)?, envelope)?;
                self.calls.assign(worker, Ticket::from_bytes(*ticket), leased);
            }
            b'e' => self.tell(job_id(id)?, || unframed(rest))?,
            b'g' => self.tell(job_id(id)?, || Ok(Heard::Gone))?,
            other => anyhow::bail!("a letter is of the unknown kind {other}"),
        }
        Ok(())
    }
}

/// A job in five parts, each behind its length; see `letter_of_end` in the scripts.
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
