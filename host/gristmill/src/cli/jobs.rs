//! `gristmill jobs`: the jobs of a queue.

use clap::builder::FalseyValueParser;
use gristmill::job::StateName;
use gristmill::job::wire::JobView;
use gristmill::queue::{Cursor, Filter};
use gristmill::{PluginName, QueueName};

use super::door::{Door, DoorArgs};
use super::error::Error;
use super::exit::Exit;
use super::output;
use super::report::table;

/// List the jobs of a queue, the newest first
///
/// With --json, each line is a job with all that is known of it.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill jobs --state failed --plugin wordcount
  gristmill jobs --queue bulk --limit 1000 --json")]
pub(crate) struct Args {
    /// The queue [default: default]
    #[arg(long, value_name = "NAME", env = "GRISTMILL_QUEUE", hide_env_values = true)]
    queue: Option<QueueName>,
    /// Only jobs in this state: scheduled, queued, running, completed, failed or cancelled
    #[arg(long, value_name = "STATE")]
    state: Option<StateName>,
    /// Only jobs of this plugin
    #[arg(long, value_name = "NAME")]
    plugin: Option<PluginName>,
    /// How many jobs at most
    #[arg(long, value_name = "N", default_value = "50")]
    limit: usize,
    #[command(flatten)]
    door: DoorArgs,
    /// Print each job as a line of JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    let door = args.door.open().await?;
    let mut listing = Listing {
        filter: Filter {
            queue: args.queue.unwrap_or_default(),
            state: args.state,
            plugin: args.plugin,
            cursor: None,
            limit: args.limit,
        },
        goes_on: args.limit > 0,
    };
    let mut rows = Vec::new();
    while listing.goes_on {
        for job in listing.more(&door).await? {
            if args.json {
                output::json_line(&job)?;
            } else {
                rows.push(row(&job));
            }
        }
    }
    if !args.json {
        let head = ["ID", "STATE", "PLUGIN", "FUNCTION", "ATTEMPT", "ENQUEUED", "ERROR"];
        output::text(&output::tame(&table(head, &rows)))?;
    }
    if listing.filter.cursor.is_some() {
        output::note(&format!("there are more than {}; --limit shows them", args.limit));
    }
    Ok(Exit::Completed)
}

/// Pages up to a limit.
struct Listing {
    /// What is asked for next.
    filter: Filter,
    goes_on: bool,
}

impl Listing {
    async fn more(&mut self, door: &Door) -> Result<Vec<JobView>, Error> {
        let page = door.list(&self.filter).await?;
        self.filter.cursor = page.cursor.map(Cursor);
        self.filter.limit = self.filter.limit.saturating_sub(page.jobs.len());
        self.goes_on = self.filter.limit > 0 && self.filter.cursor.is_some();
        Ok(page.jobs)
    }
}

fn row(job: &JobView) -> [String; 7] {
    [
        job.id.to_string(),
        job.state.to_string(),
        job.plugin.clone(),
        job.function.clone().unwrap_or_default(),
        job.attempt.to_string(),
        job.enqueued_at.to_string(),
        job.error.as_ref().map(|error| error.code.clone()).unwrap_or_default(),
    ]
}
