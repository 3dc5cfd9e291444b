//! What a plugin says of its functions, and which of them a job calls.

use std::collections::HashSet;
use std::sync::Arc;

use gristmill_job::{FunctionName, NewJob, Payload, PluginName, Rejection, RejectionCode, media};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::command::{Command, Invocation};
use crate::exports::{Arguments, Export, FunctionTypes};
use crate::log_book::cut;
use crate::manifest::CommandRules;
use crate::schema::Schema;

/// What an error lists of a plugin's functions: a screen of names.
const NAMES_BYTES_MAX: usize = 1 << 10;

/// A function as its plugin describes it, or as its types do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: FunctionName,
    /// One line for people.
    #[serde(default)]
    pub summary: Option<String>,
    /// Patterns of media types that it takes; any, if not said; none, if it takes no input.
    #[serde(default)]
    pub accepts: Option<Vec<String>>,
    /// The media type of its result.
    #[serde(default)]
    pub returns: Option<String>,
    /// JSON Schema of its input.
    #[serde(default)]
    pub input: Option<Value>,
    /// JSON Schema of its result.
    #[serde(default)]
    pub output: Option<Value>,
    /// `input` of a handler's function, ready to hold inputs against.
    #[serde(skip)]
    pub(crate) schema: Option<Schema>,
    /// How it is called.
    #[serde(skip)]
    pub(crate) callee: Callee,
}

/// What is called for a function.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Callee {
    /// The contract's handler, which is told the function's name.
    #[default]
    Handler,
    /// An export with types of its own.
    Export(Arc<Export>),
    /// A program.
    Command(Arc<Command>),
    /// An export of a component that isn't here.
    Typed(Arc<FunctionTypes>),
    /// A program that isn't here.
    Program(CommandRules),
}

/// A function that a job calls, with an input that fits.
#[derive(Debug)]
pub(crate) struct Called<'a> {
    pub(crate) function: &'a FunctionName,
    pub(crate) how: How<'a>,
}

/// How it is called, with what.
#[derive(Debug)]
pub(crate) enum How<'a> {
    /// With the job's input as it is.
    Handler,
    /// With the arguments that were read from the input.
    Export(&'a Export, Arguments),
    /// With what a program is started with; its standard input is the job's.
    Command(&'a Command, Invocation),
}

#[derive(Deserialize)]
struct Description {
    functions: Vec<Function>,
}

/// Reads a description; keys that aren't known are what later versions may add.
pub(crate) fn parse(text: &str) -> Result<Vec<Function>, String> {
    let description: Description = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut functions = description.functions;
    let mut names = HashSet::new();
    if let Some(function) = functions.iter().find(|function| !names.insert(&function.name)) {
        return Err(format!("the function {} is described twice", function.name));
    }
    for function in &mut functions {
        let schema = function.input.as_ref().map(Schema::compile).transpose();
        function.schema = schema.map_err(|why| {
            format!("the schema of what {} takes can't be used: {why}", function.name)
        })?;
    }
    Ok(functions)
}

/// Which function a job calls, and whether its input is what that function takes. A plugin without
/// a description is taken at its caller's word.
pub(crate) fn admit<'a>(
    functions: Option<&'a [Function]>,
    job: &'a NewJob,
) -> Result<Called<'a>, Rejection> {
    let (asked, input) = (job.function.as_ref(), &job.input);
    let Some(functions) = functions else {
        let function = asked.ok_or_else(|| {
            unknown("the plugin doesn't say what functions it has: name one".to_owned())
        })?;
        return Ok(Called { function, how: How::Handler });
    };
    let function = find(functions, asked)?;
    let how = match &function.callee {
        Callee::Handler => misfit(function, input).map_or(Ok(How::Handler), Err),
        Callee::Export(export) => {
            export.arguments(input).map(|arguments| How::Export(export, arguments))
        }
        Callee::Command(command) => {
            command.rules().invocation(job).map(|invocation| How::Command(command, invocation))
        }
        // Nobody calls what isn't here.
        Callee::Typed(types) => types.check(input).map(|()| How::Handler),
        Callee::Program(rules) => rules.invocation(job).map(|_| How::Handler),
    };
    let how = how.map_err(|message| Rejection { code: RejectionCode::InvalidInput, message })?;
    Ok(Called { function: &function.name, how })
}

