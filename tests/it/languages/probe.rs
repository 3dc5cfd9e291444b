//! All that the SDKs for JavaScript and Python have, against the real host.

use std::time::Duration;

use gristmill_job::{
    Clock as _, Disposition, LogLevel, OutcomeKind, Payload, Start, SystemClock, Timestamp,
};
use gristmill_runtime::{Manifest, Plugin};
use gristmill_tests::{Sandbox, a_job};
use serde_json::{Value, json};

use super::{failure, lines, payload, run, sandbox, value};

#[tokio::test]
async fn javascript_reaches_all_that_the_host_has() {
    check("probe-js", &[(LogLevel::Info, "printed")]).await;
}

#[tokio::test]
async fn python_reaches_all_that_the_host_has() {
    let printed = [(LogLevel::Info, "printed"), (LogLevel::Warn, "logged 1")];
    check("probe-python", &printed).await;
}

async fn check(name: &str, printed: &[(LogLevel, &str)]) {
    let sandbox = sandbox();
    let manifest = Manifest::parse(b"[config]\nsize = 'small'", sandbox.runtime.limits_max());
    let bytes = std::fs::read(gristmill_tests::guest(name)).expect("the guest");
    let name = gristmill_job::PluginName::new(name).expect("a name");
    let loaded = sandbox.runtime.load_with(name, bytes.into(), manifest.expect("a manifest")).await;
    let plugin = loaded.expect("it loads");
    check_cache(&sandbox, &plugin).await;
    check_context(&sandbox, &plugin).await;
    check_ends(&sandbox, &plugin).await;
    check_chance(&sandbox, &plugin).await;
    check_log(&sandbox, &plugin, printed).await;
    check_enqueue(&sandbox, &plugin).await;
    check_checkpoint(&sandbox, &plugin).await;
    let picture = run(&sandbox, &plugin, "bytes", Payload::bytes(&b"\0\xff"[..])).await;
    let picture = payload(&picture);
    assert_eq!((picture.content_type.as_str(), &*picture.data), ("image/png", &b"\0\xff"[..]));
}

async fn check_cache(sandbox: &Sandbox, plugin: &Plugin) {
    let found = value(&run(sandbox, plugin, "cache", Payload::none()).await);
    let expected = json!({
        "got": {"ü": [1, null]},
        "none": null,
        "has_time": true,
        "exists": [true, false],
        "conditions": [false, false],
        "swapped": [true, false, true, "new"],
        "touched": [true, null, false],
        "sums": [40, -10],
        "text": [true, "ü"],
        "bytes": [true, [0, 255]],
        "many": [null, [1, null, 2], 1, ["many:2"], 1, true],
        "reserved": [true, true, true, "filled"],
        "released": [null, true],
        "refused": ["invalid", "too-large", "invalid", "invalid"],
    });
    assert_eq!(found, expected);
}

async fn check_context(sandbox: &Sandbox, plugin: &Plugin) {
    let mut job = a_job(plugin.name().as_str(), "context", Payload::none());
    let header = ("tenant".to_owned(), "acme".to_owned());
    job.headers = gristmill_job::Headers::new([header]).expect("a header");
    let id = job.id.to_string();
    let found = value(&sandbox.attempt(plugin, job, 2, None).await);
    let expected = json!({
        "job": [id, "default", 2, 5, null],
        "enqueued_at": 1_777_636_800_000_u64,
        "header": ["acme", null],
        "config": ["small", null, {"size": "small"}],
        "time": [true, false],
        "denied": ["access-denied", "access-denied", "access-denied"],
    });
    assert_eq!(found, expected);
}

