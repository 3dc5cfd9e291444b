//! How faults name what they are about.

use serde_json::Value;

use crate::log_book::cut;

/// What is shown of a value that doesn't fit.
const SHOWN_BYTES_MAX: usize = 40;

/// Names that an error lists.
const NAMES_MAX: usize = 20;

/// A value as an error names it.
pub(super) fn shown(json: &Value) -> String {
    match json {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => quoted(text),
        scalar => scalar.to_string(),
    }
}

pub(super) fn quoted(text: &str) -> String {
    let part = cut(text, SHOWN_BYTES_MAX);
    format!("{part:?}{}", if part.len() < text.len() { "…" } else { "" })
}

/// Names that would fit; of very many, the first.
pub(super) fn listed<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let mut names = names.peekable();
    if names.peek().is_none() {
        return "none".to_owned();
    }
    let mut text =
        names.by_ref().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.next().is_some() {
        text.push_str(", …");
    }
    text
}
