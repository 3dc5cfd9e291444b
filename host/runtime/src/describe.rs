//! What a plugin says of its functions.

use std::collections::HashSet;

use gristmill_job::{FunctionName, Payload, Rejection, RejectionCode, media};
use serde::Deserialize;
use serde_json::Value;

/// A function as its plugin describes it.
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
}

#[derive(Deserialize)]
struct Description {
    functions: Vec<Function>,
}

/// Reads a description; keys that aren't known are what later versions may add.
pub(crate) fn parse(text: &str) -> Result<Vec<Function>, String> {
    let description: Description = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let functions = description.functions;
    let mut names = HashSet::new();
    if let Some(function) = functions.iter().find(|function| !names.insert(&function.name)) {
        return Err(format!("the function {} is described twice", function.name));
    }
    Ok(functions)
}

/// Which function a job calls, and whether its input is what that function takes. A plugin without
/// a description is taken at its caller's word.
pub(crate) fn check(
    functions: Option<&[Function]>,
    asked: Option<&FunctionName>,
    input: &Payload,
) -> Result<FunctionName, Rejection> {
    let Some(functions) = functions else {
        return asked.cloned().ok_or_else(|| {
            let message = "the plugin doesn't say what functions it has: name one";
            Rejection { code: RejectionCode::UnknownFunction, message: message.to_owned() }
        });
    };
    let function = find(functions, asked)?;
    if let Some(why) = misfit(function, input) {
        return Err(Rejection { code: RejectionCode::InvalidInput, message: why });
    }
    Ok(function.name.clone())
}

fn find<'a>(
    functions: &'a [Function],
    asked: Option<&FunctionName>,
) -> Result<&'a Function, Rejection> {
    let known = || {
        let names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
        names.join(", ")
    };
    let unknown = |message| Rejection { code: RejectionCode::UnknownFunction, message };
    match (asked, functions) {
        (Some(name), _) => {
            functions.iter().find(|function| function.name == *name).ok_or_else(|| {
                unknown(format!(
                    "the plugin has no function {:?}; it has {}",
                    name.as_str(),
                    known()
                ))
            })
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(unknown("the plugin has no function".to_owned())),
        (None, _) => {
            Err(unknown(format!("the plugin has several functions, name one: {}", known())))
        }
    }
}

/// Why an input isn't what a function takes.
fn misfit(function: &Function, input: &Payload) -> Option<String> {
    let name = &function.name;
    let accepts = function.accepts.as_ref()?;
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
    if !accepts.iter().any(|pattern| media::fits(&input.content_type, pattern)) {
        return Some(format!("{name} takes {listed}, not {}", input.content_type));
    }
    if media::is_json(&input.content_type)
        && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&input.data)
    {
        return Some(format!("the input is no valid JSON: {error}"));
    }
    if media::is_text(&input.content_type)
        && let Err(error) = std::str::from_utf8(&input.data)
    {
        return Some(format!("the input is no text in UTF-8: {error}"));
    }
    None
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

    #[track_caller]
    fn check_refused(function: Option<&str>, input: Payload, expected: &str) {
        let function = function.map(|name| FunctionName::new(name).unwrap());
        let rejection = check(Some(&functions()), function.as_ref(), &input).unwrap_err();
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
            check(Some(&functions()), Some(&FunctionName::new(name).unwrap()), &input).unwrap()
        };
        call("count", Payload::text("a"));
        call("tick", Payload::none());
        call("any", Payload::none());
        call("any", Payload::bytes(vec![0xFF]));
        let only = &functions()[..1];
        assert_eq!(check(Some(only), None, &Payload::text("")).unwrap().as_str(), "count");
    }

    #[test]
    fn a_plugin_without_description_is_taken_at_its_callers_word() {
        let name = FunctionName::new("f").unwrap();
        assert_eq!(check(None, Some(&name), &Payload::none()), Ok(name));
        assert!(check(None, None, &Payload::none()).is_err());
    }

    #[test]
    fn a_function_described_twice_is_an_error() {
        let twice = r#"{"functions": [{"name": "a"}, {"name": "a"}]}"#;
        assert!(parse(twice).unwrap_err().contains("twice"));
        assert!(parse("[]").is_err());
    }
}
