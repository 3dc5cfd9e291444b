//! The lines of `--jsonl`: each a job, all checked before the first one goes its way.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use gristmill::job::wire::JobRequest;
use gristmill::job::{JobId, NewJob, PluginName};
use serde_json::{Map, Value};

use super::error::Error;

/// Bytes of one line: an input of 1 MiB takes up to 6 MiB of JSON.
const LINE_BYTES_MAX: u64 = 8 << 20;
/// Lines of one run: their jobs are all in memory.
const LINES_MAX: usize = 1_000_000;

/// What lines leave out.
#[derive(Default)]
pub(crate) struct Defaults {
    pub(crate) plugin: Option<PluginName>,
    pub(crate) function: Option<String>,
    /// Keys of a job.
    pub(crate) options: Map<String, Value>,
}

impl Defaults {
    /// Sets a key that lines may leave out.
    pub(crate) fn set(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.options.insert(key.to_owned(), value.into());
        }
    }
}

/// A job and where it stands.
#[derive(Debug)]
pub(crate) struct Line {
    /// File and line.
    pub(crate) place: String,
    pub(crate) job: NewJob,
}

/// Reads all jobs of a file, or of stdin (-).
pub(crate) fn read_all(path: &Path, defaults: &Defaults) -> Result<Vec<Line>, Error> {
    if path.as_os_str() == "-" {
        return read(io::stdin().lock(), "stdin", defaults);
    }
    let name = path.display().to_string();
    let file = File::open(path)
        .map_err(|error| Error::Usage(format!("--jsonl {name} can't be read: {error}")))?;
    read(BufReader::new(file), &name, defaults)
}

/// Reads all jobs; empty lines are none.
fn read(mut source: impl BufRead, name: &str, defaults: &Defaults) -> Result<Vec<Line>, Error> {
    let mut lines: Vec<Line> = Vec::new();
    let mut places: HashMap<JobId, usize> = HashMap::new();
    let mut buffer = Vec::new();
    for number in 1.. {
        let place = format!("{name}:{number}");
        let wrong = |problem: String| at(&place, problem);
        buffer.clear();
        let read = io::Read::take(&mut source, LINE_BYTES_MAX + 1).read_until(b'\n', &mut buffer);
        let read = read.map_err(|error| wrong(format!("it can't be read: {error}")))?;
        if read == 0 {
            break;
        }
        if read as u64 > LINE_BYTES_MAX {
            return Err(wrong(format!("the line is longer than {LINE_BYTES_MAX} bytes")));
        }
        if buffer.trim_ascii().is_empty() {
            continue;
        }
        if lines.len() == LINES_MAX {
            return Err(wrong(format!("more than {LINES_MAX} jobs")));
        }
        let job = parse(&buffer, defaults).map_err(wrong)?;
        if let Some(earlier) = places.insert(job.id, number) {
            return Err(wrong(format!("id: line {earlier} has it already")));
        }
        lines.push(Line { place: place.clone(), job });
    }
    Ok(lines)
}

/// The error of a line.
pub(crate) fn at(place: &str, problem: String) -> Error {
    Error::At { place: place.to_owned(), source: Box::new(Error::Usage(problem)) }
}

fn parse(line: &[u8], defaults: &Defaults) -> Result<NewJob, String> {
    let mut object: Map<String, Value> =
        serde_json::from_slice(line).map_err(|error| in_column(&error))?;
    fill_in(&mut object, defaults);
    let request: JobRequest =
        serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
    NewJob::try_from(request).map_err(|error| error.to_string())
}

fn fill_in(object: &mut Map<String, Value>, defaults: &Defaults) {
    if let Some(plugin) = &defaults.plugin {
        let said = object.entry("plugin").or_insert_with(|| Value::from(plugin.as_str()));
        // The command's function is one of the command's plugin.
        let is_the_same = said.as_str() == Some(plugin.as_str());
        if let (true, Some(function)) = (is_the_same, &defaults.function) {
            object.entry("function").or_insert_with(|| Value::from(function.as_str()));
        }
    }
    for (key, value) in &defaults.options {
        object.entry(key).or_insert_with(|| value.clone());
    }
}

/// The parser's own line number is always 1, which would contradict the file's.
fn in_column(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&position) {
        Some(problem) => format!("column {}: {problem}", error.column()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::error::one_line;

    fn defaults() -> Defaults {
        let plugin = Some("echo".parse().unwrap());
        let mut defaults =
            Defaults { plugin, function: Some("echo".to_owned()), ..Defaults::default() };
        defaults.set("max_attempts", Some(1));
        defaults.set("priority", None::<u8>);
        defaults
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let error = read(text.as_bytes(), "jobs.jsonl", &defaults()).unwrap_err();
        let line = one_line(&error);
        assert!(line.contains(expected), "{line}");
    }

    #[test]
    fn a_faulty_line_is_named_with_its_field() {
        check_refused("{}\n\n{\"priority\": 9}", "jobs.jsonl:3: priority: ");
        check_refused("{\"inptu\": 1}", "jobs.jsonl:1: unknown field `inptu`");
        check_refused("{\"input\": }", "jobs.jsonl:1: column 11: ");
        check_refused("[]", "jobs.jsonl:1: ");
        let id = "{\"id\": \"6f9619ff-8b86-d011-b42d-00cf4fc964ff\"}\n";
        check_refused(&id.repeat(2), "jobs.jsonl:2: id: line 1 has it already");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let endless = std::io::BufReader::new(std::io::repeat(b' '));
        let error = read(endless, "stdin", &defaults()).unwrap_err();
        assert!(one_line(&error).contains("stdin:1: the line is longer than"));
    }

    #[test]
    fn what_a_line_leaves_out_is_the_commands() {
        let text = "{}\n{\"plugin\": \"other\", \"max_attempts\": 3}\n{\"function\": \"f\"}";
        let lines = read(text.as_bytes(), "jobs.jsonl", &defaults()).unwrap();
        let called = |line: &Line| {
            let function = line.job.function.as_ref().map(ToString::to_string);
            (line.job.plugin.to_string(), function, line.job.retry_policy().attempts_max)
        };
        assert_eq!(called(&lines[0]), ("echo".to_owned(), Some("echo".to_owned()), 1));
        assert_eq!(called(&lines[1]), ("other".to_owned(), None, 3));
        assert_eq!(called(&lines[2]), ("echo".to_owned(), Some("f".to_owned()), 1));
        assert_eq!(lines[2].place, "jobs.jsonl:3");
    }
}
