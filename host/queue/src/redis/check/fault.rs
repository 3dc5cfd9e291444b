//! What can be wrong with a queue.

use std::fmt;

use anyhow::bail;

use crate::redis::codec::Decoded;

/// One fault of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// Whose it is: a job's id, a unique key, or the name of a counter.
    pub subject: String,
    /// More about it; may be empty.
    pub detail: String,
    /// Whether it was mended.
    pub mended: bool,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What kind of fault it is, and what mending it does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FaultKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The kind's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

kinds! {
    /// Something is kept of a job that is gone: it is removed.
    Remains = "remains",
    /// A job's record or envelope can't be read. Without an envelope there is nothing to be run, so
    /// the job is removed; without a record it begins anew, or is removed if it had ended.
    Unreadable = "unreadable",
    /// A job isn't in the indexes of its state, and in no others: it is put there.
    Misplaced = "misplaced",
    /// A running job's worker has no lease, so nobody would ever take the job from it: it goes back to
    /// its line uncounted, and the worker is refused.
    Orphaned = "orphaned",
    /// A running job isn't among what its worker holds: it is added.
    NotHeld = "not-held",
    /// A job is among what a worker holds, but isn't the worker's: it is taken out.
    Held = "held",
    /// A job is being cancelled and its worker isn't told, or the other way round: the request is made
    /// again, or withdrawn.
    CancelRequest = "cancel-request",
    /// A unique key belongs to a job that is gone, has ended, or has another: it is freed.
    UniqueKey = "unique-key",
    /// A job is without its unique key: it takes it again, unless another job has it, or gives up
    /// claiming it where nobody knows which it was.
    UniqueClaim = "unique-claim",
    /// A job's notes would be forgotten when it is removed: they are marked.
    Notes = "notes",
    /// A job's outcome is lost, or would be: it is marked as it is.
    Outcome = "outcome",
    /// Somebody waits for the end of a job that has ended: he is told.
    Waiters = "waiters",
    /// A job for another queue can't be read, and holds all others up: it is removed.
    Outbox = "outbox",
    /// A counter is wrong: it is set to what was counted.
    Counter = "counter",
}

impl FaultKind {
    pub(super) fn read(name: &[u8]) -> Decoded<Self> {
        let kind = Self::ALL.iter().find(|kind| kind.as_str().as_bytes() == name);
        match kind {
            Some(kind) => Ok(*kind),
            None => bail!("a script found a fault of the unknown kind {name:?}"),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
