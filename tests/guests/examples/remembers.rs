//! Remembers in its memory what its instance has run.

use std::{
    hint::black_box,
    io::{self, Write as _},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use gristmill_guest::prelude::*;

static RUNS: AtomicU32 = AtomicU32::new(0);

static KEPT: OnceLock<String> = OnceLock::new();

fn runs() -> u32 {
    RUNS.fetch_add(1, Ordering::Relaxed) + 1
}

/// Which run of its instance this is; prints that, and uses the cache as often as the input says.
#[job]
fn count(ctx: &Ctx, input: u32) -> JobResult<u32> {
    let runs = runs();
    println!("run {runs} of job {}", ctx.job_id());
    for _ in 0..input {
        ctx.cache().set("k", "v")?;
    }
    Ok(runs)
}

/// Counts, and prints a line that it doesn't end.
#[job]
fn mutter() -> JobResult<u32> {
    print!("to be continued");
    io::stdout().flush()?;
    Ok(runs())
}

/// Counts, and fails.
#[job]
fn fail() -> JobResult<u32> {
    bail_retry!("run {}", runs())
}

/// Counts, and traps.
#[job]
fn trap() -> JobResult<u32> {
    black_box(runs());
    std::process::abort()
}

/// Counts, and never ends.
#[job]
fn hang() -> JobResult<u32> {
    loop {
        black_box(runs());
    }
}

/// Counts, and keeps a handle of the host's.
#[job]
fn hold() -> JobResult<u32> {
    std::mem::forget(wasip2::clocks::monotonic_clock::subscribe_duration(1));
    Ok(runs())
}

/// Counts, and takes as many more bytes of memory as the input says, for good.
#[job]
fn take(input: usize) -> JobResult<u32> {
    black_box(vec![1_u8; input].leak());
    Ok(runs())
}

/// Counts, and keeps a secret; prints the one that it has kept before.
#[job]
fn keep(ctx: &Ctx) -> JobResult<u32> {
    match KEPT.get() {
        Some(secret) => println!("it is {secret}"),
        None => drop(KEPT.set(ctx.secret("key")?)),
    }
    Ok(runs())
}

gristmill_guest::export!(count, mutter, fail, trap, hang, hold, take, keep);
