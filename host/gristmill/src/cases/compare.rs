//! Holds what an attempt did against what its case expects.

use std::fmt;
use std::time::Duration;

use gristmill_job::{Disposition, ErrorReport, NewJob, Outcome, Payload, PluginName, Start};
use serde_json::{Map, Value};

use super::content::{Content, shown_payload};
use super::expected::{Expected, ExpectedError, ExpectedJob, ExpectedProgress, RetryWord};
use super::observed::Observed;
use super::run::raw;
use crate::log::shown_line;

/// Something that came otherwise than it was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What: the key under `expect`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.what, self.expected, self.got)
    }
}

/// What came otherwise than it was expected.
pub(super) fn compare(expected: &Expected, observed: &Observed) -> Vec<Mismatch> {
    let mut found = Found(Vec::new());
    if observed.outcome.kind() != expected.outcome {
        // All else follows from it, and would hide it.
        found.add("outcome", expected.outcome.as_str(), outcome(&observed.outcome));
        return found.0;
    }
    found.result(expected, observed);
    if let Some(error) = observed.outcome.error() {
        found.error(&expected.error, error, &observed.outcome);
    }
    found.cache(expected, observed);
    if let Some(jobs) = &expected.jobs {
        found.jobs(jobs, &observed.jobs);
    }
    found.log(&expected.log, observed);
    if let Some(progress) = &expected.progress {
        found.progress(progress, observed);
    }
    if let Some(checkpoint) = &expected.checkpoint {
        found.content("checkpoint", checkpoint, observed.checkpoint.as_ref());
    }
    for (measure, most) in &expected.within {
        let used = measure.of(&observed.usage);
        if used > *most {
            let expected = format!("at most {}", measure.shown(*most));
            found.add(&format!("within.{}", measure.name), expected, measure.shown(used));
        }
    }
    found.0
}

/// An outcome with why it was it.
fn outcome(outcome: &Outcome) -> String {
    let kind = outcome.kind();
    let Some(error) = outcome.error() else { return kind.to_string() };
    let mut text = match error.code.as_str() {
        code if code == kind.as_str() => format!("{kind}: {}", error.message),
        code => format!("{kind} ({code}): {}", error.message),
    };
    for frame in &error.backtrace {
        text.push_str(&format!("\n  at {frame}"));
    }
    for line in &error.log_tail {
        text.push_str(&format!("\n  log: {line}"));
    }
    text
}

struct Found(Vec<Mismatch>);

impl Found {
    fn add(&mut self, what: &str, expected: impl Into<String>, got: impl Into<String>) {
        let mismatch =
            Mismatch { what: what.to_owned(), expected: expected.into(), got: got.into() };
        self.0.push(mismatch);
    }

    fn same<T: PartialEq + fmt::Display>(&mut self, what: &str, expected: &Option<T>, got: &T) {
        if let Some(expected) = expected
            && expected != got
        {
            self.add(what, expected.to_string(), got.to_string());
        }
    }

    fn content(&mut self, what: &str, expected: &Content, got: Option<&Payload>) {
        match got {
            Some(payload) if expected.is(payload) => {}
            Some(payload) => {
                self.add(what, laid_out(&expected.shown()), laid_out(&alike(expected, payload)))
            }
            None => self.add(what, laid_out(&expected.shown()), "nothing"),
        }
    }

    fn result(&mut self, expected: &Expected, observed: &Observed) {
        let result = match &observed.outcome {
            Outcome::Completed { result } => result.as_ref(),
            _ => None,
        };
        if let Some(wanted) = &expected.result {
            self.content("result", wanted, result);
        }
        if let (true, Some(result)) = (expected.no_result, result) {
            self.add("result", "nothing", laid_out(&shown_payload(result)));
        }
        if let Some(wanted) = &expected.content_type {
            let got = result.map_or("", |result| result.content_type.as_str());
            if got != wanted {
                self.add("content_type", wanted, got);
            }
        }
    }

    fn error(&mut self, expected: &ExpectedError, error: &ErrorReport, outcome: &Outcome) {
        self.same("error.code", &expected.code, &error.code);
        if let Some(message) = &expected.message
            && !error.message.contains(message.as_str())
        {
            self.add("error.message", message, &error.message);
        }
        if let Some(detail) = &expected.detail {
            self.content("error.detail", detail, error.detail.as_ref());
        }
        self.same("error.limit", &expected.limit, &error.limit.clone().unwrap_or_default());
        let (retry, after) = disposition(outcome);
        if expected.retry.is_some() && expected.retry != retry {
            let word = |word: Option<RetryWord>| word.map_or("nothing", RetryWord::as_str);
            self.add("error.retry", word(expected.retry), word(retry));
        }
        if let Some(wanted) = expected.after
            && Some(wanted) != after
        {
            let got = after.map_or_else(|| "nothing".to_owned(), |after| format!("{after:?}"));
            self.add("error.after", format!("{wanted:?}"), got);
        }
    }

    fn cache(&mut self, expected: &Expected, observed: &Observed) {
        let found =
            |place| observed.cache.iter().find(|(key, _)| key == place)?.1.as_ref().map(raw);
        for (place, content) in &expected.cache {
            self.content(&place.to_string(), content, found(place).as_ref());
        }
        for place in &expected.absent {
            if let Some(value) = found(place) {
                self.add(
                    &format!("absent: {}", place.key),
                    "nothing",
                    laid_out(&shown_payload(&value)),
                );
            }
        }
    }

