//! What users do to a job: cancel, retry, remove.

use axum::Json;
use axum::extract::{Path, State};
use gristmill_job::wire::JobView;
use gristmill_job::{Job, JobId, StateName};
use gristmill_queue::{Changed, Queue};

use crate::parameters::{Nothing, parse_id};
use crate::problem::Problem;
use crate::routes::Front;

/// What may be done to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// End it: at once where it waits, by its worker where it runs.
    Cancel,
    /// Run it again, once it has failed or was cancelled.
    Retry,
    /// Forget it, unless it runs.
    Remove,
}

/// Why a job wasn't changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such job, or no longer.
    #[error("there is no job {0}; finished jobs are kept for a while only")]
    UnknownJob(JobId),
    /// Its state doesn't allow it.
    #[error("job {id} is {state}: {rule}")]
    WrongState {
        /// The job.
        id: JobId,
        /// Its state.
        state: StateName,
        /// What would be right.
        rule: &'static str,
    },
    /// Its unique key is held by this job.
    #[error("the unique key is held by job {0}")]
    UniqueConflict(JobId),
    /// The queue can't be asked.
    #[error(transparent)]
    Queue(#[from] gristmill_queue::Error),
}

impl Change {
    /// Does it to a job; the job as it is now, or as it was when it was removed. Only a cancelled
    /// job may still be running: its worker settles it.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn apply(self, queue: &dyn Queue, id: JobId) -> Result<Job, ChangeError> {
        let changed = match self {
            Self::Cancel => queue.cancel(id).await?,
            Self::Retry => queue.requeue(id).await?,
            Self::Remove => queue.remove(id).await?,
        };
        match changed {
            Changed::Done(job) => Ok(*job),
            Changed::NotFound => Err(ChangeError::UnknownJob(id)),
            Changed::Refused(job) => {
                let (state, rule) = (job.state.name(), self.rule());
                Err(ChangeError::WrongState { id, state, rule })
            }
            Changed::UniqueConflict(owner) => Err(ChangeError::UniqueConflict(owner)),
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Cancel => "only jobs that wait or run can be cancelled",
            Self::Retry => "only failed and cancelled jobs can be retried",
            Self::Remove => "a running job can't be removed before it is cancelled or has ended",
        }
    }
}

/// Cancel a job
///
/// One that waits ends at once. One that runs is marked, and its worker stops it; it may still end in
/// another way before that.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", operation_id = "cancelJob", tag = "jobs",
    params(("id" = gristmill_job::JobId, Path, description = "The job's id")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 200, body = JobView, description = "The job as it is now")))]
pub(crate) async fn cancel(
    State(front): State<Front>,
    Path(id): Path<String>,
    _: Nothing,
) -> Result<Json<JobView>, Problem> {
    change(&front, &id, Change::Cancel).await
}

/// Run a failed or cancelled job again
///
/// With its counters of failures and crashes at zero.
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", operation_id = "retryJob", tag = "jobs",
    params(("id" = gristmill_job::JobId, Path, description = "The job's id")),
    request_body(content = Nothing, description = "An empty object, so that no page of another origin can ask for it"),
    responses((status = 200, body = JobView, description = "The job as it is now")))]
pub(crate) async fn retry(
    State(front): State<Front>,
    Path(id): Path<String>,
    _: Nothing,
) -> Result<Json<JobView>, Problem> {
    change(&front, &id, Change::Retry).await
}

/// Forget a job that isn't running
#[utoipa::path(delete, path = "/v1/jobs/{id}", operation_id = "removeJob", tag = "jobs",
    params(("id" = gristmill_job::JobId, Path, description = "The job's id")),
    responses((status = 200, body = JobView, description = "The job as it was")))]
pub(crate) async fn remove(
    State(front): State<Front>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    change(&front, &id, Change::Remove).await
}

async fn change(front: &Front, id: &str, change: Change) -> Result<Json<JobView>, Problem> {
    let job = change.apply(&*front.desk.queue, parse_id(id)?).await?;
    Ok(Json(JobView::from(&job)))
}