/// Reads a description and holds an input against its first function, as a plugin of it would: for fuzzing
/// what strangers say on either side.
///
/// # Errors
/// What is wrong with either.
#[doc(hidden)]
pub fn read_and_check(description: &str, input: &Payload) -> Result<(), String> {
    let functions = parse(description)?;
    let fuzzed = PluginName::new("fuzzed").map_err(|why| why.to_string())?;
    let function = functions.first().map(|function| function.name.clone());
    let job = NewJob { function, ..NewJob::new(fuzzed, input.clone()) };
    admit(Some(&functions), &job).map(drop).map_err(|why| why.message)
}

pub(crate) fn unknown(message: String) -> Rejection {
    Rejection { code: RejectionCode::UnknownFunction, message }
}

/// The function that a job asks for, by its name here or by another that is no other function's.
pub(crate) fn find<'a>(
    functions: &'a [Function],
    asked: Option<&FunctionName>,
) -> Result<&'a Function, Rejection> {
    let Some(asked) = asked else {
        return match functions {
            [only] => Ok(only),
            [] => Err(unknown("the plugin has no function".to_owned())),
            _ => {
                let names = listed(functions.iter());
                Err(unknown(format!("the plugin has several functions, name one: {names}")))
            }
        };
    };
    if let Some(function) = functions.iter().find(|function| function.name == *asked) {
        return Ok(function);
    }
    let goes_by = |function: &&Function| match &function.callee {
        Callee::Handler | Callee::Command(_) | Callee::Program(_) => false,
        Callee::Export(export) => export.path().names().any(|name| name == asked.as_str()),
        Callee::Typed(types) => types.path.names().any(|name| name == asked.as_str()),
    };
    let asked = asked.as_str();
    match functions.iter().filter(goes_by).collect::<Vec<_>>().as_slice() {
        [only] => Ok(only),
        [] => {
            let names = listed(functions.iter());
            Err(unknown(format!("the plugin has no function {asked:?}; it has {names}")))
        }
        several => {
            let names = listed(several.iter().copied());
            Err(unknown(format!("the plugin has several functions {asked:?}, name one: {names}")))
        }
    }
}

/// Names as an error lists them.
fn listed<'a>(functions: impl Iterator<Item = &'a Function>) -> String {
    let names: Vec<&str> = functions.map(|function| function.name.as_str()).collect();
    let names = names.join(", ");
    let shown = cut(&names, NAMES_BYTES_MAX);
    format!("{shown}{}", if shown.len() < names.len() { "…" } else { "" })
}

/// Why an input isn't what a function takes.
fn misfit(function: &Function, input: &Payload) -> Option<String> {
    if let Some(accepts) = &function.accepts
        && let Some(why) = misfit_of_type(&function.name, accepts, input)
    {
        return Some(why);
    }
    // Of what it says nothing about, the function itself judges.
    if input.is_none() || (function.accepts.is_none() && function.schema.is_none()) {
        return None;
    }
    if media::is_json(&input.content_type) {
        return misfit_of_json(function, &input.data);
    }
    let is_told = function.accepts.is_some() && media::is_text(&input.content_type);
    let error = std::str::from_utf8(&input.data).err().filter(|_| is_told)?;
    Some(format!("the input is no text in UTF-8: {error}"))
}

fn misfit_of_type(name: &FunctionName, accepts: &[String], input: &Payload) -> Option<String> {
    if accepts.is_empty() {
        return (!input.is_none()).then(|| format!("{name} takes no input"));
    }
    let listed = accepts.join(" or ");
    if input.is_none() {
        // What takes anything takes nothing too.
        let anything = accepts.iter().any(|pattern| pattern == "*/*");
        return (!anything)
            .then(|| format!("{name} takes an input of {listed}, and none is given"));
    }
    let fits = accepts.iter().any(|pattern| media::fits(&input.content_type, pattern));
    (!fits).then(|| format!("{name} takes {listed}, not {}", input.content_type))
}

