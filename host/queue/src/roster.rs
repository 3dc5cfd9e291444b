//! Who works on the queues: what each process says of itself, to be read by all who share them, and how it
//! is called.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::Error;

/// A process among those that share the queues: random at each start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(Uuid);

impl ProcessId {
    /// The id as a UUID.
    #[must_use]
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl From<Uuid> for ProcessId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl FromStr for ProcessId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// In 32 characters.
impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// What processes say of themselves, in a form that they agree on; the queue doesn't read it. None of it
/// costs a job anything.
#[async_trait]
pub trait Roster: Send + Sync + 'static {
    /// Says something of this process, in place of what it said before, and lets it hold for `ttl`. Answers
    /// what was asked of it since, each once.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; what was asked may be lost then.
    async fn announce(&self, said: &str, ttl: Duration) -> Result<Vec<String>, Error>;

    /// Takes back what this process said.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn withdraw(&self) -> Result<(), Error>;

    /// What all others say.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    async fn others(&self) -> Result<Vec<(ProcessId, String)>, Error>;

    /// Asks something of a process, which is told at once, or by its next announcement at the latest, as
    /// long as there is one soon.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it may be told all the same.
    async fn ask(&self, process: ProcessId, what: &str) -> Result<(), Error>;

    /// Waits until something may have been asked of this process, or what it said may have been lost. A
    /// hint; safe to drop.
    async fn called(&self);
}
