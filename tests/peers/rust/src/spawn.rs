//! A process for each job: what people do who want jobs apart from one another.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{clock, payload};

/// Starts `command` for each job with its payload behind it, and tells how long all and each took.
pub(crate) fn measure(jobs: usize, at_once: usize, command: &[String]) -> Result<Value> {
    let next = AtomicUsize::new(0);
    let begun = clock::now();
    let times = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..at_once).map(|_| scope.spawn(|| in_turn(&next, jobs, command))).collect();
        let times = threads.into_iter().map(|thread| match thread.join() {
            Ok(times) => times,
            Err(_) => bail!("a thread that starts processes panicked"),
        });
        times.collect::<Result<Vec<_>>>()
    })?;
    let seconds = clock::ms_since(begun) / 1e3;
    Ok(json!({ "began_ns": begun, "seconds": seconds, "ms": times.concat() }))
}

fn in_turn(next: &AtomicUsize, jobs: usize, command: &[String]) -> Result<Vec<f64>> {
    let [program, arguments @ ..] = command else { bail!("which command?") };
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= jobs {
            return Ok(times);
        }
        let begun = clock::now();
        let mut child = Command::new(program);
        child.args(arguments).arg(payload(number)).stdin(Stdio::null());
        let status = child.status().with_context(|| format!("{program} doesn't start"))?;
        times.push(clock::ms_since(begun));
        if !status.success() {
            bail!("{program}: {status}");
        }
    }
}
