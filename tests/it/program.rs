//! Components that are programs: what they read, what they write, and how they end.

use gristmill_job::{Headers, NewJob, Outcome, OutcomeKind, Payload, media};
use gristmill_runtime::{ARGS_HEADER, ENV_HEADER, Report};
use gristmill_tests::{Sandbox, a_job};
use serde_json::json;

/// A job of the program, with these arguments.
fn job(args: &[&str], input: &str) -> NewJob {
    with_headers(&[(ARGS_HEADER, json!(args).to_string())], input)
}

fn with_headers(headers: &[(&str, String)], input: &str) -> NewJob {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let mut job = a_job("program", "", Payload::text(input));
    job.headers = Headers::new(headers).expect("headers");
    job
}

#[track_caller]
fn written(report: &Report) -> &str {
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("no result: {:?}", report.outcome)
    };
    assert_eq!(result.content_type, media::TEXT);
    std::str::from_utf8(&result.data).expect("text")
}

#[tokio::test]
pub(crate) async fn program() {
    let sandbox = Sandbox::new();
    let report = sandbox.run(job(&["shout"], "hä?")).await;
    assert_eq!(written(&report), "HÄ?");
    let report = sandbox.run(a_job("program", "run", Payload::none())).await;
    assert!(matches!(report.outcome, Outcome::Completed { result: None }), "{report:?}");
    let report = sandbox.run(a_job("program", "walk", Payload::none())).await;
    let error = report.outcome.error().expect("a failure");
    assert_eq!((error.code.as_str(), report.usage.cpu_us.used), ("unknown-function", 0));
}

#[tokio::test]
async fn an_exit_code_other_than_0_is_a_failure_with_what_was_written_as_detail() {
    let report = Sandbox::new().run(job(&["fail"], "")).await;
    assert_eq!(report.outcome.kind(), OutcomeKind::Failed);
    let error = report.outcome.error().expect("a failure");
    assert_eq!(error.code, "exit-1");
    assert_eq!(error.detail.as_ref().expect("a detail").data, "half of it");
    assert!(error.log_tail.iter().any(|line| line.contains("the other half is missing")));
}

#[tokio::test]
async fn a_program_that_panics_has_trapped() {
    let report = Sandbox::new().run(job(&["panic"], "")).await;
    assert_eq!(report.outcome.kind(), OutcomeKind::Trapped);
    let error = report.outcome.error().expect("an error");
    assert!(error.log_tail.iter().any(|line| line.contains("out of cheese")), "{error:?}");
}

#[tokio::test]
async fn what_a_program_writes_is_bounded_as_any_result() {
    let report = Sandbox::new().run(job(&["flood"], "")).await;
    let error = report.outcome.error().expect("an error");
    assert_eq!(error.limit.as_deref(), Some("result"));
    assert!(report.usage.memory_peak_bytes.used < 8 << 20, "{:?}", report.usage);
}

#[tokio::test]
async fn a_job_may_set_the_variables_that_the_manifest_names() {
    let sandbox = Sandbox::new();
    let manifest = "[command]\nargs = ['greet', 'dear']\nenv = ['GREETING']\n\
                    [grants.env]\nGREETING = 'good day'";
    let plugin = sandbox.guest_with("program", manifest).await.expect("it loads");
    let args = (ARGS_HEADER, json!(["world"]).to_string());
    let report =
        sandbox.attempt(&plugin, with_headers(std::slice::from_ref(&args), ""), 1, None).await;
    assert_eq!(written(&report), "good day dear world");
    let env = (ENV_HEADER, json!({"GREETING": "hi"}).to_string());
    let report = sandbox.attempt(&plugin, with_headers(&[args, env], ""), 1, None).await;
    assert_eq!(written(&report), "hi dear world");
    let env = (ENV_HEADER, json!({"PATH": "/"}).to_string());
    let error = plugin.check(&with_headers(&[env], "")).expect_err("PATH isn't named");
    assert!(error.message.contains("\"PATH\" in the list env under [command]"), "{error}");
}

#[tokio::test]
async fn headers_that_are_not_what_they_should_be_are_refused_at_the_door() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest("program").await;
    for (header, value, expected) in [
        (ARGS_HEADER, json!("shout"), "no JSON array of strings"),
        (ARGS_HEADER, json!(["a\0b"]), "a NUL"),
        (ENV_HEADER, json!(["A"]), "no JSON object of strings"),
    ] {
        let job = with_headers(&[(header, value.to_string())], "");
        let error = plugin.check(&job).expect_err("it is refused");
        assert!(error.message.contains(expected), "{error}");
    }
}
