//! Instances that are used again: only where that is asked for, after nothing but success, and with
//! nothing of one attempt in the next but the guest's own memory.

use std::time::Duration;

use gristmill_job::{Outcome, OutcomeKind, Payload};
use gristmill_runtime::{Allocator, Config, Limits, Occupancy, Plugin, Report, Stop};
use gristmill_tests::{Sandbox, a_job};
use serde_json::json;

const REUSED: &str = "reuse = { jobs_max = 100, idle = '5m' }\n";

async fn remembering(sandbox: &Sandbox, manifest: &str) -> Plugin {
    sandbox.guest_with("remembers", manifest).await.expect("it loads")
}

async fn call(sandbox: &Sandbox, plugin: &Plugin, function: &str, input: u64) -> Report {
    let input = match function {
        "count" | "take" => Payload::json(&json!(input)),
        _ => Payload::none(),
    };
    sandbox.attempt(plugin, a_job("remembers", function, input), 1, None).await
}

/// Which run of its instance a job was.
async fn run(sandbox: &Sandbox, plugin: &Plugin, function: &str, input: u64) -> u64 {
    let report = call(sandbox, plugin, function, input).await;
    let Outcome::Completed { result: Some(result) } = &report.outcome else { panic!("{report:?}") };
    serde_json::from_slice(&result.data).expect("a number")
}

async fn count(sandbox: &Sandbox, plugin: &Plugin) -> u64 {
    run(sandbox, plugin, "count", 0).await
}

#[tokio::test]
pub(crate) async fn remembers() {
    let sandbox = Sandbox::new();
    let plugin = remembering(&sandbox, REUSED).await;
    for expected in 1..=3 {
        assert_eq!(count(&sandbox, &plugin).await, expected);
    }
    let plain = remembering(&sandbox, "").await;
    for _ in 0..2 {
        assert_eq!(count(&sandbox, &plain).await, 1, "nobody asked for it");
    }
}

#[tokio::test]
async fn an_instance_runs_no_more_jobs_than_it_may() {
    let sandbox = Sandbox::new();
    let plugin = remembering(&sandbox, "reuse = { jobs_max = 3 }").await;
    let mut runs = Vec::new();
    for _ in 0..7 {
        runs.push(count(&sandbox, &plugin).await);
    }
    assert_eq!(runs, [1, 2, 3, 1, 2, 3, 1]);
}

#[tokio::test]
async fn what_did_not_complete_is_not_used_again() {
    let sandbox = Sandbox::new();
    let manifest = format!("{REUSED}[limits]\nmemory = '4MiB'\nwall = '200ms'\ncpu = '100ms'");
    let plugin = remembering(&sandbox, &manifest).await;
    let ends = [
        ("fail", OutcomeKind::Failed),
        ("trap", OutcomeKind::Trapped),
        ("hang", OutcomeKind::LimitExceeded),
        ("take", OutcomeKind::LimitExceeded),
    ];
    for (function, kind) in ends {
        assert_eq!(count(&sandbox, &plugin).await, 1, "before {function}");
        let report = call(&sandbox, &plugin, function, 8 << 20).await;
        assert_eq!(report.outcome.kind(), kind, "{report:?}");
        if function == "fail" {
            let error = report.outcome.error().expect("an error");
            assert_eq!(error.message, "run 2", "it was used again until then");
        }
    }
    assert_eq!(count(&sandbox, &plugin).await, 1);
}

#[tokio::test]
async fn what_was_asked_to_end_is_not_used_again() {
    let sandbox = Sandbox::new();
    let manifest = format!("{REUSED}cancel_grace = '1m'");
    let plugin = remembering(&sandbox, &manifest).await;
    assert_eq!(count(&sandbox, &plugin).await, 1);
    let stop = Stop::new();
    stop.cancel();
    let job = a_job("remembers", "count", Payload::json(&json!(0)));
    let attempt = sandbox.an_attempt(job, 1, None, stop);
    let report = sandbox.runtime.run(&plugin, attempt).await.expect("the host is well");
    assert_eq!(report.outcome.kind(), OutcomeKind::Completed, "{report:?}");
    assert_eq!(count(&sandbox, &plugin).await, 1);
}

#[tokio::test]
async fn what_keeps_a_handle_of_the_hosts_is_not_used_again() {
    let sandbox = Sandbox::new();
    let plugin = remembering(&sandbox, REUSED).await;
    assert_eq!(count(&sandbox, &plugin).await, 1);
    assert_eq!(run(&sandbox, &plugin, "hold", 0).await, 2);
    assert_eq!(count(&sandbox, &plugin).await, 1);
}

#[tokio::test]
async fn what_is_in_the_middle_of_a_line_is_not_used_again() {
    let sandbox = Sandbox::new();
    let plugin = remembering(&sandbox, REUSED).await;
    assert_eq!(count(&sandbox, &plugin).await, 1);
    assert_eq!(run(&sandbox, &plugin, "mutter", 0).await, 2);
    assert_eq!(count(&sandbox, &plugin).await, 1);
    assert_eq!(sandbox.recorded.messages()[1], "to be continued");
}

