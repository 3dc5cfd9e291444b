//! Waiting for a job, and telling what became of it: `job wait` and `enqueue --wait`.

use std::time::Duration;

use gristmill::job::StateName;
use gristmill::{CancellationToken, JobId};

use super::door::Door;
use super::error::Error;
use super::exit::Exit;
use super::output;
use super::report::{self, Tail};
use super::signals::Signals;

/// Waits for a job to end and prints its result, or with `json` the job. A job that is no longer
/// waited for goes on.
pub(crate) async fn wait(
    door: &Door,
    id: JobId,
    patience: Option<Duration>,
    json: bool,
) -> Result<Exit, Error> {
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let _signals = Signals::listen(stop.clone(), abort)?;
    let found = tokio::select! {
        found = door.wait(id, patience) => found?,
        () = stop.cancelled() => {
            output::complain(&format!("no longer waiting for job {id}, which goes on"));
            return Ok(Exit::Interrupted);
        }
    };
    let job = found.ok_or_else(|| Error::unknown_job(id))?;
    if matches!(job.state, StateName::Scheduled | StateName::Queued | StateName::Running) {
        output::complain(&format!("job {id} is still {} and goes on", job.state));
        return Ok(Exit::TimedOut);
    }
    // The job object has its result as JSON; only the raw one is as the function gave it.
    let result = if json { None } else { door.result(id).await? };
    let had_one = job.result.is_some() || job.result_base64.is_some();
    if !json && had_one && result.is_none() {
        return Err(Error::NotFound(format!("the result of job {id} isn't kept any more")));
    }
    report::tell(&job, result.as_ref(), json, Tail::Log)
}
