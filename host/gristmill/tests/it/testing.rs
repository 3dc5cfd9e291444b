//! The harness for tests of whole hosts.

use std::time::Duration;

use gristmill::cache::Space;
use gristmill::job::{Start, StateName};
use gristmill::testing::{Harness, START};
use gristmill::{Event, Host, NewJob, OutcomeKind, Payload, cases};
use serde_json::json;

use crate::command::root;

async fn harness(folder: &str) -> Harness {
    let builder = Host::builder().plugins_dir(root().join("target").join(folder)).concurrency(2);
    Harness::start(builder).await.unwrap()
}

fn job(plugin: &str, function: &str, input: Payload) -> NewJob {
    let mut job = NewJob::new(plugin.parse().unwrap(), input);
    job.function = Some(function.parse().unwrap());
    job
}

#[tokio::test]
async fn a_delayed_job_runs_when_the_test_says_that_its_time_has_come() {
    let harness = harness("plugins").await;
    let mut later = job("echo", "echo", Payload::text("hi"));
    later.start = Start::After(Duration::from_secs(3_600));
    let id = later.id;
    assert_eq!(harness.run(later).await.unwrap().state.name(), StateName::Scheduled);
    harness.advance(Duration::from_secs(3_599)).await.unwrap();
    harness.run_until_idle().await.unwrap();
    assert_eq!(harness.job(id).await.unwrap().unwrap().attempt, 0);
    harness.advance(Duration::from_secs(1)).await.unwrap();
    harness.run_until_idle().await.unwrap();
    let done = harness.job(id).await.unwrap().unwrap();
    assert_eq!((done.attempt, done.outcome), (1, Some(OutcomeKind::Completed)));
    assert_eq!(done.started_at, Some(START.after(Duration::from_secs(3_600))));
    harness.shutdown().await.unwrap();
}

#[tokio::test]
async fn retries_run_to_the_end_without_anybody_waiting_for_them() {
    let harness = harness("test-guests").await;
    let first = harness.run(job("moody", "later", Payload::json(&json!(3)))).await.unwrap();
    assert_eq!((first.state.name(), first.failures), (StateName::Scheduled, 1));
    harness.run_to_the_end().await.unwrap();
    let done = harness.job(first.spec.id).await.unwrap().unwrap();
    assert_eq!((done.state.name(), done.attempt), (StateName::Completed, 4));
    assert!(harness.now().since(START) >= Duration::from_secs(2), "{:?}", harness.now());
    harness.shutdown().await.unwrap();
}

#[tokio::test]
async fn events_are_waited_for_one_after_another() {
    let harness = harness("plugins").await;
    let id = harness.enqueue(job("pi", "digits", Payload::json(&json!(5)))).await.unwrap();
    let logged = harness.next(|event| matches!(event, Event::Logged { .. })).await.unwrap();
    assert!(matches!(logged, Event::Logged { job, .. } if job == id));
    let settled = harness.next(|event| matches!(event, Event::Settled { .. })).await.unwrap();
    assert!(matches!(settled, Event::Settled { outcome: OutcomeKind::Completed, .. }));
    // What was answered once isn't answered again.
    let other = harness.enqueue(job("pi", "digits", Payload::json(&json!(6)))).await.unwrap();
    let settled = harness.next(|event| matches!(event, Event::Settled { .. })).await.unwrap();
    assert!(matches!(settled, Event::Settled { job, .. } if job.id == other));
    let events = harness.events();
    assert!(events.iter().any(|event| matches!(event, Event::AttemptStarted { .. })));
    harness.shutdown().await.unwrap();
}

#[tokio::test]
async fn jobs_of_jobs_and_the_cache_can_be_looked_at() {
    let harness = harness("plugins").await;
    harness.run(job("pi", "prepare", Payload::json(&json!([3, 4])))).await.unwrap();
    let jobs = harness.jobs().await.unwrap();
    let functions: Vec<&str> =
        jobs.iter().map(|job| job.spec.function.as_ref().unwrap().as_str()).collect();
    assert_eq!(functions, ["prepare", "digits", "digits"]);
    assert!(jobs.iter().all(|job| job.outcome == Some(OutcomeKind::Completed)));
    let space = Space::Plugin("pi".parse().unwrap());
    let digits = harness.cached(&space, "pi:3").await.unwrap().unwrap();
    assert_eq!(digits, "3.141");
    assert_eq!(harness.cached(&space, "pi:5").await.unwrap(), None);
    harness.shutdown().await.unwrap();
}

#[tokio::test]
async fn cases_are_one_line_of_a_test() {
    let report = cases::run_all(root().join("plugins/echo")).await.unwrap();
    assert!(report.is_passed(), "{report}");
    assert!(report.to_string().ends_with(" passed, 0 failed"), "{report}");
}
