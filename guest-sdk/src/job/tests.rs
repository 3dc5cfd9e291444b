//! The table of functions: dispatch and description.

use crate::prelude::*;
use crate::test::TestHost;

use super::*;

/// Doubles a number.
///
/// This isn't part of the summary.
#[job]
fn double(ctx: &Ctx, input: u32) -> JobResult<u32> {
    ctx.info("doubling");
    input.checked_mul(2).or_fatal("too large")
}

/// Says hello
/// in one line.
#[job(name = "say.hello")]
fn hello(input: String) -> Result<String, std::fmt::Error> {
    Ok(format!("hello, {input}"))
}

#[job(accepts = ["image/png", "image/jpeg"], returns = "image/webp")]
fn shrink(input: Payload) -> JobResult<Payload> {
    Ok(input)
}

#[job(accepts = "text/csv")]
fn attempt(ctx: &Ctx) -> JobResult<u32> {
    Ok(ctx.attempt())
}

#[job]
fn r#match() -> JobResult {
    Ok(())
}

const FUNCTIONS: &[Function] = &[
    Function::of::<double>(),
    Function::of::<hello>(),
    Function::of::<shrink>(),
    Function::of::<attempt>(),
    Function::of::<r#match>(),
];

crate::export!(double, hello, shrink, attempt, r#match);

#[track_caller]
fn check(name: &str, input: Payload, expected: Result<Option<Payload>, JobError>) {
    let found = dispatch(FUNCTIONS, &TestHost::new().ctx(), name, input);
    assert_eq!(found, expected);
}

#[test]
fn jobs_reach_their_functions_by_name() {
    let number = |text: &str| Payload::new("application/json", text);
    check("double", number("21"), Ok(Some(number("42"))));
    check("say.hello", Payload::text("Ada"), Ok(Some(Payload::text("hello, Ada"))));
    check("shrink", Payload::new("image/png", [0]), Ok(Some(Payload::new("image/png", [0]))));
    check("attempt", Payload::default(), Ok(Some(number("1"))));
    check("match", Payload::default(), Ok(None));
}

#[test]
fn an_unknown_function_is_told_which_there_are() {
    let message = r#"no function "hello"; this plugin has "double", "say.hello", "shrink", "attempt", "match""#;
    check("hello", Payload::default(), Err(JobError::fatal(message).code("unknown-function")));
}

#[test]
fn a_failure_of_the_function_is_the_attempts() {
    let input = Payload::new("application/json", u32::MAX.to_string());
    check("double", input, Err(JobError::fatal("too large")));
}

#[test]
fn the_function_itself_can_still_be_called() {
    assert_eq!(hello("Ada".to_owned()), Ok("hello, Ada".to_owned()));
}

#[test]
fn a_plugin_describes_its_functions() {
    let found: serde_json::Value = serde_json::from_str(&describe(FUNCTIONS)).unwrap();
    let expected = serde_json::json!({"functions": [
        {
            "name": "double",
            "summary": "Doubles a number.",
            "accepts": ["application/json", "text/*"],
            "returns": "application/json",
            "input": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
            "output": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
        },
        {
            "name": "say.hello",
            "summary": "Says hello in one line.",
            "accepts": ["text/*", "application/json"],
            "returns": "text/plain",
        },
        {"name": "shrink", "accepts": ["image/png", "image/jpeg"], "returns": "image/webp"},
        {
            "name": "attempt",
            "accepts": ["text/csv"],
            "returns": "application/json",
            "output": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
        },
        {"name": "match", "accepts": []},
    ]});
    assert_eq!(found, expected);
}
