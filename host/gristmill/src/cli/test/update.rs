//! `gristmill test --update`: writes what came into files of cases, and leaves the rest of them alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gristmill::Payload;
use gristmill::cases::{
    CaseReport, Mismatch, Observed, Report, Verdict, brief, disposition, shown_payload,
};
use gristmill::job::{Outcome, media};
use serde_json::Value as Json;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use crate::cli::error::Error;

/// Which cases now expect what came.
#[derive(Default)]
pub(super) struct Updated(BTreeMap<PathBuf, Vec<usize>>);

impl Updated {
    /// Whether this case is one of them.
    pub(super) fn has(&self, report: &CaseReport) -> bool {
        self.0.get(&report.file).is_some_and(|cases| cases.contains(&report.case.index))
    }

    /// The files that were written, with how many cases of each.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Path, usize)> {
        self.0.iter().map(|(path, cases)| (path.as_path(), cases.len()))
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

/// Updates the files of all cases that failed. What an attempt may use at most is its author's to say.
pub(super) fn update(report: &Report) -> Result<Updated, Error> {
    let mut files: BTreeMap<&Path, Vec<&CaseReport>> = BTreeMap::new();
    for case in &report.cases {
        let says_nothing = !case.case.expects && case.observed().is_some();
        if says_nothing || matches!(case.verdict, Verdict::Failed(..)) {
            files.entry(&case.file).or_default().push(case);
        }
    }
    let mut updated = Updated::default();
    for (path, cases) in files {
        let indices = update_file(path, &cases)?;
        if !indices.is_empty() {
            updated.0.insert(path.to_owned(), indices);
        }
    }
    Ok(updated)
}

fn update_file(path: &Path, cases: &[&CaseReport]) -> Result<Vec<usize>, Error> {
    let wrong = |why: String| Error::Usage(format!("{} can't be updated: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| wrong(error.to_string()))?;
    let tables = document.get_mut("case").and_then(Item::as_array_of_tables_mut);
    let tables = tables.ok_or_else(|| wrong("its cases aren't written as [[case]]".to_owned()))?;
    let mut updated = Vec::new();
    for report in cases {
        let Some(table) = tables.get_mut(report.case.index) else { continue };
        // Somebody else may have written to it while the cases ran.
        if table.get("name").and_then(Item::as_str) != Some(&report.case.name) {
            return Err(wrong("it has changed meanwhile".to_owned()));
        }
        let dir = path.parent().unwrap_or(Path::new("."));
        if update_case(table, report, dir).map_err(|why| wrong(why.to_string()))? {
            updated.push(report.case.index);
        }
    }
    std::fs::write(path, document.to_string()).map_err(|error| wrong(error.to_string()))?;
    Ok(updated)
}

/// Answers whether the case now expects all that came.
fn update_case(case: &mut Table, report: &CaseReport, dir: &Path) -> std::io::Result<bool> {
    let Some(observed) = report.observed() else { return Ok(false) };
    let expect = case.entry("expect").or_insert_with(|| Item::Table(Table::new()));
    let Some(expect) = expect.as_table_like_mut() else { return Ok(false) };
    let mismatches = match &report.verdict {
        Verdict::Failed(_, mismatches) => &mismatches[..],
        _ => &[],
    };
    let is_other = mismatches.iter().any(|mismatch| mismatch.what == "outcome");
    if is_other || !report.case.expects {
        whole_outcome(expect, observed, dir)?;
        return Ok(true);
    }
    let mut is_whole = true;
    for mismatch in mismatches {
        is_whole &= update_key(expect, mismatch, report, observed, dir)?;
    }
    Ok(is_whole)
}

/// Says what the attempt came to, with its result or why there is none.
fn whole_outcome(
    expect: &mut dyn TableLike,
    observed: &Observed,
    dir: &Path,
) -> std::io::Result<()> {
    let outcome = &observed.outcome;
    if let Outcome::Completed { result } = outcome {
        expect.remove("outcome");
        expect.remove("error");
        return match result {
            Some(result) => set_result(expect, result, dir),
            None => Ok(()),
        };
    }
    for key in
        ["result", "result_json", "result_file", "result_base64", "content_type", "no_result"]
    {
        expect.remove(key);
    }
    set(expect, "outcome", outcome.kind().as_str().into());
    if let Some(error) = outcome.error() {
        let table = sub_table(expect, "error");
        set(table, "code", error.code.as_str().into());
        set(table, "message", error.message.as_str().into());
        if let (Some(word), _) = disposition(outcome) {
            set(table, "retry", word.as_str().into());
        }
    }
    Ok(())
}

fn update_key(
    expect: &mut dyn TableLike,
    mismatch: &Mismatch,
    report: &CaseReport,
    observed: &Observed,
    dir: &Path,
) -> std::io::Result<bool> {
    let what = mismatch.what.as_str();
    let result = match &observed.outcome {
        Outcome::Completed { result } => result.as_ref(),
        _ => None,
    };
    match (what, result) {
        ("result", Some(result)) => set_result(expect, result, dir)?,
        ("content_type", Some(result)) => {
            set(expect, "content_type", result.content_type.as_str().into());
        }
        ("result", None) => {
            for key in ["result", "result_json", "result_file", "result_base64"] {
                expect.remove(key);
            }
            set(expect, "no_result", true.into());
        }
        ("jobs", _) => set(expect, "jobs", jobs(report, observed)),
        ("log", _) => {
            let lines = mismatch.got.lines().map(Value::from);
            set(expect, "log", Value::Array(lines.collect()));
        }
        ("checkpoint", _) => match &observed.checkpoint {
            Some(saved) => set(expect, "checkpoint", in_one(saved)),
            None => return Ok(false),
        },
        (what, _) => return Ok(of_table(expect, what, mismatch, observed)),
    }
    Ok(true)
}

/// What stands in a table under `expect`.
fn of_table(
    expect: &mut dyn TableLike,
    what: &str,
    mismatch: &Mismatch,
    observed: &Observed,
) -> bool {
    if let Some((place, found)) = observed.cache.iter().find(|(place, _)| place.to_string() == what)
    {
        let Some(found) = found else { return false };
        let table = match &place.bucket {
            Some(bucket) => sub_table(sub_table(expect, "buckets"), bucket.as_str()),
            None => sub_table(expect, "cache"),
        };
        set(table, &place.key, in_one(&Payload::bytes(found.clone())));
        return true;
    }
    let Some((table, key)) = what.split_once('.') else { return false };
    let error = observed.outcome.error();
    let new: Value = match (table, key) {
        ("error", "detail") => match error.and_then(|error| error.detail.as_ref()) {
            Some(detail) => in_one(detail),
            None => return false,
        },
        ("error", "after") => match disposition(&observed.outcome).1 {
            Some(after) => format!("{}ms", after.as_millis()).into(),
            None => return false,
        },
        ("error", _) => mismatch.got.as_str().into(),
        ("progress", "note") => mismatch.got.as_str().into(),
        ("progress", _) => match mismatch.got.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => return false,
        },
        _ => return false,
    };
    set(sub_table(expect, table), key, new);
    true
}

/// The result in the form in which it was expected, or else in the plainest one.
fn set_result(expect: &mut dyn TableLike, result: &Payload, dir: &Path) -> std::io::Result<()> {
    if let Some(file) = expect.get("result_file").and_then(Item::as_str) {
        return std::fs::write(dir.join(file), &result.data);
    }
    expect.remove("no_result");
    let shown = shown_payload(result);
    let is_text = std::str::from_utf8(&result.data).is_ok();
    let had_json = expect.contains_key("result_json");
    let plain = if had_json { None } else { toml(&shown) };
    let (key, new) = match plain {
        _ if !is_text => ("result_base64", BASE64.encode(&result.data).into()),
        Some(plain) => ("result", plain),
        None => {
            let text = serde_json::to_string_pretty(&shown).unwrap_or_else(|_| shown.to_string());
            ("result_json", text.into())
        }
    };
    for other in ["result", "result_json", "result_base64"] {
        if other != key {
            expect.remove(other);
        }
    }
    set(expect, key, new);
    Ok(())
}

/// All jobs that were enqueued, each under the keys that were expected of it.
fn jobs(report: &CaseReport, observed: &Observed) -> Value {
    let expected = report.case.expected.jobs.as_deref().unwrap_or_default();
    let mut array = Array::new();
    for (i, job) in observed.jobs.iter().enumerate() {
        let shown = expected.get(i).map_or_else(|| brief(job), |expected| expected.alike(job));
        let mut table = InlineTable::new();
        for (key, shown) in shown.into_iter().filter(|(_, shown)| !shown.is_null()) {
            match toml(&shown) {
                Some(plain) => table.insert(&key, plain),
                None => table.insert(format!("{key}_json"), shown.to_string().into()),
            };
        }
        let mut table = Value::InlineTable(table);
        table.decor_mut().set_prefix("\n  ");
        array.push_formatted(table);
    }
    array.set_trailing_comma(true);
    array.set_trailing("\n");
    Value::Array(array)
}

/// A payload as one value.
fn in_one(payload: &Payload) -> Value {
    let form = |key: &str, text: String| {
        let mut table = InlineTable::new();
        table.insert(key, text.into());
        Value::InlineTable(table)
    };
    let Ok(text) = std::str::from_utf8(&payload.data) else {
        return form("base64", BASE64.encode(&payload.data));
    };
    let shown = shown_payload(payload);
    match (&shown, toml(&shown)) {
        (Json::Object(_) | Json::Array(_), None) => form("json", text.to_owned()),
        (_, Some(plain)) if media::is_json(&payload.content_type) => plain,
        _ => text.into(),
    }
}

/// A value of JSON as one of TOML, which has no null and no numbers beyond 64 bits.
fn toml(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => (*truth).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) if number.is_f64() => float.into(),
            _ => return None,
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::Array(items.iter().map(toml).collect::<Option<Array>>()?),
        Json::Object(map) => {
            let mut table = InlineTable::new();
            for (key, json) in map {
                table.insert(key, toml(json)?);
            }
            Value::InlineTable(table)
        }
    })
}

/// The table under a key, made with dots where there is none.
fn sub_table<'a>(table: &'a mut dyn TableLike, key: &str) -> &'a mut dyn TableLike {
    let is_table = table.get(key).is_some_and(Item::is_table_like);
    if !is_table {
        let mut new = Table::new();
        new.set_dotted(true);
        table.insert(key, Item::Table(new));
    }
    match table.get_mut(key).and_then(Item::as_table_like_mut) {
        Some(found) => found,
        None => unreachable!("it was made above"),
    }
}

/// Sets a value, with what stood around the old one.
fn set(table: &mut dyn TableLike, key: &str, mut new: Value) {
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *new.decor_mut() = old.decor().clone();
    }
    match table.get_mut(key) {
        Some(item) => *item = value(new),
        None => {
            table.insert(key, value(new));
        }
    }
}

#[cfg(test)]
mod tests;
