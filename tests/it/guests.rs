//! Guests that misbehave on purpose, and some that don't: what each comes to. A guest without a
//! test of its name doesn't compile.

use std::time::Duration;

use gristmill_cache::{Cache as _, Key, SetOptions};
use gristmill_job::{Disposition, ErrorReport, LogLevel, NewJob, Outcome, OutcomeKind, Payload};
use gristmill_runtime::{Allocator, Limits, Report, Stop};
use gristmill_tests::{Sandbox, a_job};
use serde_json::{Value, json};

use crate::http::http_user;
use crate::keyvalue::{keyvalue_draft, keyvalue_draft2};
use crate::manifest::granted;
use crate::program::program;
use crate::reuse::remembers;
use crate::single_flight::single_flight;
use crate::wasi_http::wasi_http_user;

include!(concat!(env!("OUT_DIR"), "/guest.rs"));

macro_rules! assert_test_exists {
    ($name:ident) => {
        const _: fn() = $name;
    };
}

foreach_guest!(assert_test_exists);

/// A guest's only function, without input.
fn only(guest: &str) -> NewJob {
    a_job(guest, "", Payload::none())
}

#[track_caller]
fn error(report: &Report, expected: OutcomeKind) -> &ErrorReport {
    assert_eq!(report.outcome.kind(), expected, "{:?}", report.outcome);
    report.outcome.error().expect("an error")
}

#[track_caller]
fn limit(report: &Report) -> &str {
    error(report, OutcomeKind::LimitExceeded).limit.as_deref().expect("a limit's name")
}

#[track_caller]
fn result(report: &Report) -> Value {
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("no result: {:?}", report.outcome)
    };
    serde_json::from_slice(&result.data).expect("JSON")
}

#[tokio::test]
async fn trap() {
    let report = Sandbox::new().run(only("trap")).await;
    let error = error(&report, OutcomeKind::Trapped);
    assert_eq!(error.code, "unreachable");
    assert!(!error.backtrace.is_empty(), "{error:?}");
    assert_eq!(error.fingerprint.len(), 16);
}

#[tokio::test]
async fn panic() {
    let report = Sandbox::new().run(a_job("panic", "", Payload::text("out of cheese"))).await;
    let error = error(&report, OutcomeKind::Trapped);
    assert!(error.log_tail.iter().any(|line| line.contains("out of cheese")), "{error:?}");
    assert!(error.backtrace.iter().any(|frame| frame.contains("panic")), "{error:?}");
}

#[tokio::test]
async fn spin() {
    let limits = Limits { wall: Duration::from_millis(100), ..Limits::default() };
    let report = Sandbox::with_limits(limits).run(only("spin")).await;
    let error = error(&report, OutcomeKind::TimedOut);
    assert_eq!(error.limit.as_deref(), Some("wall"));
    assert!(report.usage.cpu_us.used >= 50_000, "{:?}", report.usage);
    assert!(report.usage.wall_us.used >= 100_000, "{:?}", report.usage);
}

#[tokio::test]
async fn spinning_ends_at_the_limit_of_cpu_time_too() {
    let limits = Limits { cpu: Duration::from_millis(50), ..Limits::default() };
    let report = Sandbox::with_limits(limits).run(only("spin")).await;
    assert_eq!(limit(&report), "cpu");
}

#[tokio::test]
async fn spin_in_host_calls() {
    let limits = Limits { host_calls_max: 10_000, ..Limits::default() };
    let report = Sandbox::with_limits(limits).run(only("spin-in-host-calls")).await;
    assert_eq!(limit(&report), "host_calls");
    assert_eq!(report.usage.host_calls.used, 10_001);
}

#[tokio::test]
async fn chatty() {
    let sandbox = Sandbox::new();
    let calls = |n: u64| a_job("chatty", "", Payload::json(&json!(n)));
    let allowed = Limits::default().host_calls_max;
    assert_eq!(result(&sandbox.run(calls(allowed)).await), json!(allowed));
    assert_eq!(limit(&sandbox.run(calls(allowed + 1)).await), "host_calls");
}

#[tokio::test]
async fn allocate() {
    let report = Sandbox::new().run(only("allocate")).await;
    assert_eq!(limit(&report), "memory");
    let memory = report.usage.memory_peak_bytes;
    assert!(memory.used <= memory.allowed && memory.used > memory.allowed / 2, "{memory:?}");
}

