//! Recurses until the stack ends.

use std::hint::black_box;

use gristmill_guest::prelude::*;

/// Calls itself without end.
#[job]
fn recurse() -> JobResult<u64> {
    Ok(deeper(0))
}

#[expect(unconditional_recursion, reason = "it is what this guest is for")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1))) + 1
}

gristmill_guest::export!(recurse);
