//! Does whatever its caller wants a job to do: end well, take its time, or fail.

#![expect(clippy::disallowed_methods, reason = "a guest has no event to wait for")]

use std::{thread, time::Duration};

use gristmill_guest::prelude::*;

/// Ends well at once.
#[job]
fn well(input: Payload) -> JobResult<Payload> {
    Ok(input)
}

/// Ends well after as many milliseconds as the input says.
#[job]
fn slowly(input: u64) -> JobResult<u64> {
    thread::sleep(Duration::from_millis(input));
    Ok(input)
}

/// Fails on its first attempts, as many as the input says.
#[job]
fn later(ctx: &Ctx, input: u32) -> JobResult<u32> {
    if ctx.attempt() <= input {
        bail_retry!("not on attempt {}", ctx.attempt());
    }
    Ok(ctx.attempt())
}

/// Fails for good.
#[job]
fn never() -> JobResult {
    bail_fatal!("never")
}

/// Traps.
#[job]
fn badly() -> JobResult {
    std::process::abort()
}

gristmill_guest::export!(well, slowly, later, never, badly);
