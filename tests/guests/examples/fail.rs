//! Fails in the three ways that a job can.

use std::time::Duration;

use gristmill_guest::prelude::*;

/// Fails, to be retried by the job's policy.
#[job]
fn retry(input: Payload) -> JobResult {
    Err(JobError::retry("may pass").code("flaky").detail(&input))
}

/// Fails, to be retried after as many milliseconds as the input says.
#[job]
fn retry_after(input: u64) -> JobResult {
    Err(JobError::retry_after(Duration::from_millis(input), "may pass later").code("http-503"))
}

/// Fails for good.
#[job]
fn fatal(input: Payload) -> JobResult {
    Err(JobError::fatal("won't pass").code("hopeless").detail(&input))
}

gristmill_guest::export!(retry, retry_after, fatal);
