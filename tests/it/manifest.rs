//! What manifests say of plugins, and what comes of it.

use std::time::Duration;

use gristmill_job::{Outcome, OutcomeKind, Payload};
use gristmill_runtime::{LoadError, Plugin, Report, Stop};
use gristmill_tests::{Sandbox, a_job};
use serde_json::{Value, json};

async fn run(sandbox: &Sandbox, plugin: &Plugin, plan: Value) -> Report {
    let job = a_job(plugin.name().as_str(), "", Payload::json(&plan));
    sandbox.attempt(plugin, job, 1, None).await
}

async fn answers(sandbox: &Sandbox, plugin: &Plugin, plan: Value) -> Value {
    let report = run(sandbox, plugin, plan).await;
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("no answers: {:?}", report.outcome)
    };
    serde_json::from_slice(&result.data).expect("JSON")
}

#[track_caller]
fn check_denied(answer: &Value, remedy: &str) {
    let error = answer["Err"].as_str().unwrap_or_else(|| panic!("allowed: {answer}"));
    assert!(error.starts_with("access denied: ") && error.contains(remedy), "{error}");
}

#[tokio::test]
pub(crate) async fn granted() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest("granted").await;
    let plan = json!({
        "variables": ["TZ"], "secrets": ["key"], "read": ["/data/in"], "enqueue": ["mail/send"],
    });
    let answers = answers(&sandbox, &plugin, plan).await;
    assert!(answers["TZ"]["Err"].is_string() && answers["/data/in"]["Err"].is_string());
    check_denied(&answers["key"], "under [grants.secrets] in its manifest, granted.toml");
    check_denied(&answers["mail/send"], "\"mail\" in the list enqueue under [grants]");
}

#[tokio::test]
async fn the_environment_is_what_the_manifest_says() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest_with("granted", "[grants.env]\nTZ = 'UTC'").await.expect("it loads");
    let answers = answers(&sandbox, &plugin, json!({"variables": ["TZ", "PATH"]})).await;
    assert_eq!(answers["TZ"], json!({"Ok": "UTC"}));
    assert!(answers["PATH"]["Err"].is_string(), "nothing of the host's own: {answers}");
}

#[tokio::test]
async fn configuration_values_are_read() {
    let sandbox = Sandbox::new();
    let manifest = "[config]\nquality = '80'\nsize = 'small'";
    let plugin = sandbox.guest_with("reads-context", manifest).await.expect("it loads");
    let known = answers(&sandbox, &plugin, json!({})).await;
    assert_eq!(known["config"], json!({"quality": "80", "size": "small"}));
}

#[tokio::test]
async fn a_secret_is_read_anew_each_time_and_a_lost_one_is_unavailable() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    let manifest = format!(
        "[grants.secrets]\nkey = {{ file = {file:?} }}\ncargo = {{ env = 'CARGO_PKG_NAME' }}\n\
         lost = {{ env = 'GRISTMILL_TEST_OF_NO_SUCH_VARIABLE' }}"
    );
    let plugin = sandbox.guest_with("granted", &manifest).await.expect("it loads");
    let secrets = json!({"secrets": ["key", "cargo", "lost"]});
    std::fs::write(&file, "first\n").expect("a file");
    let answers_then = answers(&sandbox, &plugin, secrets.clone()).await;
    assert_eq!(answers_then["key"], json!({"Ok": "first"}));
    assert_eq!(answers_then["cargo"], json!({"Ok": "gristmill-tests"}));
    let lost = answers_then["lost"]["Err"].as_str().expect("an error");
    assert!(lost.contains("GRISTMILL_TEST_OF_NO_SUCH_VARIABLE isn't set"), "{lost}");
    std::fs::write(&file, "second").expect("a file");
    assert_eq!(answers(&sandbox, &plugin, secrets.clone()).await["key"], json!({"Ok": "second"}));
    std::fs::remove_file(&file).expect("it was there");
    let gone = answers(&sandbox, &plugin, secrets).await;
    assert!(gone["key"]["Err"].as_str().is_some_and(|why| why.contains("can't be read")), "{gone}");
}

#[tokio::test]
async fn a_secret_that_a_guest_tells_is_not_shown() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, "hunter22").expect("a file");
    let manifest = format!("[grants.secrets]\nkey = {{ file = {file:?} }}");
    let plugin = sandbox.guest_with("granted", &manifest).await.expect("it loads");
    let report = run(&sandbox, &plugin, json!({"secrets": ["key"], "tell": true})).await;
    assert_eq!(report.outcome.kind(), OutcomeKind::Failed);
    let error = report.outcome.error().expect("an error");
    assert_eq!(error.message, "it was [secret key]");
    let said = sandbox.recorded.messages();
    assert_eq!(said, ["the secret is [secret key]", "[secret key], printed"]);
    assert_eq!(error.log_tail, said);
    let progress = sandbox.recorded.progress.lock().expect("no panic");
    assert_eq!(progress[0].note.as_deref(), Some("[secret key]"));
}

#[tokio::test]
async fn a_granted_plugin_gets_its_jobs_and_no_other() {
    let sandbox = Sandbox::new();
    let manifest = "[grants]\nenqueue = ['mail', 'log/append']";
    let plugin = sandbox.guest_with("granted", manifest).await.expect("it loads");
    let plan = json!({"enqueue": ["mail/send", "log/append", "log/read", "other/f"]});
    let job = a_job("granted", "", Payload::json(&plan));
    let report = sandbox.attempt(&plugin, job, 1, None).await;
    let Outcome::Completed { result: Some(result) } = &report.outcome else { panic!("{report:?}") };
    let answers: Value = serde_json::from_slice(&result.data).expect("JSON");
    check_denied(&answers["log/read"], "\"log\" in the list enqueue");
    check_denied(&answers["other/f"], "\"other\" in the list enqueue");
    let called = |job: &gristmill_job::NewJob| {
        format!("{}/{}", job.plugin, job.function.as_ref().map_or("", |name| name.as_str()))
    };
    let called: Vec<String> = report.follow_ups.iter().map(called).collect();
    assert_eq!(called, ["mail/send", "log/append"]);
}

