//! Calls at a rate: each is made when its time has come, whatever became of those before, and its time
//! counts from then. A queue that falls behind shows as much.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::clock;

/// What comes of each call, which is given its number and the moment at which it was due.
pub(crate) async fn at_rate<F, T>(
    jobs: usize,
    rate: u32,
    call: impl Fn(usize, u64) -> F + Send + 'static,
) -> Result<Vec<T>>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    let runtime = Handle::current();
    // The runtime's own timers are late by up to a millisecond, which is more than many jobs take.
    let paced = tokio::task::spawn_blocking(move || {
        let (mut calls, begun) = (JoinSet::new(), clock::now());
        for number in 0..jobs {
            let due = begun + number as u64 * 1_000_000_000 / u64::from(rate);
            while let wait = due.saturating_sub(clock::now())
                && wait > 0
            {
                std::thread::park_timeout(Duration::from_nanos(wait));
            }
            calls.spawn_on(call(number, due), &runtime);
        }
        calls
    });
    let (mut calls, mut ended) = (paced.await?, Vec::with_capacity(jobs));
    while let Some(call) = calls.join_next().await {
        ended.push(call??);
    }
    Ok(ended)
}
