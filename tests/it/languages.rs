//! Plugins in Rust, JavaScript, Python and C: equal ones give equal answers, and each reaches all that the
//! host has.

mod pi;
mod probe;
mod typed;
mod wordcount;

use std::path::PathBuf;

use gristmill_job::{ErrorReport, LogLevel, Outcome, Payload};
use gristmill_runtime::{Config, Plugin, Report};
use gristmill_tests::{Sandbox, a_job, kept_code};
use serde_json::Value;

/// The ends of the names of equal plugins in languages with an SDK.
const LANGUAGES: [&str; 3] = ["", "-js", "-python"];

/// That of plugins in C, for which a machine may have no compiler.
const C: &str = "-c";

/// A sandbox that keeps compiled code: the unoptimised compiler of a test takes a minute and more for
/// a Python interpreter.
fn sandbox() -> Sandbox {
    Sandbox::with_config(Config { slots: 4, compiled_dir: Some(kept_code()), ..Config::default() })
}

/// The component of a shipped plugin in a language.
fn plugin(name: &str, language: &str) -> PathBuf {
    let name = format!("{name}{language}");
    match language {
        "" | C => gristmill_tests::plugin(&name),
        _ => gristmill_tests::interpreted(&name),
    }
}

async fn run(sandbox: &Sandbox, plugin: &Plugin, function: &str, input: Payload) -> Report {
    let job = a_job(plugin.name().as_str(), function, input);
    sandbox.attempt(plugin, job, 1, None).await
}

#[track_caller]
fn payload(report: &Report) -> &Payload {
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("no result: {:?}", report.outcome)
    };
    result
}

#[track_caller]
fn value(report: &Report) -> Value {
    serde_json::from_slice(&payload(report).data).expect("JSON")
}

/// The failure, and what to do about it.
#[track_caller]
fn failure(report: &Report) -> (&ErrorReport, gristmill_job::Disposition) {
    let Outcome::Failed { error, disposition } = &report.outcome else {
        panic!("no failure: {:?}", report.outcome)
    };
    (error, *disposition)
}

/// A line of log: its level, what it says, and its fields.
type Line = (LogLevel, String, Vec<(String, String)>);

/// Takes the lines of log so far.
fn lines(sandbox: &Sandbox) -> Vec<Line> {
    let log = std::mem::take(&mut *sandbox.recorded.log.lock().expect("no panic"));
    log.into_iter().map(|line| (line.level, line.message, line.fields)).collect()
}