    fn jobs(&mut self, expected: &[ExpectedJob], jobs: &[NewJob]) {
        let wanted: Vec<Value> = expected.iter().map(|job| Value::Object(job.shown())).collect();
        let got: Vec<Value> = jobs
            .iter()
            .enumerate()
            .map(|(i, job)| match expected.get(i) {
                Some(expected) => Value::Object(expected.alike(job)),
                None => Value::Object(brief(job)),
            })
            .collect();
        if wanted != got {
            self.add("jobs", laid_out(&wanted.into()), laid_out(&got.into()));
        }
    }

    /// Each line is looked for after the one that the line before it was found in.
    fn log(&mut self, expected: &[String], observed: &Observed) {
        let lines: Vec<String> = observed.log.iter().map(shown_line).collect();
        let mut rest = lines.iter();
        if expected.iter().all(|wanted| rest.any(|line| line.contains(wanted.as_str()))) {
            return;
        }
        self.add("log", expected.join("\n"), lines.join("\n"));
    }

    fn progress(&mut self, expected: &ExpectedProgress, observed: &Observed) {
        let Some(progress) = &observed.progress else {
            self.add("progress", "some", "nothing");
            return;
        };
        self.same("progress.done", &expected.done, &progress.done);
        self.same("progress.total", &expected.total, &progress.total.unwrap_or_default());
        let note = progress.note.clone().unwrap_or_default();
        self.same("progress.note", &expected.note, &note);
    }
}

/// What a failure wants done, and when at the earliest.
#[must_use]
pub fn disposition(outcome: &Outcome) -> (Option<RetryWord>, Option<Duration>) {
    let Outcome::Failed { disposition, .. } = outcome else { return (None, None) };
    match disposition {
        Disposition::Fatal => (Some(RetryWord::Fatal), None),
        Disposition::Retry => (Some(RetryWord::Retry), None),
        Disposition::RetryAfter(after) => (Some(RetryWord::RetryAfter), Some(*after)),
    }
}

/// A payload as a value of the kind that was expected, so that a difference shows where it is.
fn alike(expected: &Content, payload: &Payload) -> Value {
    match expected {
        Content::Json(_) => match serde_json::from_slice::<Value>(&payload.data) {
            Ok(value) => super::normal(&value),
            Err(_) => shown_payload(payload),
        },
        Content::Text(_) | Content::Bytes(..) => shown_payload(payload),
    }
}

/// A text as it is, any other value laid out over lines.
fn laid_out(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()),
    }
}

/// What says which job it is.
#[must_use]
pub fn brief(job: &NewJob) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("plugin".to_owned(), job.plugin.as_str().into());
    if let Some(function) = &job.function {
        map.insert("function".to_owned(), function.as_str().into());
    }
    map.insert("input".to_owned(), shown_payload(&job.input));
    map
}

/// What a job is told to be under each key that a case may name.
fn value_of(key: &str, job: &NewJob) -> Value {
    let shown = |duration: Duration| Value::from(format!("{duration:?}"));
    match key {
        "plugin" => job.plugin.as_str().into(),
        "function" => job.function.as_ref().map_or(Value::Null, |name| name.as_str().into()),
        "content_type" => job.input.content_type.as_str().into(),
        "queue" => job.queue.as_str().into(),
        "priority" => u8::from(job.priority).into(),
        "delay" => match job.start {
            Start::After(delay) => shown(delay),
            Start::Now | Start::At(_) => Value::Null,
        },
        "max_attempts" => job.retry_policy().attempts_max.into(),
        "timeout" => job.timeout.map_or(Value::Null, shown),
        "unique_key" => job.unique_key.as_ref().map_or(Value::Null, |key| key.as_str().into()),
        _ => Value::Null,
    }
}

impl ExpectedJob {
    /// What is expected, key by key.
    fn shown(&self) -> Map<String, Value> {
        let text = |name: Option<&str>| name.map(Value::from);
        let time = |time: Option<Duration>| time.map(|time| Value::from(format!("{time:?}")));
        let headers: Map<_, _> =
            self.headers.iter().map(|(k, v)| (k.to_ascii_lowercase(), v.as_str().into())).collect();
        let all = [
            ("plugin", text(self.plugin.as_ref().map(PluginName::as_str))),
            ("function", text(self.function.as_ref().map(|name| name.as_str()))),
            ("input", self.input.as_ref().map(Content::shown)),
            ("content_type", text(self.content_type.as_deref())),
            ("queue", text(self.queue.as_ref().map(|name| name.as_str()))),
            ("priority", self.priority.map(Value::from)),
            ("delay", time(self.delay)),
            ("max_attempts", self.max_attempts.map(Value::from)),
            ("timeout", time(self.timeout)),
            ("unique_key", text(self.unique_key.as_deref())),
            ("headers", (!headers.is_empty()).then_some(Value::Object(headers))),
        ];
        let named = all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        named.collect()
    }

    /// What a job is under the same keys.
    #[must_use]
    pub fn alike(&self, job: &NewJob) -> Map<String, Value> {
        let mut map = self.shown();
        for (key, value) in &mut map {
            *value = match (key.as_str(), &self.input) {
                ("input", Some(input)) if input.is(&job.input) => continue,
                ("input", Some(input)) => alike(input, &job.input),
                ("headers", _) => self
                    .headers
                    .keys()
                    .map(|name| {
                        let value = job.headers.get(name).map_or(Value::Null, Value::from);
                        (name.to_ascii_lowercase(), value)
                    })
                    .collect::<Map<_, _>>()
                    .into(),
                (key, _) => value_of(key, job),
            };
        }
        map
    }
}

#[cfg(test)]
mod tests;
