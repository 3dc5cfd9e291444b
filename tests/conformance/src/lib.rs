//! The rules that every queue and every cache keeps, as tests for each back-end.
//!
//! A rule is one function whose name is the rule; the lists in [`mod@queue`] and [`mod@cache`] are
//! what back-ends face. A back-end is one line in a test binary:
//!
//! ```text
//! gristmill_conformance::queue! { memory => crate::Memory }
//! ```
//!
//! which makes one test for each rule, such as `memory::leases::a_leased_job_is_hidden`. A rule that
//! is not listed is dead code, so the compiler finds it. `model` compares a back-end with a simple
//! model over random lives; a failure prints its seed, and `GRISTMILL_SEED` replays it.

#![expect(clippy::unwrap_used, reason = "a case that can't go on has failed")]

pub mod cache;
mod list;
pub mod queue;
mod seed;
mod time;

pub use time::{Fixed, Time};

/// Says loudly what a back-end lacks whose rules are therefore left out.
#[expect(clippy::print_stderr, reason = "what a test leaves out must be seen")]
fn is_left_out(lacks: Option<String>) -> bool {
    if let Some(lacks) = &lacks {
        eprintln!("SKIPPED: {lacks}");
    }
    lacks.is_some()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