#[tokio::test]
async fn recurse() {
    let report = Sandbox::new().run(only("recurse")).await;
    assert_eq!(limit(&report), "stack");
}

#[tokio::test]
async fn moody() {
    let sandbox = Sandbox::new();
    let run = |function, input| sandbox.run(a_job("moody", function, Payload::json(&input)));
    assert_eq!(result(&run("well", json!("x")).await), json!("x"));
    assert_eq!(result(&run("slowly", json!(1)).await), json!(1));
    assert_eq!(result(&run("later", json!(0)).await), json!(1));
    error(&run("later", json!(1)).await, OutcomeKind::Failed);
    let run = |function| sandbox.run(a_job("moody", function, Payload::none()));
    assert_eq!(error(&run("never").await, OutcomeKind::Failed).message, "never");
    error(&run("badly").await, OutcomeKind::Trapped);
}

#[tokio::test]
async fn huge_result() {
    let report = Sandbox::new().run(only("huge-result")).await;
    assert_eq!(limit(&report), "memory");
}

#[tokio::test]
async fn big_result() {
    let report = Sandbox::new().run(only("big-result")).await;
    assert!(["result", "hostcall_bytes"].contains(&limit(&report)), "{report:?}");
}

#[tokio::test]
async fn a_result_beyond_what_one_call_may_hand_over_hits_its_limit() {
    let limits = Limits { hostcall_bytes_max: 1 << 20, ..Limits::default() };
    let report = Sandbox::with_limits(limits).run(only("big-result")).await;
    assert_eq!(limit(&report), "hostcall_bytes");
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "what is skipped says so")]
async fn leftovers() {
    // Locking comes last: from then on all of the process's memory is locked.
    for allocator in [
        Allocator::PooledWithScan,
        Allocator::Pooled,
        Allocator::OnDemand,
        Allocator::PooledAndLocked,
    ] {
        let may_be_missing =
            matches!(allocator, Allocator::PooledWithScan | Allocator::PooledAndLocked);
        // With a single slot, every attempt is the next tenant of the last.
        let sandbox = match Sandbox::with_slots(allocator, 1) {
            Ok(sandbox) => sandbox,
            Err(error) if may_be_missing => {
                eprintln!(
                    "not tested with {allocator:?}, which this machine doesn't allow: {error}"
                );
                continue;
            }
            Err(error) => panic!("{allocator:?}: {error}"),
        };
        let plugin = sandbox.guest("leftovers").await;
        // Less than what stays mapped of a slot, more than it, and less again.
        for pages in [4, 64, 700, 64, 4] {
            let job = a_job("leftovers", "", Payload::json(&json!(pages)));
            let report = sandbox.attempt(&plugin, job, 1, None).await;
            assert_eq!(result(&report), json!(0), "{pages} pages with {allocator:?}");
        }
    }
}

#[tokio::test]
async fn fail() {
    let sandbox = Sandbox::new();
    let check = async |function, input: Value, disposition, code: &str| {
        let report = sandbox.run(a_job("fail", function, Payload::json(&input))).await;
        let Outcome::Failed { error, disposition: given } = &report.outcome else {
            panic!("{:?}", report.outcome)
        };
        assert_eq!((*given, error.code.as_str()), (disposition, code));
    };
    check("retry", json!("x"), Disposition::Retry, "flaky").await;
    let later = Disposition::RetryAfter(Duration::from_millis(1_500));
    check("retry_after", json!(1_500), later, "http-503").await;
    check("fatal", json!("x"), Disposition::Fatal, "hopeless").await;
    check("retry_after", json!("soon"), Disposition::Fatal, "invalid-input").await;
    check("retyr", json!(1), Disposition::Fatal, "unknown-function").await;
}

#[tokio::test]
async fn log_flood() {
    let sandbox = Sandbox::new();
    let report = sandbox.run(a_job("log-flood", "", Payload::json(&json!(5_000)))).await;
    let messages = sandbox.recorded.messages();
    let lines_max = usize::try_from(Limits::default().log_lines_max).expect("it fits");
    assert!(messages.len() <= lines_max + 1, "{}", messages.len());
    assert!(messages.last().expect("a line").contains("the log is full"));
    let log = report.usage.log_bytes;
    assert!(log.used <= log.allowed, "{log:?}");
}

