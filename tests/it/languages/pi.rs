//! The cache, the log, failures and follow-ups, alike in every language.

use std::path::Path;

use gristmill_job::{Disposition, LogLevel, Payload};
use gristmill_runtime::Plugin;
use gristmill_tests::Sandbox;
use serde_json::json;

use super::{C, LANGUAGES, failure, lines, run, sandbox, value};

/// π with so many digits after the point.
const FIFTY: &str = "3.14159265358979323846264338327950288419716939937510";

#[tokio::test]
async fn pi_is_the_same_in_every_language() {
    for language in LANGUAGES {
        check(language).await;
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "nobody should believe that it was run")]
async fn pi_is_the_same_in_c() {
    if compiles_c() {
        check(C).await;
    } else {
        eprintln!("left out: pi in C, which scripts/c-toolchain has no compiler for");
    }
}

/// Whether scripts/c-toolchain finds a compiler here, or fails.
fn compiles_c() -> bool {
    Path::new("/usr/bin/apt-get").exists()
}

async fn check(language: &str) {
    let sandbox = sandbox();
    let file = super::plugin("pi", language);
    let plugin = sandbox.runtime.load_file(&file).await.expect("it loads");
    check_digits(&sandbox, &plugin).await;
    check_failures(&sandbox, &plugin).await;
    check_follow_ups(&sandbox, &plugin).await;
}

async fn check_digits(sandbox: &Sandbox, plugin: &Plugin) {
    let digits = |length: u32| run(sandbox, plugin, "digits", Payload::json(&json!(length)));
    let first = value(&digits(50).await);
    assert_eq!(first, json!({"digits": FIFTY, "cached": false}), "{plugin:?}");
    let second = value(&digits(50).await);
    assert_eq!(second, json!({"digits": FIFTY, "cached": true}), "{plugin:?}");
    let fields = vec![("digits".to_owned(), "50".to_owned())];
    assert_eq!(lines(sandbox), [(LogLevel::Info, "computing".to_owned(), fields)], "{plugin:?}");

    let long = value(&digits(250).await);
    let long = long["digits"].as_str().expect("digits");
    assert!(long.starts_with(FIFTY) && long.ends_with("2712019091") && long.len() == 252, "{long}");
    lines(sandbox);
    let progress = sandbox.recorded.progress.lock().expect("no panic").pop().expect("some");
    assert_eq!((progress.done, progress.total), (200, Some(250)), "{plugin:?}");
}

async fn check_failures(sandbox: &Sandbox, plugin: &Plugin) {
    let report = run(sandbox, plugin, "digits", Payload::json(&json!(1001))).await;
    let (error, disposition) = failure(&report);
    assert_eq!((error.code.as_str(), disposition), ("digits", Disposition::Fatal), "{plugin:?}");
    assert_eq!(error.message, "1001 digits: from 1 to 1000 can be had", "{plugin:?}");
    assert_eq!(error.detail, Some(Payload::json(&json!(1000))), "{plugin:?}");

    let report = run(sandbox, plugin, "digits", Payload::json(&json!("many"))).await;
    let (error, disposition) = failure(&report);
    let found = (error.code.as_str(), disposition);
    assert_eq!(found, ("invalid-input", Disposition::Fatal), "{plugin:?}");
    // The host refuses it where the plugin describes its types, as that in Rust does; else the SDK does.
    let refusals = ["invalid input: ", "input: expected integer, got \"many\""];
    let is_known = refusals.iter().any(|refusal| error.message.starts_with(refusal));
    assert!(is_known, "{plugin:?}: {}", error.message);
}

async fn check_follow_ups(sandbox: &Sandbox, plugin: &Plugin) {
    let report = run(sandbox, plugin, "prepare", Payload::json(&json!([10, 20]))).await;
    let ids: Vec<String> = report.follow_ups.iter().map(|job| job.id.to_string()).collect();
    assert_eq!(value(&report), json!(ids), "{plugin:?}");
    let [ten, twenty] = &report.follow_ups[..] else { panic!("{:?}", report.follow_ups) };
    assert_eq!(ten.unique_key.as_ref().map(|key| key.as_str()), Some("pi:10"), "{plugin:?}");
    assert_eq!(twenty.input, Payload::json(&json!(20)), "{plugin:?}");
    let digits = run(sandbox, plugin, "digits", ten.input.clone()).await;
    assert_eq!(value(&digits)["digits"], "3.1415926535", "{plugin:?}");
    lines(sandbox);
}
