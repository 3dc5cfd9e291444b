//! What of an input doesn't fit, and where: by a function's types or by its JSON Schema, in the same words.
//!
//! Both come from strangers, so whatever they are, what is told of them has a bound.

use std::fmt;

use serde_json::Value;

use crate::log_book::cut;

/// Faults of one input that are told: enough to mend it in a few rounds.
pub(crate) const FAULTS_MAX: usize = 8;

/// Bytes of a value, a name, a pattern or a list of words that a fault repeats.
pub(crate) const BYTES_SHOWN: usize = 120;

/// Bytes of a path that a fault tells: an input may have a hundred keys one within the other.
const PATH_BYTES_SHOWN: usize = 1 << 10;

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where, such as `input.size.width`.
    pub(crate) path: String,
    /// What is wrong, and what would be right.
    pub(crate) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Where in an input a value is.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Input,
    Key(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        match self {
            Self::Input => f.write_str("input"),
            Self::Key(parent, key)
                if key.len() <= BYTES_SHOWN && key.bytes().all(is_plain) && !key.is_empty() =>
            {
                write!(f, "{parent}.{key}")
            }
            Self::Key(parent, key) => write!(f, "{parent}.{}", quoted(key)),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The faults found so far, as many as there is room for.
pub(crate) struct Faults {
    found: Vec<Fault>,
    room: usize,
    any: bool,
    other_value: bool,
}

impl Faults {
    /// With room for so many; none: it only matters whether there are any.
    pub(crate) fn new(room: usize) -> Self {
        Self { found: Vec::new(), room, any: false, other_value: false }
    }

    /// A list for what is tried out beside this one.
    pub(crate) fn beside(&self) -> Self {
        Self::new(self.room)
    }

    pub(crate) fn add(&mut self, path: &Path<'_>, message: impl FnOnce() -> String) {
        self.any = true;
        if !self.is_full() {
            let mut path = path.to_string();
            path.truncate(path.floor_char_boundary(PATH_BYTES_SHOWN));
            self.found.push(Fault { path, message: message() });
        }
    }

    /// Notes that a value is none of those that may be here, by which the forms of a union are told
    /// apart.
    pub(crate) fn add_other_value(&mut self, path: &Path<'_>, message: impl FnOnce() -> String) {
        self.other_value = true;
        self.add(path, message);
    }

    /// Takes over what was found beside.
    pub(crate) fn take(&mut self, others: Self) {
        self.any |= others.any;
        self.found.extend(others.found);
        self.found.truncate(self.room);
    }

    pub(crate) fn any(&self) -> bool {
        self.any
    }

    pub(crate) fn other_value(&self) -> bool {
        self.other_value
    }

    pub(crate) fn found(&self) -> &[Fault] {
        &self.found
    }

    /// Whether to look no further.
    pub(crate) fn is_full(&self) -> bool {
        self.any && self.found.len() >= self.room
    }

    pub(crate) fn wants_words(&self) -> bool {
        self.room > 0
    }

    pub(crate) fn into_result(self) -> Result<(), Vec<Fault>> {
        if self.any { Err(self.found) } else { Ok(()) }
    }
}

/// A value as a fault shows it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// A text as a fault repeats it, in quotes; of a long one, the start.
pub(crate) fn quoted(text: &str) -> String {
    let part = cut(text, BYTES_SHOWN);
    format!("{part:?}{}", if part.len() < text.len() { "…" } else { "" })
}

/// Words in a row, as many as there is room for.
pub(crate) fn listed<W: AsRef<str>>(words: impl Iterator<Item = W>, last: &str) -> String {
    let mut text = String::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let word = word.as_ref();
        if text.len() + word.len() > BYTES_SHOWN && !text.is_empty() {
            return text + ", …";
        }
        let word = cut(word, BYTES_SHOWN);
        let between = if words.peek().is_none() { last } else { ", " };
        if !text.is_empty() {
            text.push_str(between);
        }
        text.push_str(word);
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}
