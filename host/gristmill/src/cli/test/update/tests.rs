//! What is written into files of cases, and what is left alone.

use gristmill::cases::{Case, CaseFile};
use gristmill::job::{ErrorReport, Usage};

use super::*;

const FILE: &str = "\
# About everything.

[[case]]
name = \"one\" # the first
input = \"a\"
expect.result = \"b\" # as it was
expect.content_type = \"text/plain\"

# About the second.
[[case]]
name = \"two\"
[case.expect]
result = { n = 1 }
log = [\"info: x\"]

[[case]]
name = \"three\"
input = 3
";

fn observed(outcome: Outcome) -> Observed {
    Observed {
        outcome,
        usage: Usage::default(),
        jobs: Vec::new(),
        log: Vec::new(),
        progress: None,
        checkpoint: None,
        cache: Vec::new(),
    }
}

fn completed(result: Payload) -> Observed {
    observed(Outcome::Completed { result: Some(result) })
}

fn mismatch(what: &str) -> Mismatch {
    Mismatch { what: what.to_owned(), expected: String::new(), got: "info: y".to_owned() }
}

fn report(case: &Case, file: &Path, observed: Observed, whats: &[&str]) -> CaseReport {
    let mismatches: Vec<Mismatch> = whats.iter().map(|what| mismatch(what)).collect();
    let observed = Box::new(observed);
    let verdict = match mismatches.is_empty() {
        true => Verdict::Passed(observed),
        false => Verdict::Failed(observed, mismatches),
    };
    CaseReport { plugin: "p".to_owned(), file: file.to_owned(), case: case.clone(), verdict }
}

/// The file after an update with what these say of its cases.
fn updated(say: impl Fn(&[Case], &Path) -> Vec<CaseReport>) -> (String, Updated) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.toml");
    std::fs::write(&path, FILE).unwrap();
    let cases = CaseFile::read(&path).unwrap().cases;
    let updated = update(&Report { cases: say(&cases, &path) }).unwrap();
    (std::fs::read_to_string(&path).unwrap(), updated)
}

#[test]
fn a_value_is_replaced_and_comments_and_order_stay() {
    let (text, updated) = updated(|cases, path| {
        let json = Payload::json(&serde_json::json!({ "n": 2, "of": ["x", 1.5] }));
        vec![
            report(&cases[0], path, completed(Payload::text("c")), &["result"]),
            report(&cases[1], path, completed(json), &["result", "log"]),
        ]
    });
    let expected = FILE
        .replace("\"b\" # as", "\"c\" # as")
        .replace("{ n = 1 }", "{ n = 2, of = [\"x\", 1.5] }")
        .replace("[\"info: x\"]", "[\"info: y\"]");
    assert_eq!(text, expected);
    assert_eq!(updated.count(), 2);
}

#[test]
fn another_outcome_replaces_the_result_by_the_failure() {
    let (text, _) = updated(|cases, path| {
        let error = ErrorReport::new("digits", "too many");
        let disposition = gristmill::job::Disposition::Fatal;
        let failed = observed(Outcome::Failed { error, disposition });
        vec![report(&cases[1], path, failed, &["outcome"])]
    });
    let expected = FILE.replace(
        "result = { n = 1 }\nlog = [\"info: x\"]\n",
        "log = [\"info: x\"]\noutcome = \"failed\"\nerror.code = \"digits\"\n\
         error.message = \"too many\"\nerror.retry = \"fatal\"\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn a_case_that_expects_nothing_gets_its_result_where_toml_can_say_it() {
    let with = |result: Payload| {
        updated(|cases, path| vec![report(&cases[2], path, completed(result.clone()), &[])]).0
    };
    let added = |text: String| text.strip_prefix(FILE).unwrap().to_owned();
    let json = |value| Payload::json(&value);
    assert_eq!(added(with(json(serde_json::json!(3)))), "\n[case.expect]\nresult = 3\n");
    let null = json(serde_json::json!([null]));
    assert!(added(with(null)).contains("result_json = \"\"\"\n[\n  null\n]\"\"\"\n"));
    let bytes = Payload::bytes(vec![255]);
    assert_eq!(added(with(bytes)), "\n[case.expect]\nresult_base64 = \"/w==\"\n");
}

#[test]
fn what_an_attempt_may_use_is_left_to_its_author() {
    let (text, updated) = updated(|cases, path| {
        vec![report(&cases[0], path, completed(Payload::text("b")), &["within.cpu"])]
    });
    assert_eq!((text.as_str(), updated.count()), (FILE, 0));
}

#[test]
fn a_file_that_has_changed_meanwhile_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.toml");
    std::fs::write(&path, FILE).unwrap();
    let cases = CaseFile::read(&path).unwrap().cases;
    std::fs::write(&path, FILE.replace("\"one\"", "\"uno\"")).unwrap();
    let one = report(&cases[0], &path, completed(Payload::text("c")), &["result"]);
    let error = update(&Report { cases: vec![one] }).err().unwrap().to_string();
    assert!(error.contains("it has changed meanwhile"), "{error}");
}
