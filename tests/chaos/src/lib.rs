//! Faults on purpose, and the proof that no job is lost or done twice by them.
//!
//! A run has three parts, each of which stands for itself. A [`Plan`] says which [`Fault`] happens
//! when; it is a function of a seed, so that a run can be repeated. The drivers bring the faults
//! about, on real daemons and a real server, while producers enqueue and everybody's words are
//! written down. Of these words and of what the queue has kept in the end the [`History`] is made,
//! and [`check`] says which of the queue's promises it breaks.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod check;
mod fence;
mod gather;
mod history;
mod journal;
mod plan;
mod process;
mod producer;
mod recovery;
mod report;
mod run;
mod stage;
mod trace;

pub use check::{Breach, Findings, Rule, check};
pub use fence::{Fenced, fence};
pub use history::{Accepted, History, Kill, ProcessNumber, Record, Seen, Standing, What, is_final};
pub use plan::{Fault, Plan, Planned, Way};
pub use recovery::{Rerun, Work, reruns, work};
pub use report::Report;
pub use run::{Options, run};
