//! Jobs page by page, and what one of them logged.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use gristmill_job::LogLine;
use gristmill_job::wire::JobView;
use gristmill_queue::{Cursor, Filter, Page};
use serde::{Deserialize, Serialize};

use crate::change::ChangeError;
use crate::limits;
use crate::parameters::{self, parse_given, parse_id};
use crate::problem::Problem;
use crate::routes::Front;

/// A page of jobs, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobsPage {
    /// The jobs; a page may be short, or empty, and not be the last.
    pub jobs: Vec<JobView>,
    /// Where to go on; `null`: this is the last page.
    pub cursor: Option<String>,
}

impl From<Page> for JobsPage {
    fn from(page: Page) -> Self {
        let jobs = page.jobs.iter().map(JobView::from).collect();
        Self { jobs, cursor: page.cursor.map(|Cursor(text)| text) }
    }
}

/// What a job logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsView {
    /// The lines of all its attempts, the oldest first.
    pub lines: Vec<LogLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    queue: Option<String>,
    state: Option<String>,
    plugin: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

impl TryFrom<ListQuery> for Filter {
    type Error = Problem;

    fn try_from(query: ListQuery) -> Result<Self, Problem> {
        Ok(Self {
            queue: parse_given("queue", query.queue.as_deref())?.unwrap_or_default(),
            state: parse_given("state", query.state.as_deref())?,
            plugin: parse_given("plugin", query.plugin.as_deref())?,
            cursor: query.cursor.map(Cursor),
            limit: parse_given("limit", query.limit.as_deref())?
                .unwrap_or(limits::PAGE_ITEMS_DEFAULT),
        })
    }
}

/// `GET /v1/jobs`.
pub(crate) async fn list(
    State(front): State<Front>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<JobsPage>, Problem> {
    let filter = Filter::try_from(parameters::query(query)?)?;
    Ok(Json(front.desk.queue.list(&filter).await?.into()))
}

/// `GET /v1/jobs/{id}/logs`.
pub(crate) async fn logs(
    State(front): State<Front>,
    Path(id): Path<String>,
) -> Result<Json<LogsView>, Problem> {
    let id = parse_id(&id)?;
    let lines = front.desk.queue.logs(id).await?.ok_or(ChangeError::UnknownJob(id))?;
    Ok(Json(LogsView { lines }))
}
