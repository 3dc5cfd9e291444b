//! Jobs page by page, what they logged, and what is done to them.

use std::time::Duration;

use gristmill_api::{Change, JobsPage, Kind, LogsView};
use gristmill_job::wire::JobView;
use gristmill_job::{JobId, LogLine};
use gristmill_queue::{Cursor, Filter};
use reqwest::Method;

use super::{Client, Error};

impl Client {
    /// Jobs of one queue, the newest first, a page at a time.
    ///
    /// # Errors
    /// [`Error`]; a cursor that the daemon didn't give is refused.
    pub async fn list(&self, filter: &Filter) -> Result<JobsPage, Error> {
        let mut query = vec![
            ("queue", filter.queue.to_string()),
            // A daemon of this version has smaller pages anyway.
            ("limit", filter.limit.min(u32::MAX as usize).to_string()),
        ];
        query.extend(filter.state.map(|state| ("state", state.to_string())));
        query.extend(filter.plugin.iter().map(|plugin| ("plugin", plugin.to_string())));
        query.extend(filter.cursor.iter().map(|Cursor(text)| ("cursor", text.clone())));
        let request = self.http.get(self.url("/v1/jobs")).query(&query);
        self.read(self.insist(request, Duration::ZERO).await?).await
    }

    /// The log lines that a job's attempts left, the oldest first; none, if it isn't kept any more.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn logs(&self, id: JobId) -> Result<Option<Vec<LogLine>>, Error> {
        match self.look::<LogsView>(&format!("/v1/jobs/{id}/logs")).await {
            Ok(logs) => Ok(Some(logs.lines)),
            Err(Error::Refused(problem)) if problem.is(Kind::UnknownJob) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a job to be cancelled: at once where it waits, by its worker where it runs. Answers
    /// the job as it is now.
    ///
    /// # Errors
    /// [`Error`]; a job that is unknown, or has ended, is [`Error::Refused`].
    pub async fn cancel(&self, id: JobId) -> Result<JobView, Error> {
        self.change(id, Change::Cancel).await
    }

    /// Runs a failed or cancelled job again. Answers the job as it is now.
    ///
    /// # Errors
    /// [`Error`]; a job that is unknown, or in another state, or whose unique key is held by
    /// another, is [`Error::Refused`].
    pub async fn retry(&self, id: JobId) -> Result<JobView, Error> {
        self.change(id, Change::Retry).await
    }

    /// Forgets a job that isn't running. Answers the job as it was.
    ///
    /// # Errors
    /// [`Error`]; a job that is unknown, or runs, is [`Error::Refused`].
    pub async fn remove(&self, id: JobId) -> Result<JobView, Error> {
        self.change(id, Change::Remove).await
    }

    /// Changes a job.
    ///
    /// # Errors
    /// [`Error`]; a change that isn't possible is [`Error::Refused`].
    pub async fn change(&self, id: JobId, change: Change) -> Result<JobView, Error> {
        let (method, path) = match change {
            Change::Cancel => (Method::POST, format!("/v1/jobs/{id}/cancel")),
            Change::Retry => (Method::POST, format!("/v1/jobs/{id}/retry")),
            Change::Remove => (Method::DELETE, format!("/v1/jobs/{id}")),
        };
        self.ask(method, &path, None).await
    }
}
