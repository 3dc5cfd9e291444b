//! A worker that can't reach the server: it has to know by itself when its lease ends.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use gristmill_job::JobId;

use crate::history::{ProcessNumber, What};
use crate::journal::Journal;
use crate::plan::{Fault, Way};
use crate::producer::{a_long_job, offer};
use crate::run::{Options, connect, set_up};

/// How long everything may take: the first attempt has begun, and the second one, elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of a job whose worker was cut off while it ran. Times are from the cut.
#[derive(Debug, Clone, Copy)]
pub struct Fenced {
    /// When its first worker gave it up.
    pub given_up: Duration,
    /// When another one began it.
    pub begun_again: Duration,
}

/// Cuts the worker of a long job off until another one has begun the job, and both have said so.
///
/// # Errors
/// It couldn't be carried out, or nobody did anything within a minute.
pub async fn fence(options: &Options) -> anyhow::Result<Fenced> {
    let (mut stage, plugins) = set_up(options)?;
    for _ in 0..options.workers {
        stage.hire()?;
    }
    let journal = Arc::clone(&stage.journal);
    let direct = connect(&stage.server.url()).await?;
    let job = a_long_job()?;
    let id = job.id;
    offer(&*direct, job, &journal).await?;
    let (_, owner) = told(&journal, id, 1, What::Begun).await?;
    let worker = (0..options.workers)
        .find(|worker| stage.process(*worker).is_ok_and(|process| process.number == owner))
        .context("somebody began the job")?;
    let fault = Fault::Swallowed(Way::Worker(worker));
    let cut = journal.now();
    stage.begin(fault, Duration::ZERO, true)?;
    let (begun_again, other) = told(&journal, id, 2, What::Begun).await?;
    let (given_up, first) = told(&journal, id, 1, What::Stopped).await?;
    stage.end(fault)?;
    ensure!(other != owner && first == owner, "{other:?} took over from {owner:?}");
    drop(plugins);
    Ok(Fenced {
        given_up: given_up.saturating_sub(cut),
        begun_again: begun_again.saturating_sub(cut),
    })
}

/// Waits until somebody says this of an attempt.
async fn told(
    journal: &Journal,
    id: JobId,
    attempt: u32,
    what: What,
) -> anyhow::Result<(Duration, ProcessNumber)> {
    let telling = async {
        loop {
            let more = journal.more();
            let pages = journal.pages().seen.clone();
            let found = pages.iter().find(|s| (s.job, s.attempt, s.what) == (id, attempt, what));
            if let Some(seen) = found {
                return (seen.at, seen.process);
            }
            more.await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, telling).await;
    told.with_context(|| format!("nobody said {what:?} of attempt {attempt} within {PATIENCE:?}"))
}
