//! Logs more than an attempt may.

use gristmill_guest::prelude::*;

/// Logs as many lines as the input says, each with its number.
#[job]
fn log_flood(ctx: &Ctx, input: u64) -> JobResult<u64> {
    for line in 1..=input {
        ctx.log(Level::Info, "one of many", &[("line", &line)]);
    }
    Ok(input)
}

gristmill_guest::export!(log_flood);
