//! What is wrong with an input, and where.

use std::fmt;

use serde_json::Value;

use crate::log_book::cut;

/// Bytes of a value, a key, a pattern or a list of words that a fault repeats.
pub(super) const BYTES_SHOWN: usize = 120;

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
pub(super) enum Path<'a> {
    Input,
    Key(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        match self {
            Self::Input => f.write_str("input"),
            Self::Key(parent, key) if !key.is_empty() && key.chars().all(is_plain) => {
                write!(f, "{parent}.{}", cut(key, BYTES_SHOWN))
            }
            Self::Key(parent, key) => write!(f, "{parent}.{:?}", cut(key, BYTES_SHOWN)),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The faults found so far, as many as there is room for.
pub(super) struct Faults {
    found: Vec<Fault>,
    room: usize,
    any: bool,
    other_value: bool,
}

impl Faults {
    /// With room for so many; none: it only matters whether there are any.
    pub(super) fn new(room: usize) -> Self {
        Self { found: Vec::new(), room, any: false, other_value: false }
    }

    /// A list for what is tried out beside this one.
    pub(super) fn beside(&self) -> Self {
        Self::new(self.room)
    }

    pub(super) fn add(&mut self, path: &Path<'_>, message: impl FnOnce() -> String) {
        self.any = true;
        if !self.is_full() {
            let mut path = path.to_string();
            path.truncate(path.floor_char_boundary(PATH_BYTES_SHOWN));
            self.found.push(Fault { path, message: message() });
        }
    }

    /// Notes that a value is none of those that may be here, by which the forms of a union are told
    /// apart.
    pub(super) fn add_other_value(&mut self, path: &Path<'_>, message: impl FnOnce() -> String) {
        self.other_value = true;
        self.add(path, message);
    }

    /// Takes over what was found beside.
    pub(super) fn take(&mut self, others: Self) {
        self.any |= others.any;
        self.found.extend(others.found);
        self.found.truncate(self.room);
    }

    pub(super) fn any(&self) -> bool {
        self.any
    }

    pub(super) fn other_value(&self) -> bool {
        self.other_value
    }

    pub(super) fn found(&self) -> &[Fault] {
        &self.found
    }

    /// Whether to look no further.
    pub(super) fn is_full(&self) -> bool {
        self.any && self.found.len() >= self.room
    }

    pub(super) fn wants_words(&self) -> bool {
        self.room > 0
    }

    pub(super) fn into_result(self) -> Result<(), Vec<Fault>> {
        if self.any { Err(self.found) } else { Ok(()) }
    }
}

/// A value as a fault shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", cut(text, BYTES_SHOWN)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// Words in a row, as many as there is room for.
pub(super) fn listed(words: impl Iterator<Item = String>, last: &str) -> String {
    let mut text = String::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if text.len() + word.len() > BYTES_SHOWN && !text.is_empty() {
            return text + ", …";
        }
        let word = cut(&word, BYTES_SHOWN);
        let between = if words.peek().is_none() { last } else { ", " };
        if !text.is_empty() {
            text.push_str(between);
        }
        text.push_str(word);
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}