#[tokio::test]
async fn a_folder_is_open_as_far_as_it_is_granted() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (read, write) = (folder.path().join("r"), folder.path().join("w"));
    std::fs::create_dir(&read).expect("a folder");
    std::fs::create_dir(&write).expect("a folder");
    std::fs::write(read.join("in"), "content").expect("a file");
    std::fs::write(folder.path().join("outside"), "kept").expect("a file");
    std::os::unix::fs::symlink("../outside", write.join("link")).expect("a link");
    let manifest = format!(
        "[grants.folders]\n'/r' = {{ path = {read:?}, access = 'read-only' }}\n\
         '/w' = {{ path = {write:?}, access = 'read-write' }}\n\
         '/gone' = {{ path = '/no/such/folder', access = 'read-only' }}"
    );
    let plugin = sandbox.guest_with("granted", &manifest).await.expect("it loads");
    let plan = json!({
        "read": ["/r/in", "/r/../outside", "/w/link", "/gone/x", "/etc/passwd"],
        "write": ["/r/out", "/w/out", "/w/../outside", "/w/link"],
    });
    let answers = answers(&sandbox, &plugin, plan).await;
    assert_eq!(answers["/r/in"], json!({"Ok": "content"}));
    assert_eq!(answers["/w/out"], json!({"Ok": ""}));
    for refused in ["/r/../outside", "/w/link", "/gone/x", "/etc/passwd", "/r/out", "/w/../outside"]
    {
        assert!(answers[refused]["Err"].is_string(), "{refused}: {answers}");
    }
    let content = |path| std::fs::read_to_string(folder.path().join(path)).expect("a file");
    assert_eq!((content("w/out"), content("outside")), ("written".into(), "kept".into()));
    assert!(!read.join("out").exists());
    let said = sandbox.recorded.messages().join("\n");
    assert!(said.contains("the folder /gone is granted, but can't be opened"), "{said}");
}

#[tokio::test]
async fn each_function_has_the_limits_of_its_manifest() {
    let sandbox = Sandbox::new();
    let manifest = "[limits]\nmemory = '16MiB'\n[functions.allocate.limits]\nmemory = '8MiB'";
    let plugin = sandbox.guest_with("allocate", manifest).await.expect("it loads");
    let job = a_job("allocate", "", Payload::none());
    let report = sandbox.attempt(&plugin, job, 1, None).await;
    let error = report.outcome.error().expect("an error");
    assert_eq!(error.limit.as_deref(), Some("memory"));
    assert!(error.message.contains("\"memory\" of 8MiB; memory under [limits]"), "{error:?}");
    assert_eq!(report.usage.memory_peak_bytes.allowed, 8 << 20);
}

#[tokio::test]
async fn a_cancelled_attempt_has_the_grace_of_its_manifest() {
    let sandbox = Sandbox::new();
    for (manifest, stop, expected) in [
        ("", Stop::cancel as fn(&Stop), OutcomeKind::Cancelled),
        ("cancel_grace = '30s'", Stop::cancel, OutcomeKind::Completed),
        ("cancel_grace = '30s'", Stop::abort, OutcomeKind::Cancelled),
    ] {
        let plugin = sandbox.guest_with("wait-for-cancel", manifest).await.expect("it loads");
        let token = Stop::new();
        let job = a_job("wait-for-cancel", "", Payload::none());
        let attempt = sandbox.an_attempt(job, 1, None, token.clone());
        let run = sandbox.runtime.run(&plugin, attempt);
        let (report, ()) = tokio::join!(run, async { stop(&token) });
        assert_eq!(report.expect("the host is well").outcome.kind(), expected, "{manifest}");
    }
}

#[tokio::test]
async fn what_does_not_care_that_it_is_cancelled_ends_with_its_grace() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest_with("spin", "cancel_grace = '50ms'").await.expect("it loads");
    let token = Stop::new();
    token.cancel();
    let attempt = sandbox.an_attempt(a_job("spin", "", Payload::none()), 1, None, token);
    let report = sandbox.runtime.run(&plugin, attempt).await.expect("the host is well");
    assert_eq!(report.outcome, Outcome::Cancelled);
    assert!(report.usage.wall_us.used >= 50_000, "{:?}", report.usage);
    assert!(Duration::from_micros(report.usage.wall_us.used) < Duration::from_secs(30));
}

#[tokio::test]
async fn a_manifest_and_a_component_that_don_t_go_together_are_refused() {
    let sandbox = Sandbox::new();
    let load = async |manifest: &str| match sandbox.guest_with("moody", manifest).await {
        Ok(_) => panic!("it is loaded"),
        Err(error) => error,
    };
    let error = load("name = 'calm'").await;
    assert!(matches!(error, LoadError::OtherName { .. }), "{error}");
    let error = load("[functions.better]\nconcurrency = 1").await;
    assert!(
        error.to_string().contains("functions.better, but the plugin's functions are "),
        "{error}"
    );
    let error = load("[limits]\nmemory = '64KiB'").await;
    assert!(matches!(error, LoadError::AboveLimit { limit: "memory", .. }), "{error}");
}
