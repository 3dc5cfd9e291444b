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
    /// The character in it, from 1.
    pub column: Option<usize>,
    /// The key, with those that it stands under, such as `grants.cache.rates`; or the line itself,
    /// where it can't be read as TOML.
    pub place: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    /// A fault of the file as a whole.
    #[must_use]
    pub fn of_file(message: String) -> Self {
        Self { line: None, column: None, place: None, message }
    }

    /// What can't be read as TOML.
    pub(super) fn of_syntax(text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let position = error.span().and_then(|span| position_of(text, span.start));
        let (number, column) = position.unzip();
        let line = number.and_then(|number| text.lines().nth(number - 1));
        // It goes to terminals, which obey some of what can't be seen.
        let shown =
            |line: &str| cut(line.trim(), LINE_BYTES_SHOWN).replace(char::is_control, "\u{fffd}");
        let place = line.map(shown);
        Self { line: number, column, place, message }
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
        let (line, column) = position_of(self.text, start).unzip();
        let (place, message) = (Some(path.to_owned()), message.into());
        self.found.borrow_mut().push(Fault { line, column, place, message });
    }

    /// The line of a key or value that starts at this byte.
    pub(super) fn line_of(&self, start: usize) -> usize {
        position_of(self.text, start).map_or(1, |(line, _)| line)
    }

    /// All of them by line, if there is one.
    pub(super) fn none(self) -> Result<(), Vec<Fault>> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|fault| (fault.line, fault.column));
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

/// Line and column, each from 1.
fn position_of(text: &str, byte: usize) -> Option<(usize, usize)> {
    let before = text.get(..byte)?;
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    Some((before.matches('\n').count() + 1, before[line..].chars().count() + 1))
}
