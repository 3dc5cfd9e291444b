//! Reads files of cases; everything that is wrong with one is told at once.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gristmill_job::limits::{ATTEMPTS_MAX, TIMEOUT_MAX};
use gristmill_job::{FunctionName, Headers, Payload};
use gristmill_runtime::{ARGS_HEADER, ENV_HEADER, Fault, Item, Section, read_page};
use serde_json::Value;

use super::content::{self, Content, INPUT};
use super::expected::{self, Expected};
use super::observed::CacheKey;

/// Inputs of a MiB stand in files of their own, so that this is room for thousands of cases.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// A name is a line.
const NAME_BYTES_MAX: usize = 200;

/// A file of cases.
#[derive(Debug, Clone)]
pub struct CaseFile {
    /// The cases, in their order.
    pub cases: Vec<Case>,
}

/// A function's call, and what is expected of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name, which no other case of the file has.
    pub name: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// Which of the file's cases it is, from 0.
    pub index: usize,
    /// The function; may be left out where there is only one.
    pub function: Option<FunctionName>,
    /// What it is given.
    pub input: Payload,
    /// What its producer tells it beside; arguments and environment of a program are among it.
    pub headers: Headers,
    /// Values of the manifest that it sees otherwise.
    pub config: BTreeMap<String, String>,
    /// Secrets that it reads, in place of those that its manifest names a source for.
    pub secrets: BTreeMap<String, String>,
    /// How long the attempt may take.
    pub timeout: Option<Duration>,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// What an earlier attempt saved.
    pub checkpoint: Option<Payload>,
    /// When somebody asks for its end.
    pub cancel_after: Option<Duration>,
    /// What the cache holds before.
    pub cache: Vec<(CacheKey, Entry)>,
    /// What is expected.
    pub expected: Expected,
    /// Whether anything is: where nothing is said, the attempt is to complete.
    pub expects: bool,
}

/// A value in the cache.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The value.
    pub content: Content,
    /// How long it stays.
    pub ttl: Option<Duration>,
}

/// What is wrong with a file of cases.
#[derive(Debug)]
pub struct CaseFileError {
    /// The file.
    pub path: PathBuf,
    /// All that is wrong with it, in the order of its lines.
    pub faults: Vec<Fault>,
}

/// A line for each fault: file, line and column, key, what is wrong and what would be right.
impl fmt::Display for CaseFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.path.display())?;
            if let (Some(line), Some(column)) = (fault.line, fault.column) {
                write!(f, ":{line}:{column}")?;
            }
            match &fault.place {
                Some(place) => write!(f, ": `{place}`: {}", fault.message)?,
                None => write!(f, ": {}", fault.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for CaseFileError {}

impl CaseFile {
    /// Reads a file of cases, and the files that it names. Blocks.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(path: &Path) -> Result<Self, CaseFileError> {
        let mut bytes = Vec::new();
        let wrong = |faults| CaseFileError { path: path.to_owned(), faults };
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|error| wrong(vec![Fault::of_file(format!("it can't be read: {error}"))]))?;
        let dir = path.parent().unwrap_or(Path::new("."));
        Self::parse(&bytes, dir).map_err(wrong)
    }

    /// Reads the text of a file in this folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(bytes: &[u8], dir: &Path) -> Result<Self, Vec<Fault>> {
        let cases = read_page(bytes, FILE_BYTES_MAX, |mut root| {
            let items = root.take("case").map(|item| item.list()).unwrap_or_default();
            let mut names = HashMap::new();
            let cases = items.iter().enumerate().filter_map(|(i, item)| {
                let case = case(item.table()?, item, i, dir)?;
                if let Some(line) = names.insert(case.name.clone(), case.line) {
                    item.fault(format!("name: the case in line {line} has it already"));
                }
                Some(case)
            });
            let cases: Vec<Case> = cases.collect();
            root.end();
            cases
        })?;
        if cases.is_empty() {
            return Err(vec![Fault::of_file("it has no cases: each is a [[case]]".to_owned())]);
        }
        Ok(Self { cases })
    }
}

fn case(mut table: Section<'_>, item: &Item<'_>, index: usize, dir: &Path) -> Option<Case> {
    let name = table.take("name");
    let input = content::take(&mut table, &INPUT, dir);
    let content_type = expected::text(table.take("content_type"));
    let timeout = table.take("timeout").and_then(|item| item.duration(TIMEOUT_MAX));
    let attempt = table.take("attempt").and_then(|item| item.number(1, ATTEMPTS_MAX.into()));
    let expected = table.table("expect");
    let case = Case {
        line: item.line(),
        index,
        function: table.take("function").and_then(|item| item.parsed()),
        input: match input {
            Some(content) => content.payload(content_type),
            None => Payload { content_type: content_type.unwrap_or_default(), ..Payload::none() },
        },
        headers: headers(&mut table, item),
        config: expected::texts(table.table("config")),
        secrets: expected::texts(table.table("secrets")),
        timeout,
        attempt: attempt.and_then(|number| u32::try_from(number).ok()).unwrap_or(1),
        checkpoint: table
            .take("checkpoint")
            .and_then(|item| content::in_one(&item, dir))
            .map(|(content, _)| content.payload(None)),
        cancel_after: table.take("cancel_after").and_then(|item| item.duration(TIMEOUT_MAX)),
        cache: expected::cached(&mut table, |item| {
            let (content, ttl) = content::in_one(item, dir)?;
            Some(Entry { content, ttl })
        }),
        expects: expected.is_some(),
        expected: expected.map(|table| expected::read(table, dir)).unwrap_or_default(),
        name: String::new(),
    };
    table.end();
    let Some(name) = name else {
        item.fault("name is missing: a line that says what the case is about");
        return None;
    };
    let name = name.text(NAME_BYTES_MAX)?;
    if name.trim().is_empty() || name.contains(char::is_control) {
        item.fault("name: it is to be a line that says what the case is about");
        return None;
    }
    Some(Case { name, ..case })
}

/// Headers, and what stands in headers of a job that is run as a program.
fn headers(table: &mut Section<'_>, item: &Item<'_>) -> Headers {
    let mut all = expected::texts(table.table("headers"));
    if let Some(args) = table.take("args") {
        let args = args.list();
        let args: Vec<&str> = args.iter().filter_map(Item::string).collect();
        all.insert(ARGS_HEADER.to_owned(), Value::from(args).to_string());
    }
    if let Some(env) = table.table("env") {
        let env = expected::texts(Some(env));
        let env = env.into_iter().map(|(name, value)| (name, Value::from(value)));
        all.insert(ENV_HEADER.to_owned(), Value::Object(env.collect()).to_string());
    }
    let headers = Headers::new(all).map_err(|why| format!("headers: {why}"));
    item.good(headers).unwrap_or_default()
}

#[cfg(test)]
mod tests;
