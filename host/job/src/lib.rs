//! The nouns and rules of Gristmill, and nothing that runs: no I/O, no async, no engine.
//!
//! Every other room speaks in these words:
//!
//! | word | meaning |
//! |---|---|
//! | plugin | one wasm component, named by its file's stem, identified by its content [`Digest`] |
//! | function | what a job calls in a plugin |
//! | job | one piece of work: plugin, function, input, options; its [`JobId`] is any UUID, from which no code reads time or order |
//! | queue | a named line of waiting jobs |
//! | worker | one running daemon process; takes a random [`WorkerId`] at each start |
//! | lease | a worker's right, per queue, to the jobs it took |
//! | attempt | one start of a job, counted from 1 |
//! | outcome | what an attempt came to |
//! | settle | to record an outcome; refused unless worker, job and attempt all match |
//! | release | to give a job back untouched; it counts as nothing |
//! | capability, grant | what a host interface offers; what a manifest allows a plugin of it |
//!
//! Start with [`NewJob`], follow it through [`JobState`], and see [`RetryPolicy::decide`] for what
//! an [`Outcome`] leads to. [`wire`] is how jobs look in JSON.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod id;
pub mod limits;
mod new_job;
mod outcome;
mod payload;
mod record;
mod retry;
mod state;
pub mod time;
pub mod trace;
mod usage;
pub mod wire;

pub use id::{
    BucketName, Digest, FunctionName, InvalidName, JobId, PluginName, QueueName, UniqueKey,
    WorkerId,
};
pub use new_job::{Headers, NewJob, Priority, Rejection, RejectionCode, Start, Verdict};
pub use outcome::{Disposition, ErrorReport, Outcome, OutcomeKind, codes};
pub use payload::{Payload, media};
pub use record::{Job, LogLevel, LogLine, Progress};
pub use retry::{Backoff, BackoffKind, Decision, RetryOn, RetryPolicy};
pub use state::{Event, InvalidTransition, JobState, StateName};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use usage::{Gauge, Usage};