async fn check_ends(sandbox: &Sandbox, plugin: &Plugin) {
    let later = Disposition::RetryAfter(Duration::from_millis(1500));
    for (how, code, message, expected) in [
        ("retry", Some("busy"), "again", Disposition::Retry),
        ("later", None, "later", later),
        ("fatal", None, "never", Disposition::Fatal),
        ("denied", Some("access-denied"), "access denied: the secret", Disposition::Fatal),
        ("uncaught", None, "Error: ", Disposition::Retry),
    ] {
        let report = run(sandbox, plugin, "end", Payload::text(how)).await;
        let (error, disposition) = failure(&report);
        assert_eq!(disposition, expected, "{how}: {error:?}");
        assert!(error.message.contains(message), "{how}: {error:?}");
        assert!(code.is_none_or(|code| error.code == code), "{how}: {error:?}");
        let detail = error.detail.as_ref().map(|detail| String::from_utf8_lossy(&detail.data));
        let detail = detail.unwrap_or_default();
        match how {
            "retry" => assert_eq!(detail, r#"{"a":1}"#),
            "fatal" => assert_eq!(detail, "text"),
            // Where it happened.
            "uncaught" => assert!(detail.contains("plugin."), "{detail}"),
            _ => {}
        }
    }
    let end = run(sandbox, plugin, "nope", Payload::none()).await;
    assert_eq!(end.outcome.kind(), OutcomeKind::Failed);
}

/// A component is a snapshot: without care, chance would come out the same each time.
async fn check_chance(sandbox: &Sandbox, plugin: &Plugin) {
    let first = value(&run(sandbox, plugin, "chance", Payload::none()).await);
    let second = value(&run(sandbox, plugin, "chance", Payload::none()).await);
    for which in [0, 1] {
        assert_ne!(first[which], second[which]);
    }
    assert!(now().as_millis().abs_diff(second[2].as_u64().expect("a time")) < 60_000, "{second}");
}

fn now() -> Timestamp {
    SystemClock.now()
}

async fn check_log(sandbox: &Sandbox, plugin: &Plugin, printed: &[(LogLevel, &str)]) {
    lines(sandbox);
    let report = run(sandbox, plugin, "log", Payload::none()).await;
    assert_eq!(report.outcome.kind(), OutcomeKind::Completed, "{:?}", report.outcome);
    let found = lines(sandbox);
    let has = |level, message: &str| {
        found.iter().any(|(at, said, _)| *at == level && said.starts_with(message))
    };
    assert!(has(LogLevel::Info, "info") && has(LogLevel::Error, "error"), "{found:?}");
    assert!(has(LogLevel::Warn, "warn "), "{found:?}");
    for (level, message) in printed {
        assert!(has(*level, message), "{message}: {found:?}");
    }
    let info = found.iter().find(|(_, said, _)| said == "info").expect("a line");
    assert_eq!(info.2, [("number".to_owned(), "1".to_owned())]);
    let progress = sandbox.recorded.progress.lock().expect("no panic").pop().expect("some");
    assert_eq!((progress.done, progress.total), (1, Some(2)));
    assert_eq!(progress.note.as_deref(), Some("half"));
}

async fn check_enqueue(sandbox: &Sandbox, plugin: &Plugin) {
    let report = run(sandbox, plugin, "enqueue", Payload::none()).await;
    assert_eq!(value(&report), json!(["accepted", "rejected"]));
    let [job] = &report.follow_ups[..] else { panic!("{:?}", report.follow_ups) };
    assert_eq!(job.function.as_ref().map(|name| name.as_str()), Some("end"));
    assert_eq!((&job.input, job.queue.as_str()), (&Payload::text("fatal"), "other"));
    assert_eq!(job.priority.class(), 3);
    assert_eq!(job.start, Start::After(Duration::from_secs(60)));
    assert_eq!(job.timeout, Some(Duration::from_millis(1500)));
    assert_eq!(job.retry.as_ref().map(|retry| retry.attempts_max), Some(2));
    assert_eq!(job.unique_key.as_ref().map(|key| key.as_str()), Some("one"));
    assert_eq!(job.headers.get("a"), Some("b"));
}

async fn check_checkpoint(sandbox: &Sandbox, plugin: &Plugin) {
    let state: Value = json!({"page": 17});
    let job = a_job(plugin.name().as_str(), "checkpoint", Payload::json(&state));
    let first = sandbox.attempt(plugin, job.clone(), 1, None).await;
    assert_eq!(failure(&first).0.message, "saved");
    let saved = sandbox.recorded.checkpoints.lock().expect("no panic").pop();
    let second = sandbox.attempt(plugin, job, 2, saved).await;
    assert_eq!(value(&second), state);
}
