//! A value that is dear to compute and the same for everybody: the cache remembers it, and one
//! attempt computes it for all that want it at one time.
//!
//! `pi-js` and `pi-python` are the same plugin in other languages.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

use std::time::Duration;

use gristmill_guest::prelude::*;
use serde::Serialize;

mod spigot;

pub use spigot::pi;

/// More take a job for seconds.
const DIGITS_MAX: u64 = 1_000;

/// How long digits are remembered: they don't change, and room in the cache is for all.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Digits of π.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub struct Digits {
    /// `3.` and the digits after the point, cut off and not rounded.
    digits: String,
    /// Whether the cache had them.
    cached: bool,
}

/// Gives π with so many digits after the point, from the cache if it has them.
#[job]
pub fn digits(ctx: &Ctx, input: u64) -> JobResult<Digits> {
    if !(1..=DIGITS_MAX).contains(&input) {
        let message = format!("{input} digits: from 1 to {DIGITS_MAX} can be had");
        return Err(JobError::fatal(message).code("digits").detail(&DIGITS_MAX));
    }
    let mut cached = true;
    let digits = ctx.cache().remember(&format!("pi:{input}"), REMEMBERED, || {
        cached = false;
        ctx.log(Level::Info, "computing", &[("digits", &input)]);
        JobResult::Ok(pi(input as usize, |done| ctx.progress(done as u64, input)))
    })?;
    Ok(Digits { digits, cached })
}

/// Has the digits of several lengths computed, each by a job of its own, and gives these jobs' ids.
#[job]
pub fn prepare(ctx: &Ctx, input: Vec<u64>) -> JobResult<Vec<String>> {
    let jobs = input
        .iter()
        .map(|length| Ok(NewJob::new("digits", length)?.unique_key(format!("pi:{length}"))))
        .collect::<JobResult<Vec<_>>>()?;
    let verdicts = ctx.enqueue(jobs)?;
    Ok(verdicts.iter().filter_map(Verdict::accepted).map(str::to_owned).collect())
}

gristmill_guest::export!(digits, prepare);

#[cfg(test)]
mod tests;
