//! Computes for ever without calling the host.

use std::hint::black_box;

use gristmill_guest::prelude::*;

/// Never returns.
#[job]
fn spin() -> JobResult {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

gristmill_guest::export!(spin);