fn misfit_of_json(function: &Function, data: &[u8]) -> Option<String> {
    let invalid = |error| Some(format!("the input is no valid JSON: {error}"));
    let Some(schema) = &function.schema else {
        return serde_json::from_slice::<IgnoredAny>(data).err().and_then(invalid);
    };
    let value = match serde_json::from_slice::<Value>(data) {
        Ok(value) => value,
        Err(error) => return invalid(error),
    };
    let faults = schema.check(&value, data.len()).err()?;
    Some(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions() -> Vec<Function> {
        parse(
            r#"{"functions": [
                {"name": "count", "accepts": ["text/*"], "returns": "application/json"},
                {"name": "sum", "accepts": ["application/json"], "later": true},
                {"name": "tick", "accepts": []},
                {"name": "any", "accepts": ["*/*"]}
            ]}"#,
        )
        .unwrap()
    }

    fn job(function: Option<&str>, input: Payload) -> NewJob {
        let function = function.map(|name| FunctionName::new(name).unwrap());
        NewJob { function, ..NewJob::new("p".parse().unwrap(), input) }
    }

    #[track_caller]
    fn check_refused(function: Option<&str>, input: Payload, expected: &str) {
        let rejection = admit(Some(&functions()), &job(function, input)).unwrap_err();
        assert!(rejection.message.contains(expected), "{rejection}");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        check_refused(Some("cuont"), Payload::none(), "no function \"cuont\"; it has count, sum");
        check_refused(None, Payload::none(), "several functions, name one: count, sum");
        check_refused(
            Some("count"),
            Payload::json(&Value::from(1)),
            "takes text/*, not application/json",
        );
        check_refused(Some("count"), Payload::none(), "none is given");
        check_refused(Some("tick"), Payload::text("x"), "takes no input");
        let broken = Payload { content_type: "application/json".to_owned(), data: "{".into() };
        check_refused(Some("sum"), broken, "no valid JSON");
        let latin1 = Payload { content_type: "text/plain".to_owned(), data: vec![0xE4].into() };
        check_refused(Some("count"), latin1, "no text in UTF-8");
    }

    #[test]
    fn what_fits_is_let_through() {
        let call = |name: &str, input| {
            admit(Some(&functions()), &job(Some(name), input)).map(drop).unwrap();
        };
        call("count", Payload::text("a"));
        call("tick", Payload::none());
        call("any", Payload::none());
        call("any", Payload::bytes(vec![0xFF]));
        let only = &functions()[..1];
        let job = job(None, Payload::text(""));
        let called = admit(Some(only), &job).unwrap();
        assert_eq!(called.function.as_str(), "count");
    }

    #[test]
    fn json_is_held_against_its_schema_and_other_types_are_not() {
        let functions = parse(
            r#"{"functions": [
                {"name": "f", "accepts": ["application/json", "text/*"], "input": {"type": "object",
                 "properties": {"width": {"type": "integer"}}, "required": ["height"]}},
                {"name": "any", "input": {"type": "object"}}
            ]}"#,
        )
        .unwrap();
        let call = |name: &str, input: Payload| {
            admit(Some(&functions), &job(Some(name), input))
                .map(|called| called.function.clone())
                .map_err(|rejection| rejection.message)
        };
        let json = |text: &str| Payload {
            content_type: "application/json".to_owned(),
            data: text.to_owned().into(),
        };
        let faults = "input.height: it is missing; input.width: expected integer, got \"wide\"";
        assert_eq!(call("f", json(r#"{"width": "wide"}"#)), Err(faults.to_owned()));
        assert!(call("f", json(r#"{"width": "wide", "height": }"#)).is_err());
        assert!(call("f", json(r#"{"height": 1}"#)).is_ok());
        assert!(call("f", Payload::text("wide")).is_ok());
        assert_eq!(call("any", json("1")), Err("input: expected object, got 1".to_owned()));
        assert!(call("any", Payload::none()).is_ok());
        assert!(call("any", Payload::bytes(vec![0xFF])).is_ok());
    }

    #[test]
    fn a_schema_that_cannot_be_kept_is_an_error_that_names_its_function() {
        let remote = r#"{"functions": [{"name": "f", "input": {"$ref": "https://a.example/s"}}]}"#;
        let why = parse(remote).unwrap_err();
        assert!(why.contains("what f takes") && why.contains("nothing is fetched"), "{why}");
    }

    #[test]
    fn a_plugin_without_description_is_taken_at_its_callers_word() {
        let named = job(Some("f"), Payload::none());
        let called = admit(None, &named).unwrap();
        assert_eq!(called.function.as_str(), "f");
        assert!(admit(None, &job(None, Payload::none())).is_err());
    }

    #[test]
    fn a_function_described_twice_is_an_error() {
        let twice = r#"{"functions": [{"name": "a"}, {"name": "a"}]}"#;
        assert!(parse(twice).unwrap_err().contains("twice"));
        assert!(parse("[]").is_err());
    }
}
