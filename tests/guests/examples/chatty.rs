//! Makes more calls of the host than an attempt may.

use gristmill_guest::prelude::*;

/// Asks for the attempt's number as often as the input says.
#[job]
fn chatty(ctx: &Ctx, input: u64) -> JobResult<u64> {
    for _ in 0..input {
        ctx.attempt();
    }
    Ok(input)
}

gristmill_guest::export!(chatty);
