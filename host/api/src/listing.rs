//! Jobs page by page, and what one of them logged.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use gristmill_job::LogLine;
use gristmill_job::wire::JobView;
use gristmill_queue::{Cursor, Filter, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::change::ChangeError;
use crate::limits;
use crate::parameters::{self, parse_given, parse_id};
use crate::problem::Problem;
use crate::routes::Front;

/// A page of jobs, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogsView {
    /// The lines of all its attempts, the oldest first.
    pub lines: Vec<LogLine>,
}

/// Which jobs to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The queue; `default`, if not said.
    #[param(value_type = Option<gristmill_job::QueueName>)]
    queue: Option<String>,
    /// Only jobs in this state.
    #[param(value_type = Option<gristmill_job::StateName>)]
    state: Option<String>,
    /// Only jobs of this plugin.
    #[param(value_type = Option<gristmill_job::PluginName>)]
    plugin: Option<String>,
    /// Where to go on, as the page before said.
    cursor: Option<String>,
    /// How many jobs at most; pages have a bound of their own, too.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295i64)]
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
            limit: parse_given::<u32>("limit", query.limit.as_deref())?
                .map_or(limits::PAGE_ITEMS_DEFAULT, |limit| limit as usize),
        })
    }
}

/// List jobs of one queue, the newest first, page by page
#[utoipa::path(get, path = "/v1/jobs", operation_id = "listJobs", tag = "jobs", params(ListQuery),
    responses((status = 200, body = JobsPage, description = "A page")))]
pub(crate) async fn list(
    State(front): State<Front>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<JobsPage>, Problem> {
    let filter = Filter::try_from(parameters::query(query)?)?;
    Ok(Json(front.desk.queue.list(&filter).await?.into()))
}

/// Show what a job's attempts logged
#[utoipa::path(get, path = "/v1/jobs/{id}/logs", operation_id = "showLogs", tag = "jobs",
    params(("id" = gristmill_job::JobId, Path, description = "The job's id")),
    responses((status = 200, body = LogsView, description = "The lines")))]
pub(crate) async fn logs(
    State(front): State<Front>,
    Path(id): Path<String>,
) -> Result<Json<LogsView>, Problem> {
    let id = parse_id(&id)?;
    let lines = front.desk.queue.logs(id).await?.ok_or(ChangeError::UnknownJob(id))?;
    Ok(Json(LogsView { lines }))
}
