//! A job's function as a type, and the way from the host's call to it.

use serde::Serialize;

use crate::{Ctx, FromPayload, JobError, Payload, ToPayload};

/// A function that jobs can call; [`job`](crate::job) implements it for a type with the function's
/// name.
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// /// Says hello.
/// #[job]
/// fn greet(input: String) -> JobResult<String> {
///     Ok(format!("hello, {input}"))
/// }
///
/// assert_eq!(greet::NAME, "greet");
/// assert_eq!(greet::SUMMARY, "Says hello.");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no job",
    note = "mark the function with `#[job]`, and name the function itself here"
)]
pub trait Job {
    /// What it takes; `()` for nothing.
    type Input: FromPayload;
    /// What it gives; `()` for nothing.
    type Output: ToPayload;

    /// What jobs call it by.
    const NAME: &'static str;
    /// The first paragraph of its documentation; may be empty.
    const SUMMARY: &'static str;
    /// The media types that it says to take, instead of those of its input's type.
    const ACCEPTS: Option<&'static [&'static str]> = None;
    /// The media type that it says to give, instead of that of its output's type.
    const RETURNS: Option<&'static str> = None;

    /// The JSON Schema of its input; none, if it isn't JSON, or nobody described it.
    fn input_schema() -> Option<String> {
        None
    }

    /// The JSON Schema of its result; none, if it isn't JSON, or nobody described it.
    fn output_schema() -> Option<String> {
        None
    }

    /// Runs one attempt.
    fn run(ctx: &Ctx, input: Self::Input) -> Result<Self::Output, JobError>;
}

/// What a job's function may return: a `Result` whose error converts into a [`JobError`].
#[diagnostic::on_unimplemented(
    message = "a job can't return `{Self}`",
    label = "this is no `Result`, or its error is none",
    note = "return `JobResult<T>`, or any `Result` whose error implements `std::error::Error`"
)]
pub trait JobReturn {
    /// What the function gives when it succeeds.
    type Output: ToPayload;

    /// The same with a `JobError`.
    fn into_result(self) -> Result<Self::Output, JobError>;
}

impl<T: ToPayload, E: Into<JobError>> JobReturn for Result<T, E> {
    type Output = T;

    fn into_result(self) -> Result<T, JobError> {
        self.map_err(Into::into)
    }
}

/// One entry of a plugin's table of functions.
pub struct Function {
    name: &'static str,
    summary: &'static str,
    accepts: fn() -> Option<&'static [&'static str]>,
    returns: fn() -> Option<&'static str>,
    input: fn() -> Option<String>,
    output: fn() -> Option<String>,
    run: fn(&Ctx, Payload) -> Result<Option<Payload>, JobError>,
}

impl Function {
    /// The entry of a job.
    pub const fn of<J: Job>() -> Function {
        Function {
            name: J::NAME,
            summary: J::SUMMARY,
            accepts: || J::ACCEPTS.or_else(J::Input::accepts),
            returns: || J::RETURNS.or_else(J::Output::returns),
            input: J::input_schema,
            output: J::output_schema,
            run: run::<J>,
        }
    }
}

/// Runs one attempt of a job, from payload to payload.
pub(crate) fn run<J: Job>(ctx: &Ctx, input: Payload) -> Result<Option<Payload>, JobError> {
    J::run(ctx, J::Input::from_payload(input)?)?.into_payload()
}

/// Stops the build of a plugin with two functions of one name.
pub const fn assert_distinct(functions: &[Function]) {
    let mut i = 0;
    while i < functions.len() {
        let mut j = i + 1;
        while j < functions.len() {
            assert!(
                !equal(functions[i].name.as_bytes(), functions[j].name.as_bytes()),
                "two functions of this plugin have the same name"
            );
            j += 1;
        }
        i += 1;
    }
}

/// `==` of slices can't be called while compiling.
const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Runs one attempt of a job that calls the function of this name.
pub fn dispatch(
    functions: &[Function],
    ctx: &Ctx,
    name: &str,
    input: Payload,
) -> Result<Option<Payload>, JobError> {
    match functions.iter().find(|function| function.name == name) {
        Some(function) => (function.run)(ctx, input),
        None => Err(unknown(functions, name)),
    }
}

fn unknown(functions: &[Function], name: &str) -> JobError {
    let known: Vec<_> = functions.iter().map(|function| format!("{:?}", function.name)).collect();
    JobError::fatal(format!("no function {name:?}; this plugin has {}", known.join(", ")))
        .code("unknown-function")
}

/// The document that `describe` hands to the host. Schemas are JSON already, so that it is put
/// together as text.
pub fn describe(functions: &[Function]) -> String {
    let mut text = "{\"functions\":[".to_owned();
    for (at, function) in functions.iter().enumerate() {
        text.push_str(if at == 0 { "{" } else { ",{" });
        let summary = Some(function.summary).filter(|summary| !summary.is_empty());
        let members = [
            ("\"name\":", Some(json(function.name))),
            (",\"summary\":", summary.map(json)),
            (",\"accepts\":", (function.accepts)().map(json)),
            (",\"returns\":", (function.returns)().map(json)),
            (",\"input\":", (function.input)()),
            (",\"output\":", (function.output)()),
        ];
        for (key, value) in members {
            if let Some(value) = value {
                text.push_str(key);
                text.push_str(&value);
            }
        }
        text.push('}');
    }
    text + "]}"
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("text and lists of text fit into JSON")
}

#[cfg(test)]
mod tests;
