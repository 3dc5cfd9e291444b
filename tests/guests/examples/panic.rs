//! Panics; the message must reach the job's log before the trap.

use gristmill_guest::prelude::*;

/// Panics with the input as its message.
#[job(name = "panic")]
fn panics(input: String) -> JobResult {
    panic!("{input}")
}

gristmill_guest::export!(panics);
