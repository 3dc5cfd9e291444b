//! Where guests run: one sandbox for each attempt.
//!
//! This is the only room that names the engine. A component becomes a [`Plugin`] once ([`Runtime::load`]:
//! compiled, linked, described); each attempt gets a store and an instance of its own
//! ([`Runtime::run`]), unless its manifest asks for [`Reuse`], and ends as an [`Outcome`](gristmill_job::Outcome), whatever the guest does.
//! `Err` means that the host is unwell, and then the job is to be released.
//!
//! Three lifetimes: the *process* has the engine, the tick and the linker; a *plugin* has its
//! compiled code, checked imports and grants; an *attempt* has the store, its budgets and its deadline.
//! `capabilities/` has one file for each interface of the contract. Anything of WASI that isn't
//! granted is there all the same, and inert (`inert.rs`).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod attempt;
mod bindings;
mod blocking;
mod budget;
mod call;
mod capabilities;
mod check;
mod command;
mod compile;
mod compiled;
mod config;
mod describe;
mod described;
mod description;
mod engine;
mod error;
mod exports;
mod fault;
mod grants;
mod inert;
mod limiter;
mod limits;
mod log_book;
mod manifest;
mod mask;
mod misfit;
mod outbound;
mod output;
mod plugin;
mod report;
mod reuse;
mod sampler;
mod schema;
mod signature;
mod state;
mod stop;
mod store;
mod supervise;
mod terms;
mod values;
mod wasi;

pub use attempt::{Attempt, Runtime};
pub use check::Problem;
pub use command::{ARGS_HEADER, ENV_HEADER};
pub use compile::child::compile_child;
pub use compile::{CompileLimits, Compiler, CompilerChild};
pub use config::Config;
pub use describe::Function;
#[doc(hidden)]
pub use describe::read_and_check;
pub use described::{Described, Descriptions};
pub use description::Description;
pub use engine::{Allocator, EngineInfo, Occupancy};
pub use error::{Error, LoadError};
pub use grants::{Access, Folder, Grants, Hidden, HttpHost, Reach, Secret, Target};
pub use limits::{Limit, Limits, Unit};
pub use log_book::{Note, Notes, SilentNotes};
pub use manifest::{
    CommandRules, Fault, FunctionRules, Item, MANIFEST_BYTES_MAX, Manifest, Section, read_page,
};
pub use plugin::{Interface, Plugin};
pub use report::Report;
pub use reuse::Reuse;
pub use sampler::{Profile, SAMPLE_INTERVAL, Sampler};
pub use signature::Signature;
pub use state::{FollowUps, NoFollowUps};
pub use stop::Stop;
pub use store::{BACKGROUND_LOADS_MAX, FolderWatch, LastUsed, PluginStore};
pub use terms::{Admission, Busy, Terms};