#[tokio::test]
async fn cache_calls() {
    let plan = json!({"bucket": "", "calls": [["set", "k", "v"], ["get", "k"], ["get", ""]]});
    let report = Sandbox::new().run(a_job("cache-calls", "", Payload::json(&plan))).await;
    let answers = result(&report);
    assert_eq!((&answers[0], &answers[1]), (&json!({"Ok": null}), &json!({"Ok": "v"})));
    assert!(answers[2]["Err"].to_string().contains("0 bytes"), "{answers}");
}

#[tokio::test]
async fn cache_hits() {
    let sandbox = Sandbox::new();
    let times = |n: u64| a_job("cache-hits", "", Payload::json(&json!(n)));
    assert_eq!(result(&sandbox.run(times(3)).await), json!(0));
    let (space, key) = ("plugin:cache-hits".parse().expect("a space"), "wanted");
    let key = Key::new(key, &gristmill_cache::Config::default()).expect("a key");
    let stored = sandbox.cache.set(&space, &key, "x".into(), SetOptions::default()).await;
    assert!(stored.expect("it is stored"));
    let report = sandbox.run(times(3)).await;
    assert_eq!((result(&report), report.usage.cache_ops.used), (json!(3), 3));
}

#[tokio::test]
async fn cache_user() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest("cache-user").await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let report = sandbox.attempt(&plugin, only("cache-user"), 1, None).await;
        assert!(report.usage.cache_ops.used > 10, "{:?}", report.usage);
        seen.push(result(&report));
    }
    assert_eq!((&seen[0]["before"], &seen[0]["computed"]), (&Value::Null, &json!(true)));
    assert_eq!((&seen[1]["before"], &seen[1]["computed"]), (&seen[0]["after"], &json!(false)));
    assert_eq!((&seen[0]["runs"], &seen[1]["runs"]), (&json!(1), &json!(2)));
    assert_eq!(seen[1]["many"], json!([2, null, 1]));
    assert_eq!(seen[1]["keys"], json!(["many:a", "many:b"]));
    let flags = ["stored_where_absent", "swapped", "deleted"].map(|key| &seen[1][key]);
    assert_eq!(flags, [&json!(false), &json!(true), &json!(false)]);
}

#[tokio::test]
async fn reserve() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest("reserve").await;
    let attempt = async |end: &str| {
        let mut job = a_job("reserve", "", Payload::text(end));
        job.timeout = (end == "spin").then_some(Duration::from_millis(100));
        sandbox.attempt(&plugin, job, 1, None).await.outcome
    };
    for (end, expected) in [
        ("trap", OutcomeKind::Trapped),
        ("spin", OutcomeKind::TimedOut),
        ("fail", OutcomeKind::Failed),
        ("return", OutcomeKind::Completed),
    ] {
        assert_eq!(attempt(end).await.kind(), expected, "{end}");
        let next = attempt("return").await;
        let reserved = Outcome::Completed { result: Some(Payload::text("reserved")) };
        assert_eq!(next, reserved, "after an attempt that ended by {end}");
    }
}

#[tokio::test]
async fn follow_up() {
    let sandbox = Sandbox::new();
    let parent = only("follow-up");
    let parent_id = parent.id;
    let report = sandbox.run(parent).await;
    assert_eq!(report.follow_ups.len(), 2);
    for (i, child) in report.follow_ups.iter().enumerate() {
        assert_eq!((child.parent, child.depth), (Some(parent_id), 1));
        assert_eq!(child.headers.get("child"), Some(i.to_string().as_str()));
    }
}

#[tokio::test]
async fn an_attempt_that_fails_enqueues_nothing_on_success() {
    let plan = Payload::json(&json!({"fail": true}));
    let report = Sandbox::new().run(a_job("follow-up", "", plan)).await;
    assert_eq!(report.outcome.kind(), OutcomeKind::Failed);
    assert!(report.follow_ups.is_empty());
}

