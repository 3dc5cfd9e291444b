//! `gristmill fsck`: whether all that a Redis server keeps of its queues fits together.

use clap::builder::FalseyValueParser;
use gristmill::queue::redis::check::{Checked, Fault};
use gristmill::queue::{Config, RedisQueue};
use gristmill::redis::RedisError;
use gristmill::{Error as HostError, Queue as _, QueueName};
use serde::Serialize;

use super::args::RedisUrlArgs;
use super::error::Error;
use super::exit::Exit;
use super::output::{self, tame};

/// Check that all a Redis server keeps of its queues fits together
///
/// Queues may be in use meanwhile. Only faults of keys that others have changed or the server has lost
/// are found: what workers do leaves none. Exits with 1 if faults are left.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  gristmill fsck --redis-url redis://127.0.0.1:6379/0 --queue default --repair"
)]
pub(crate) struct Args {
    #[command(flatten)]
    redis: RedisUrlArgs,
    /// Check only this queue; may be repeated [default: all queues]
    #[arg(long = "queue", value_name = "NAME")]
    queues: Vec<QueueName>,
    /// Repair what is found
    #[arg(long)]
    repair: bool,
    /// Print JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// What was found in a queue, as JSON.
#[derive(Serialize)]
struct QueueView<'a> {
    queue: &'a str,
    jobs: u64,
    counted: bool,
    found: u64,
    repaired: u64,
    left: u64,
    faults: Vec<FaultView<'a>>,
}

#[derive(Serialize)]
struct FaultView<'a> {
    kind: &'static str,
    subject: &'a str,
    detail: &'a str,
    repaired: bool,
}

impl<'a> QueueView<'a> {
    fn new(queue: &'a QueueName, checked: &'a Checked) -> Self {
        let faults = checked.faults.iter().map(|fault| FaultView {
            kind: fault.kind.as_str(),
            subject: &fault.subject,
            detail: &fault.detail,
            repaired: fault.repaired,
        });
        Self {
            queue: queue.as_str(),
            jobs: checked.jobs,
            counted: checked.counted,
            found: checked.found,
            repaired: checked.repaired,
            left: checked.left(),
            faults: faults.collect(),
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    let queue = RedisQueue::connect(args.redis.address()?, Config::default()).await;
    let queue = queue.map_err(|error| HostError::from(RedisError::from(error)))?;
    let mut names = args.queues;
    if names.is_empty() {
        names = queue.queues().await?;
    }
    let mut all = Vec::new();
    for name in names {
        let checked = queue.check(&name, args.repair).await?;
        if !args.json {
            output::text(&shown(&name, &checked))?;
        }
        all.push((name, checked));
    }
    if args.json {
        let views: Vec<_> =
            all.iter().map(|(name, checked)| QueueView::new(name, checked)).collect();
        output::json(&views)?;
    }
    let is_well = all.iter().all(|(_, checked)| checked.left() == 0);
    Ok(if is_well { Exit::Completed } else { Exit::Unsuccessful })
}

/// A line for the queue, and one below it for each fault.
fn shown(name: &QueueName, checked: &Checked) -> String {
    let mut line = format!("{name}: {}, {}", count(checked.jobs, "job"), faults(checked));
    if !checked.counted {
        line.push_str("; counters weren't compared, since jobs moved meanwhile");
    }
    let mut lines = vec![line];
    lines.extend(checked.faults.iter().map(fault));
    let more = checked.found - checked.faults.len() as u64;
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

fn faults(checked: &Checked) -> String {
    match (checked.found, checked.repaired) {
        (0, _) => "no faults".to_owned(),
        (found, 0) => count(found, "fault"),
        (found, repaired) => format!("{}, {repaired} repaired", count(found, "fault")),
    }
}

fn fault(fault: &Fault) -> String {
    let Fault { kind, subject, detail, repaired } = fault;
    let detail = if detail.is_empty() { String::new() } else { format!(": {}", tame(detail)) };
    let repaired = if *repaired { " (repaired)" } else { "" };
    format!("  {kind}  {}{detail}{repaired}", tame(subject))
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use gristmill::queue::redis::check::FaultKind;

    use super::*;

    #[test]
    fn a_queue_takes_one_line_and_so_does_each_fault() {
        let name = QueueName::default();
        let mut checked = Checked { jobs: 1, counted: true, ..Checked::default() };
        assert_eq!(shown(&name, &checked), "default: 1 job, no faults");
        let fault = |kind, detail: &str, repaired| Fault {
            kind,
            subject: "x".to_owned(),
            detail: detail.to_owned(),
            repaired,
        };
        checked.faults.push(fault(FaultKind::Misplaced, "not in later", true));
        checked.faults.push(fault(FaultKind::Orphaned, "", false));
        (checked.found, checked.repaired, checked.counted) = (5, 1, false);
        assert_eq!(
            shown(&name, &checked),
            "default: 1 job, 5 faults, 1 repaired; counters weren't compared, since jobs moved \
             meanwhile\n  misplaced  x: not in later (repaired)\n  orphaned  x\n  and 3 more"
        );
    }
}
