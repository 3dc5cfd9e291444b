//! Why a queue couldn't do what it was asked.

use gristmill_job::{QueueName, Rejection, RejectionCode, WorkerId};
use gristmill_redis::ConnectError;

/// Why a queue couldn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This worker's lease has lapsed and its jobs were taken: it must go on under a new id.
    #[error("worker {0} was reaped: its lease had lapsed")]
    WorkerReaped(WorkerId),
    /// A batch is larger than its bound.
    #[error("a batch of {items} {what} is more than {max}")]
    TooLarge {
        /// What the batch holds.
        what: &'static str,
        /// How many it holds.
        items: usize,
        /// How many it may hold.
        max: usize,
    },
    /// A listing can't go on from there: the cursor was not given by this queue.
    #[error("the cursor is none that this queue gave")]
    InvalidCursor,
    /// The back-end can't be reached, or didn't answer: the step may or may not have happened.
    #[error("the queue can't be reached")]
    Unavailable(#[source] anyhow::Error),
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// A back-end said nothing of a job that it was given.
pub(crate) fn no_verdict() -> Error {
    Error::Unavailable(anyhow::anyhow!("the queue gave no verdict"))
}

/// Why a job isn't taken over where too many wait.
pub(crate) fn queue_full(queue: &QueueName) -> Rejection {
    Rejection {
        code: RejectionCode::QueueFull,
        message: format!("the queue {queue} holds as many jobs or bytes as it may"),
    }
}
