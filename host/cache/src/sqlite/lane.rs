//! How calls get to the threads that hold the connections, and answers back.
//!
//! SQLite blocks, so no async thread ever touches it: each connection has a thread of its own, which
//! takes the calls that wait, all at once, and does them in one transaction. The more there are, the
//! less each one costs.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::Error;

/// Calls that may wait for the threads of a lane; others wait for their turn to wait. Also the most
/// that one transaction takes up.
pub(super) const WAITING_MAX: usize = 256;
/// How long a call may take in all. Longer than [`BUSY_PATIENCE`](super::schema::BUSY_PATIENCE), so
/// that who waits behind a call that fails for a busy file gets a chance of its own.
const CALL_PATIENCE: Duration = Duration::from_secs(15);

/// What one call asks of a connection.
pub(super) trait Ask<C>: Send {
    /// Whether anybody still waits for the answer.
    fn is_wanted(&self) -> bool;

    /// Does it. The answer is kept until it is settled.
    fn run(&mut self, on: &mut C) -> rusqlite::Result<()>;

    /// Gives the answer, or says why there is none.
    fn settle(self: Box<Self>, fault: Option<&str>);
}

pub(super) type Calls<C> = Receiver<Box<dyn Ask<C>>>;

/// The calls to one or more threads.
pub(super) struct Lane<C> {
    post: Option<Post<C>>,
    room: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

/// Where calls are put that nobody waits for.
pub(super) struct Post<C>(Sender<Box<dyn Ask<C>>>);

impl<C: 'static> Lane<C> {
    pub(super) fn new(calls: Sender<Box<dyn Ask<C>>>, threads: Vec<JoinHandle<()>>) -> Self {
        Self { post: Some(Post(calls)), room: Arc::new(Semaphore::new(WAITING_MAX)), threads }
    }

    pub(super) fn post(&self) -> Option<Post<C>> {
        self.post.clone()
    }

    /// Has something done and waits for the answer. When this is dropped, it may be done or not.
    pub(super) async fn ask<T, F>(&self, ask: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut C) -> rusqlite::Result<T> + Send + 'static,
    {
        let answer = async {
            let room = Arc::clone(&self.room).acquire_owned().await.ok()?;
            let (reply, answer) = oneshot::channel();
            let call = Call { ask: Some(ask), answer: None, reply: Some(reply), _room: Some(room) };
            self.post.as_ref()?.0.send(Box::new(call)).ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(CALL_PATIENCE, answer).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(Error::Unavailable(anyhow!("the cache's thread has ended"))),
            Err(_) => {
                let patience = CALL_PATIENCE.as_secs();
                Err(Error::Unavailable(anyhow!("there was no answer within {patience} s")))
            }
        }
    }
}

impl<C: 'static> Post<C> {
    /// Has something done, sooner or later.
    pub(super) fn put<F>(&self, ask: F)
    where
        F: FnOnce(&mut C) -> rusqlite::Result<()> + Send + 'static,
    {
        let call = Call { ask: Some(ask), answer: None, reply: None, _room: None };
        // Without a thread there is nobody left to do it for.
        let _ = self.0.send(Box::new(call));
    }
}

impl<C> Clone for Post<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> Drop for Lane<C> {
    /// Waits until the threads have done what they had been asked and closed the file.
    fn drop(&mut self) {
        self.post = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Call<F, T> {
    ask: Option<F>,
    answer: Option<T>,
    reply: Option<oneshot::Sender<Result<T, Error>>>,
    /// Its place among those that wait.
    _room: Option<OwnedSemaphorePermit>,
}

impl<C, F, T> Ask<C> for Call<F, T>
where
    F: FnOnce(&mut C) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn is_wanted(&self) -> bool {
        self.reply.as_ref().is_none_or(|reply| !reply.is_closed())
    }

    fn run(&mut self, on: &mut C) -> rusqlite::Result<()> {
        if let Some(ask) = self.ask.take() {
            self.answer = Some(ask(on)?);
        }
        Ok(())
    }

    fn settle(self: Box<Self>, fault: Option<&str>) {
        let Some(reply) = self.reply else { return };
        let answer = match (fault, self.answer) {
            (None, Some(answer)) => Ok(answer),
            (fault, _) => {
                let fault = fault.unwrap_or("it was not done").to_owned();
                Err(Error::Unavailable(anyhow!(fault)))
            }
        };
        // Whoever asked may have gone.
        let _ = reply.send(answer);
    }
}

/// The calls that wait behind the first one, and that somebody still wants.
pub(super) fn gather<C>(first: Box<dyn Ask<C>>, calls: &Calls<C>) -> Vec<Box<dyn Ask<C>>> {
    let mut batch = vec![first];
    batch.extend(calls.try_iter().take(WAITING_MAX - 1));
    batch.retain(|call| call.is_wanted());
    batch
}
