//! What is wrong with a manifest, and where.

use std::cell::RefCell;
use std::fmt;

use crate::log_book::cut;

/// Bytes of a faulty line that its error repeats.
const LINE_BYTES_SHOWN: usize = 120;

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1, if it is about one.
    pub line: Option<usize>,
    /// The key, with those that it stands under, such as `grants.cache.rates`; or the line itself,
    /// where it can't be read as TOML.
    pub place: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    /// A fault of the file as a whole.
    pub(super) fn of_file(message: String) -> Self {
        Self { line: None, place: None, message }
    }

    /// What can't be read as TOML.
    pub(super) fn of_syntax(text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let number = error.span().and_then(|span| line_of(text, span.start));
        let line = number.and_then(|number| text.lines().nth(number - 1));
        // It goes to terminals, which obey some of what can't be seen.
        let shown =
            |line: &str| cut(line.trim(), LINE_BYTES_SHOWN).replace(char::is_control, "\u{fffd}");
        let place = line.map(shown);
        Self { line: number, place, message }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        if let Some(place) = &self.place {
            write!(f, "`{place}`: ")?;
        }
        f.write_str(&self.message)
    }
}

/// The faults found so far.
pub(super) struct Faults<'a> {
    text: &'a str,
    found: RefCell<Vec<Fault>>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: RefCell::default() }
    }

    /// Notes a fault of the key or value that starts at this byte.
    pub(super) fn add(&self, start: usize, path: &str, message: impl Into<String>) {
        let fault = Fault {
            line: line_of(self.text, start),
            place: Some(path.to_owned()),
            message: message.into(),
        };
        self.found.borrow_mut().push(fault);
    }

    /// All of them by line, if there is one.
    pub(super) fn none(self) -> Result<(), Vec<Fault>> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|fault| fault.line);
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

fn line_of(text: &str, byte: usize) -> Option<usize> {
    text.get(..byte).map(|before| before.matches('\n').count() + 1)
}