#[tokio::test]
async fn an_instance_serves_one_loaded_plugin_and_one_set_of_limits() {
    let sandbox = Sandbox::new();
    let manifest = format!("{REUSED}[functions.take.limits]\nmemory = '128MiB'");
    let (old, new) =
        (remembering(&sandbox, &manifest).await, remembering(&sandbox, &manifest).await);
    assert_eq!(count(&sandbox, &old).await, 1);
    assert_eq!(count(&sandbox, &new).await, 1, "it is the next version's");
    // This sandbox has room for one that waits.
    assert_eq!(run(&sandbox, &new, "take", 1).await, 1, "its limits are others");
}

#[tokio::test]
async fn every_attempt_has_budgets_a_log_and_a_name_of_its_own() {
    let sandbox = Sandbox::new();
    let manifest = format!("{REUSED}[limits]\ncache_ops = 3\nlog_lines = 1");
    let plugin = remembering(&sandbox, &manifest).await;
    for expected in 1..=3 {
        let job = a_job("remembers", "count", Payload::json(&json!(3)));
        let line = format!("run {expected} of job {}", job.id);
        let report = sandbox.attempt(&plugin, job, 1, None).await;
        assert_eq!(report.outcome.kind(), OutcomeKind::Completed, "{report:?}");
        assert_eq!((report.usage.cache_ops.used, report.usage.log_bytes.used > 0), (3, true));
        assert_eq!(sandbox.recorded.messages().pop(), Some(line));
    }
}

#[tokio::test]
async fn memory_that_an_earlier_attempt_took_counts() {
    let sandbox = Sandbox::new();
    let manifest = format!("{REUSED}[limits]\nmemory = '16MiB'");
    let plugin = remembering(&sandbox, &manifest).await;
    assert_eq!(run(&sandbox, &plugin, "take", 6 << 20).await, 1);
    let report = call(&sandbox, &plugin, "count", 0).await;
    assert!(report.usage.memory_peak_bytes.used > 6 << 20, "{report:?}");
    assert_eq!(run(&sandbox, &plugin, "take", 6 << 20).await, 3);
    let report = call(&sandbox, &plugin, "take", 6 << 20).await;
    let error = report.outcome.error().expect("an error");
    assert_eq!(error.limit.as_deref(), Some("memory"), "{report:?}");
    assert_eq!(run(&sandbox, &plugin, "take", 6 << 20).await, 1);
}

#[tokio::test]
async fn a_secret_that_a_guest_has_kept_stays_hidden() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, "hunter2").expect("the secret");
    let manifest = format!("{REUSED}[grants.secrets]\nkey = {{ file = {path:?} }}");
    let plugin = remembering(&sandbox, &manifest).await;
    for expected in 1..=3 {
        assert_eq!(run(&sandbox, &plugin, "keep", 0).await, expected);
    }
    assert_eq!(sandbox.recorded.messages(), ["it is [secret key]", "it is [secret key]"]);
}

#[tokio::test]
async fn what_waits_gives_its_place_to_whoever_needs_it() {
    let sandbox = Sandbox::with_slots(Allocator::Pooled, 1).expect("a pool");
    let (plugin, other) =
        (remembering(&sandbox, REUSED).await, remembering(&sandbox, REUSED).await);
    assert_eq!(count(&sandbox, &plugin).await, 1);
    assert_eq!(count(&sandbox, &plugin).await, 2);
    assert_eq!(count(&sandbox, &other).await, 1, "there was a place for it");
    assert_eq!(count(&sandbox, &plugin).await, 1);
}

#[tokio::test]
async fn only_a_share_of_the_pool_waits() {
    let config = Config { slots: 8, limits: Limits::default(), ..Config::default() };
    let sandbox = Sandbox::with_config(config);
    let mut plugins = Vec::new();
    for _ in 0..4 {
        let plugin = remembering(&sandbox, REUSED).await;
        assert_eq!(count(&sandbox, &plugin).await, 1);
        plugins.push(plugin);
    }
    if let Some(taken) = sandbox.runtime.occupancy() {
        assert_eq!(taken.component_instances, 2, "a quarter of eight");
    }
    assert_eq!(count(&sandbox, &plugins[3]).await, 2, "the last ones wait");
    assert_eq!(count(&sandbox, &plugins[0]).await, 1, "the first ones gave up");
}

#[tokio::test]
async fn what_nobody_uses_again_is_given_up() {
    let sandbox = Sandbox::new();
    let plugin = remembering(&sandbox, "reuse = { jobs_max = 100, idle = '100ms' }").await;
    assert_eq!(count(&sandbox, &plugin).await, 1);
    let given_up = async {
        while sandbox.runtime.occupancy().unwrap_or_default() != Occupancy::default() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), given_up).await.expect("it is given up");
}