#[tokio::test]
async fn an_attempt_may_enqueue_only_so_many_jobs() {
    let plan = Payload::json(&json!({"children": 101}));
    let report = Sandbox::new().run(a_job("follow-up", "", plan)).await;
    let error = error(&report, OutcomeKind::Failed);
    assert!(error.message.contains("follow_ups"), "{error:?}");
}

#[tokio::test]
async fn an_attempt_may_hold_only_so_many_handles() {
    let plan = Payload::json(&json!({"children": 5_000}));
    let report = Sandbox::new().run(a_job("follow-up", "", plan)).await;
    assert_eq!(limit(&report), "handles");
}

#[tokio::test]
async fn a_chain_of_jobs_ends_at_its_depth() {
    let mut job = only("follow-up");
    job.depth = gristmill_job::limits::DEPTH_MAX;
    let report = Sandbox::new().run(job).await;
    assert!(report.follow_ups.is_empty());
    assert!(result(&report)[0].as_str().expect("a verdict").contains("16 deep"));
}

#[tokio::test]
async fn checkpoints() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest("checkpoints").await;
    let job = a_job("checkpoints", "", Payload::text("so far"));
    let first = sandbox.attempt(&plugin, job.clone(), 1, None).await;
    assert_eq!(first.outcome.kind(), OutcomeKind::Failed);
    let saved = sandbox.recorded.checkpoints.lock().expect("no panic").pop();
    assert!(saved.is_some());
    let second = sandbox.attempt(&plugin, job, 2, saved).await;
    assert_eq!(second.outcome, Outcome::Completed { result: Some(Payload::text("so far")) });
}

#[tokio::test]
async fn reads_context() {
    let sandbox = Sandbox::new();
    let asked = json!({"headers": ["Tenant", "other"], "secrets": ["key"]});
    let mut job = a_job("reads-context", "", Payload::json(&asked));
    let (id, parent) = (job.id, gristmill_job::JobId::random());
    job.parent = Some(parent);
    let header = ("tenant".to_owned(), "acme".to_owned());
    job.headers = gristmill_job::Headers::new([header]).expect("a header");
    let known = result(&sandbox.run(job).await);
    assert_eq!(known["job_id"], id.to_string());
    assert_eq!(known["parent_id"], parent.to_string());
    assert_eq!((&known["queue"], &known["attempt"]), (&json!("default"), &json!(1)));
    assert_eq!(known["max_attempts"], 5);
    assert_eq!(known["enqueued_at_ms"], 1_777_636_800_000_u64);
    assert_eq!(known["headers"], json!({"Tenant": "acme", "other": null}));
    assert!(known["remaining_ms"].as_u64().is_some_and(|left| left > 0 && left <= 30_000));
    assert!(known["secrets"]["key"].to_string().contains("access-denied"), "{known}");
}

#[tokio::test]
async fn wait_for_cancel() {
    let limits = Limits { host_calls_max: u64::MAX, ..Limits::default() };
    let sandbox = Sandbox::with_limits(limits);
    let plugin = sandbox.guest("wait-for-cancel").await;
    let cancel = Stop::new();
    let attempt = sandbox.an_attempt(only("wait-for-cancel"), 1, None, cancel.clone());
    let run = sandbox.runtime.run(&plugin, attempt);
    let (report, ()) = tokio::join!(run, async { cancel.cancel() });
    assert_eq!(report.expect("the host is well").outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn wasi_user() {
    let sandbox = Sandbox::new();
    let answers = result(&sandbox.run(only("wasi-user")).await);
    for works in ["unix_seconds", "slept", "hash"] {
        assert!(answers[works]["Ok"].is_string(), "{works}: {answers}");
    }
    for empty in ["variables", "arguments"] {
        assert_eq!(answers[empty]["Ok"], "0", "{empty}: {answers}");
    }
    for refused in ["read_dir", "open", "create", "create_dir", "connect", "bind", "resolve"] {
        assert!(answers[refused]["Err"].is_string(), "{refused}: {answers}");
    }
    let lines = sandbox.recorded.log.lock().expect("no panic");
    let said = |text: &str| lines.iter().find(|line| line.message == text).map(|line| line.level);
    assert_eq!(said("to the standard output"), Some(LogLevel::Info));
    assert_eq!(said("to the standard error"), Some(LogLevel::Warn));
}
