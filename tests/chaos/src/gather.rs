//! What the queue has kept in the end.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use anyhow::ensure;
use gristmill_job::{JobId, QueueName, StateName, time};
use gristmill_queue::{Error, Filter, Queue};

use crate::history::{History, Record, Standing, is_final};
use crate::journal::Journal;

/// The wait before a question without an answer is asked again.
const AGAIN: Duration = Duration::from_millis(50);

/// The longest wait in one request: where the message of a job's end is lost with a connection, the
/// figures shall not tell of how long a client waits before it looks again.
const ONE_WAIT_MAX: Duration = Duration::from_millis(500);

/// Waits for a job's end, whatever happens to the connection; false: it has none yet.
pub(crate) async fn wait_for(
    queue: &dyn Queue,
    id: JobId,
    patience: Duration,
) -> anyhow::Result<bool> {
    let begun = time::monotonic();
    loop {
        let left = patience.saturating_sub(begun.elapsed());
        match queue.wait(id, left.min(ONE_WAIT_MAX)).await {
            Ok(Some(job)) if is_final(job.state.name()) => return Ok(true),
            // A server that forgot the job won't remember it.
            Ok(None) => return Ok(true),
            Ok(Some(_)) if left.is_zero() => return Ok(false),
            Err(error) if left.is_zero() => return Err(error.into()),
            Ok(Some(_)) => {}
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Waits until all jobs that were accepted so far have come to their end.
pub(crate) async fn wait_for_all(
    queue: &dyn Queue,
    journal: &Journal,
    patience: Duration,
) -> anyhow::Result<()> {
    let begun = time::monotonic();
    let accepted: Vec<JobId> = journal.pages().accepted.iter().map(|job| job.id).collect();
    for id in accepted {
        let left = patience.saturating_sub(begun.elapsed());
        if !wait_for(queue, id, left).await? {
            // The checker tells of all that are left.
            break;
        }
    }
    Ok(())
}

/// The history, once nobody adds to it any more.
pub(crate) async fn history(queue: &dyn Queue, journal: &Journal) -> anyhow::Result<History> {
    let mut history = {
        let pages = journal.pages();
        History {
            accepted: pages.accepted.clone(),
            seen: pages.seen.clone(),
            kills: pages.kills.clone(),
            rollbacks: pages.rollbacks.clone(),
            ..History::default()
        }
    };
    for name in queue.queues().await? {
        history.queues.push(standing(queue, name).await?);
    }
    let listed = history.queues.iter().flat_map(|queue| &queue.listed).map(|(_, id)| *id);
    let known: BTreeSet<JobId> = history.accepted.iter().map(|job| job.id).chain(listed).collect();
    history.records = records(queue, &known).await?;
    Ok(history)
}

async fn records(
    queue: &dyn Queue,
    ids: &BTreeSet<JobId>,
) -> anyhow::Result<HashMap<JobId, Record>> {
    let mut records = HashMap::new();
    for id in ids {
        let Some(job) = queue.get(*id).await? else { continue };
        ensure!(job.spec.id == *id, "asked for {id}, the queue gave {}", job.spec.id);
        let state = job.state.name();
        let (attempt, failures, crashes) = (job.attempt, job.failures, job.crashes);
        records.insert(*id, Record { state, attempt, failures, crashes });
    }
    Ok(records)
}

async fn standing(queue: &dyn Queue, name: QueueName) -> anyhow::Result<Standing> {
    let mut listed = Vec::new();
    for state in StateName::ALL {
        let ids = list(queue, &name, state).await?;
        listed.extend(ids.into_iter().map(|id| (state, id)));
    }
    Ok(Standing { status: queue.status(&name).await?, listed })
}

async fn list(queue: &dyn Queue, name: &QueueName, state: StateName) -> Result<Vec<JobId>, Error> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let filter = Filter {
            queue: name.clone(),
            state: Some(state),
            plugin: None,
            cursor,
            limit: usize::MAX,
        };
        let page = queue.list(&filter).await?;
        ids.extend(page.jobs.iter().map(|job| job.spec.id));
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(ids);
        }
    }
}
