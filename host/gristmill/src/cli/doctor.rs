//! `gristmill doctor`: whether a Redis server is fit to keep jobs.

use clap::builder::FalseyValueParser;
use gristmill::Error as HostError;
use gristmill::job::SystemClock;
use gristmill::queue::redis::Options;
use gristmill::queue::redis::doctor::{Finding, Verdict, diagnose};
use gristmill::redis::RedisError;
use serde::Serialize;

use super::args::RedisUrlArgs;
use super::error::Error;
use super::exit::Exit;
use super::output::{self, tame};

/// Tell whether a Redis server is fit to keep jobs, and what to do where it isn't
///
/// Writes nothing to the server. Exits with 1 if jobs would be lost there or can't be kept at all.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill doctor --redis-url redis://127.0.0.1:6379/0")]
pub(crate) struct Args {
    #[command(flatten)]
    redis: RedisUrlArgs,
    /// Print JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// What was found, as JSON.
#[derive(Serialize)]
struct Diagnosis<'a> {
    server: String,
    verdict: &'static str,
    findings: Vec<FindingView<'a>>,
}

#[derive(Serialize)]
struct FindingView<'a> {
    name: &'static str,
    verdict: &'static str,
    found: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

impl<'a> From<&'a Finding> for FindingView<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            name: finding.name,
            verdict: finding.verdict.as_str(),
            found: &finding.found,
            remedy: finding.remedy.as_deref(),
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    let address = args.redis.address()?;
    let findings = diagnose(&address, &Options::default(), &SystemClock).await;
    let findings = findings.map_err(|error| HostError::from(RedisError::from(error)))?;
    let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    if args.json {
        output::json(&Diagnosis {
            server: address.to_string(),
            verdict: worst.as_str(),
            findings: findings.iter().map(FindingView::from).collect(),
        })?;
    } else {
        output::text(&shown(&findings))?;
    }
    Ok(if worst == Verdict::Fail { Exit::Unsuccessful } else { Exit::Completed })
}

/// A line for each finding, and one below it for what to do.
fn shown(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for Finding { name, verdict, found, remedy } in findings {
        lines.push(format!("{verdict:4}  {name:width$}  {}", tame(found)));
        lines.extend(remedy.as_ref().map(|remedy| format!("{:4}  {:width$}  > {remedy}", "", "")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_stands_below_what_it_is_for() {
        let finding = |name, verdict, remedy: Option<&str>| Finding {
            name,
            verdict,
            found: "found".to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let findings =
            [finding("role", Verdict::Ok, None), finding("memory", Verdict::Warn, Some("do"))];
        assert_eq!(
            shown(&findings),
            "ok    role    found\nwarn  memory  found\n              > do"
        );
    }
}
