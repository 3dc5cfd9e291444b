//! Traps at once, as a guest does that aborts.

use gristmill_guest::prelude::*;

/// Executes `unreachable`.
#[job]
fn trap() -> JobResult {
    std::process::abort()
}

gristmill_guest::export!(trap);
