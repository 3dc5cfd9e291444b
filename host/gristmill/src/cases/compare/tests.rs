//! What counts as the same, and what is told where it isn't.

use std::path::Path;

use gristmill_job::{LogLevel, LogLine, OutcomeKind, Progress, Timestamp, Usage};
use serde_json::json;

use super::super::file::CaseFile;
use super::*;

fn observed(result: Option<Payload>) -> Observed {
    Observed {
        outcome: Outcome::Completed { result },
        usage: Usage::default(),
        jobs: Vec::new(),
        log: Vec::new(),
        progress: None,
        checkpoint: None,
        cache: Vec::new(),
    }
}

fn failed(disposition: Disposition) -> Observed {
    let error = ErrorReport::new("digits", "1001 digits: too many");
    Observed { outcome: Outcome::Failed { error, disposition }, ..observed(None) }
}

/// Which keys differ between an expectation and what came.
fn differing(expect: &str, observed: &Observed) -> Vec<String> {
    let text = format!("[[case]]\nname = \"a\"\n[case.expect]\n{expect}\n");
    let file = CaseFile::parse(text.as_bytes(), Path::new(".")).unwrap();
    let mismatches = compare(&file.cases[0].expected, observed);
    mismatches.into_iter().map(|mismatch| mismatch.what).collect()
}

#[test]
fn what_is_not_said_is_not_compared_but_for_the_outcome() {
    let full = Observed {
        jobs: vec![NewJob::new("echo".parse().unwrap(), Payload::none())],
        progress: Some(Progress { done: 1, total: None, note: None }),
        ..observed(Some(Payload::text("hi")))
    };
    assert!(differing("", &full).is_empty());
    assert_eq!(differing("", &failed(Disposition::Fatal)), ["outcome"]);
    assert_eq!(Expected::default().outcome, OutcomeKind::Completed);
}

#[test]
fn json_is_compared_by_its_values_and_text_by_its_bytes() {
    let json = observed(Some(Payload::json(&json!({ "n": 3.0, "all": ["x"] }))));
    assert!(differing("result = { all = [\"x\"], n = 3 }", &json).is_empty());
    assert_eq!(differing("result = { all = [\"x\"], n = 3.5 }", &json), ["result"]);
    assert_eq!(differing("result = \"{}\"", &json), ["result"]);
    let text = observed(Some(Payload::text("3")));
    assert!(differing("result = \"3\"", &text).is_empty());
    assert!(differing("result = 3", &text).is_empty());
    assert_eq!(
        differing("result = \"3 \"\ncontent_type = \"text/csv\"", &text),
        ["result", "content_type"]
    );
    // A function that gives a string gives it as JSON.
    let string = observed(Some(Payload::json(&json!("hi"))));
    assert!(differing("result = \"hi\"", &string).is_empty());
    assert_eq!(differing("no_result = true", &string), ["result"]);
    assert_eq!(differing("result = \"hi\"", &observed(None)), ["result"]);
}

#[test]
fn a_failure_is_compared_part_by_part() {
    let fatal = failed(Disposition::Fatal);
    assert!(
        differing(
            "error = { code = \"digits\", message = \"too many\", retry = \"fatal\" }",
            &fatal
        )
        .is_empty()
    );
    let all = "error = { code = \"d\", message = \"few\", retry = \"retry\", limit = \"cpu\", detail = 1 }";
    let parts = ["error.code", "error.message", "error.detail", "error.limit", "error.retry"];
    assert_eq!(differing(all, &fatal), parts);
    let later = failed(Disposition::RetryAfter(Duration::from_secs(30)));
    assert!(differing("error = { retry = \"retry_after\", after = \"30s\" }", &later).is_empty());
    assert_eq!(differing("error = { after = \"31s\" }", &later), ["error.after"]);
}

#[test]
fn lines_of_the_log_are_looked_for_in_their_order() {
    let line = |message: &str| LogLine {
        at: Timestamp::default(),
        attempt: 1,
        level: LogLevel::Info,
        message: message.to_owned(),
        fields: vec![("n".to_owned(), "1".to_owned())],
    };
    let logged = Observed { log: ["a", "b", "c"].map(line).to_vec(), ..observed(None) };
    assert!(differing("log = [\"info: a n=1\", \"c\"]", &logged).is_empty());
    assert_eq!(differing("log = [\"c\", \"a\"]", &logged), ["log"]);
    assert_eq!(differing("log = [\"a\", \"a\"]", &logged), ["log"]);
}

#[test]
fn jobs_are_exactly_those_that_are_named_under_the_keys_that_are_named() {
    let mut job = NewJob::new("pi".parse().unwrap(), Payload::json(&json!(10)));
    job.function = Some("digits".parse().unwrap());
    job.start = Start::After(Duration::from_secs(60));
    let one = Observed { jobs: vec![job], ..observed(None) };
    assert!(differing("jobs = [{ input = 10, delay = \"1m\" }]", &one).is_empty());
    assert!(differing("jobs = [{}]", &one).is_empty());
    for other in
        ["[]", "[{}, {}]", "[{ input = 11 }]", "[{ unique_key = \"x\" }]", "[{ queue = \"q\" }]"]
    {
        assert_eq!(differing(&format!("jobs = {other}"), &one), ["jobs"], "{other}");
    }
}

#[test]
fn more_than_may_be_used_is_told_with_what_was() {
    let mut used = observed(None);
    used.usage.cpu_us.used = 1_500;
    used.usage.host_calls.used = 3;
    assert!(differing("within = { cpu = \"2ms\", host_calls = 3 }", &used).is_empty());
    let within = "within = { cpu = \"1ms\", host_calls = 2 }";
    assert_eq!(differing(within, &used), ["within.cpu", "within.host_calls"]);
}
