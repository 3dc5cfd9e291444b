//! A description that was kept refuses what its plugin refuses, in the same words.

use gristmill_job::Payload;
use serde_json::json;

use super::*;

fn kept(functions: &[Function]) -> Description {
    let functions = functions.iter().map(KeptFunction::from).collect();
    let kept = Kept { bytes: 7, version: None, description: None, functions: Some(functions) };
    let text = serde_json::to_string(&kept).unwrap();
    let name = PluginName::new("shop").unwrap();
    Description::parse(&name, Digest::of(b"shop"), &text).unwrap()
}

fn a_function(name: &str, callee: Callee) -> Function {
    Function {
        name: FunctionName::new(name).unwrap(),
        summary: None,
        accepts: None,
        returns: None,
        input: None,
        output: None,
        schema: None,
        callee,
    }
}

/// What both say of a job.
#[track_caller]
fn agree(functions: &[Function], function: Option<&str>, input: Payload) -> Option<String> {
    let function = function.map(|name| FunctionName::new(name).unwrap());
    let job = NewJob { function, ..NewJob::new("shop".parse().unwrap(), input) };
    let here = describe::admit(Some(functions), &job).map(|called| called.function.clone());
    let there = kept(functions).check(&job);
    assert_eq!(here, there);
    there.err().map(|rejection| rejection.message)
}

#[test]
fn what_a_handler_describes_is_kept() {
    let functions = describe::parse(
        r#"{"functions": [
            {"name": "sum", "accepts": ["application/json"], "summary": "Adds.",
             "input": {"type": "array", "items": {"type": "integer"}}},
            {"name": "tick", "accepts": []}
        ]}"#,
    )
    .unwrap();
    assert_eq!(agree(&functions, Some("sum"), Payload::json(&json!([1, 2]))), None);
    let said = agree(&functions, Some("sum"), Payload::json(&json!([1, "2"])));
    assert_eq!(said.unwrap(), "input[1]: expected integer, got \"2\"");
    assert!(agree(&functions, Some("tick"), Payload::text("x")).unwrap().contains("no input"));
    assert!(agree(&functions, Some("tack"), Payload::none()).unwrap().contains("sum, tick"));
    assert!(agree(&functions, None, Payload::none()).unwrap().contains("name one"));
    assert_eq!(kept(&functions).functions.unwrap()[0].summary.as_deref(), Some("Adds."));
}

#[test]
fn what_an_export_takes_is_kept_with_its_types() {
    let record = ValueType::Record(vec![
        ("width".to_owned(), ValueType::Integer(crate::values::Integer::U8)),
        ("name".to_owned(), ValueType::Option(Box::new(ValueType::String))),
    ]);
    let path =
        exports::Path { interface: Some("a:b/c@1.0.0".to_owned()), function: "f".to_owned() };
    let types = FunctionTypes::new(path, vec![("size".to_owned(), record)], None);
    let functions = [a_function("f", Callee::Typed(Arc::new(types)))];
    let size = |width: serde_json::Value| Payload::json(&json!({"size": {"width": width}}));
    assert_eq!(agree(&functions, Some("c.f"), size(json!(7))), None);
    let said = agree(&functions, Some("f"), size(json!(256))).unwrap();
    assert!(said.starts_with("input.size.width: "), "{said}");
}

#[test]
fn what_a_program_lets_jobs_set_is_kept() {
    let rules = CommandRules { args: Vec::new(), env: vec!["LEVEL".to_owned()] };
    let functions = [a_function("run", Callee::Program(rules))];
    let check = |headers: serde_json::Value| {
        let mut job = NewJob::new("shop".parse().unwrap(), Payload::text("x"));
        let header = (crate::ENV_HEADER.to_owned(), headers.to_string());
        job.headers = gristmill_job::Headers::new([header]).unwrap();
        kept(&functions).check(&job).map_err(|rejection| rejection.message)
    };
    assert!(check(json!({"LEVEL": "9"})).is_ok());
    assert!(check(json!({"PATH": "/"})).unwrap_err().contains("may not set the variable \"PATH\""));
}

#[test]
fn a_plugin_that_does_not_describe_itself_is_taken_at_its_callers_word() {
    let name = PluginName::new("shop").unwrap();
    let text = r#"{"bytes": 7, "later": true}"#;
    let description = Description::parse(&name, Digest::of(b"shop"), text).unwrap();
    let mut job = NewJob::new(name, Payload::text("x"));
    assert!(description.check(&job).is_err(), "which function isn't said");
    job.function = Some(FunctionName::new("any").unwrap());
    assert!(description.check(&job).is_ok());
}

#[test]
fn a_text_that_is_no_description_says_what_is_wrong() {
    let name = PluginName::new("shop").unwrap();
    for text in ["{", "{}", r#"{"bytes": 7, "functions": [{}]}"#] {
        assert!(Description::parse(&name, Digest::of(b"shop"), text).is_err(), "{text}");
    }
}
