//! Running a queue's failed jobs again, all of them.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use gristmill_job::{Job, PluginName, QueueName, StateName};

use crate::{Changed, Error, Filter, Queue};

/// Jobs that are requeued at one time: enough that a back-end on the network is never waited for one
/// job at a time, few enough to leave it room for its workers.
const AT_ONE_TIME: usize = 32;

/// How many failed jobs run again, and how many can't.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requeued {
    /// Jobs that wait again.
    pub requeued: u64,
    /// Jobs that stay failed, because their unique key is held by another job.
    pub conflicts: u64,
}

/// Requeues the failed jobs of a queue, or those of one plugin, page by page from the newest on. A
/// job that fails again meanwhile is not requeued a second time; safe to repeat, and to drop
/// half-way.
///
/// # Errors
/// [`Error::Unavailable`]: some of the jobs may wait again already.
pub async fn requeue_failed(
    queue: &dyn Queue,
    name: &QueueName,
    plugin: Option<&PluginName>,
) -> Result<Requeued, Error> {
    let mut filter = Filter {
        queue: name.clone(),
        state: Some(StateName::Failed),
        plugin: plugin.cloned(),
        cursor: None,
        // As many as the queue's own bound allows.
        limit: usize::MAX,
    };
    let mut all = Requeued::default();
    loop {
        let page = queue.list(&filter).await?;
        let some = requeue_page(queue, page.jobs).await?;
        all.requeued += some.requeued;
        all.conflicts += some.conflicts;
        if page.cursor.is_none() {
            return Ok(all);
        }
        filter.cursor = page.cursor;
    }
}

async fn requeue_page(queue: &dyn Queue, jobs: Vec<Job>) -> Result<Requeued, Error> {
    let changes = stream::iter(jobs.into_iter().map(|job| queue.requeue(job.spec.id)));
    let count = async |mut so_far: Requeued, changed| {
        match changed {
            Changed::Done(_) => so_far.requeued += 1,
            Changed::UniqueConflict(_) => so_far.conflicts += 1,
            // Somebody else was quicker.
            Changed::NotFound | Changed::Refused(_) => {}
        }
        Ok(so_far)
    };
    changes.buffered(AT_ONE_TIME).try_fold(Requeued::default(), count).await
}
