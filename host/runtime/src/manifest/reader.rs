//! Reads a page of TOML key by key, and goes on after a fault, so that all are told together.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use gristmill_job::time::parse_duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Faults};
use crate::limits::parse_bytes;
use crate::log_book::cut;

/// Bytes of a faulty value that its error repeats.
const VALUE_BYTES_SHOWN: usize = 60;

/// Reads a page of TOML of up to so many bytes by `read`, which takes what it knows out of the page's
/// own table and [ends](Section::end) it.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn read_page<T>(
    bytes: &[u8],
    bytes_max: u64,
    read: impl FnOnce(Section<'_>) -> T,
) -> Result<T, Vec<Fault>> {
    if bytes.len() as u64 > bytes_max {
        return Err(vec![Fault::of_file(format!("it is larger than {bytes_max} bytes"))]);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(vec![Fault::of_file("it is no text in UTF-8".to_owned())]);
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let faults = errors.iter().map(|error| Fault::of_syntax(text, error));
        let mut faults: Vec<Fault> = faults.collect();
        faults.sort_by_key(|fault| (fault.line, fault.column));
        return Err(faults);
    }
    let faults = Faults::new(text);
    let whole = read(Section::root(table.get_ref(), &faults));
    faults.none().map(|()| whole)
}

/// A table whose keys are taken one by one; what is left in the end isn't known.
pub struct Section<'a> {
    path: String,
    table: &'a DeTable<'a>,
    known: Vec<&'static str>,
    faults: &'a Faults<'a>,
}

/// A value under its key.
pub struct Item<'a> {
    path: String,
    /// The last part of the path.
    pub key: &'a str,
    value: &'a DeValue<'a>,
    start: usize,
    faults: &'a Faults<'a>,
}

impl<'a> Section<'a> {
    fn root(table: &'a DeTable<'a>, faults: &'a Faults<'a>) -> Self {
        Self { path: String::new(), table, known: Vec::new(), faults }
    }

    /// The value under a key, if there is one.
    pub fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(self.item(name, value))
    }

    /// The table under a key, if there is one.
    pub fn table(&mut self, key: &'static str) -> Option<Section<'a>> {
        self.take(key)?.table()
    }

    /// The items of a table whose keys are names.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> {
        self.table.iter().map(|(name, value)| self.item(name, value))
    }

    /// Ends the table: what wasn't taken is a fault each.
    pub fn end(self) {
        for (name, _) in self.table {
            if !self.known.iter().any(|known| known == name.get_ref()) {
                let path = join(&self.path, name.get_ref());
                let message = format!("this key isn't known; known are {}", self.known.join(", "));
                self.faults.add(name.span().start, &path, message);
            }
        }
    }

    fn item(
        &self,
        name: &'a Spanned<toml::de::DeString<'a>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Item<'a> {
        Item {
            path: join(&self.path, name.get_ref()),
            key: name.get_ref(),
            value: value.get_ref(),
            start: name.span().start,
            faults: self.faults,
        }
    }
}

impl<'a> Item<'a> {
    /// The value itself, for what is of any type.
    #[must_use]
    pub fn value(&self) -> &'a DeValue<'a> {
        self.value
    }

    /// The line that it stands in, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.faults.line_of(self.start)
    }

    /// Notes a fault of this value.
    pub fn fault(&self, message: impl Into<String>) {
        self.faults.add(self.start, &self.path, message);
    }

    /// Notes that the value is of another kind than this.
    pub fn expected<T>(&self, what: &str) -> Option<T> {
        self.fault(format!("expected {what}, got {}", shown(self.value)));
        None
    }

    /// A string.
    pub fn string(&self) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.expected("a string"))
    }

    /// A string that isn't longer than it may be.
    pub fn text(&self, bytes_max: usize) -> Option<String> {
        let text = self.string()?;
        if text.len() > bytes_max {
            self.fault(format!("{} bytes are more than {bytes_max}", text.len()));
            return None;
        }
        Some(text.to_owned())
    }

    /// A string that is a name of its kind.
    pub fn parsed<T: FromStr<Err: Display>>(&self) -> Option<T> {
        self.good(self.string()?.parse())
    }

    /// The key itself as a name of its kind.
    pub fn name<T: FromStr<Err: Display>>(&self) -> Option<T> {
        self.good(self.key.parse())
    }

    /// What came of looking at the value; an error is a fault of it.
    pub fn good<T, E: Display>(&self, looked: Result<T, E>) -> Option<T> {
        looked.map_err(|error| self.fault(error.to_string())).ok()
    }

    /// One of several words.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let found = self.value.as_str().and_then(|text| words.iter().find(|word| word.0 == text));
        match found {
            Some((_, value)) => Some(*value),
            None => {
                let known: Vec<String> =
                    words.iter().map(|(word, _)| format!("{word:?}")).collect();
                self.expected(&known.join(" or "))
            }
        }
    }

    /// A whole number within bounds.
    pub fn number(&self, min: u64, max: u64) -> Option<u64> {
        let number = self
            .value
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        match number {
            Some(number) if (min..=max).contains(&number) => Some(number),
            _ => self.expected(&format!("a whole number from {min} to {max}")),
        }
    }

    /// A share from 0 to 1.
    pub fn share(&self) -> Option<f64> {
        let number = self.value.as_float().map(|number| number.as_str());
        let number = number.or_else(|| self.value.as_integer().map(|number| number.as_str()));
        match number.and_then(|text| text.parse().ok()) {
            Some(share) if (0.0..=1.0).contains(&share) => Some(share),
            _ => self.expected("a number from 0 to 1"),
        }
    }

    /// A time such as `30s`, up to the longest.
    pub fn duration(&self, max: Duration) -> Option<Duration> {
        let Some(duration) = self.value.as_str().and_then(|text| parse_duration(text).ok()) else {
            return self.expected("a time such as \"250ms\", \"30s\" or \"5m\"");
        };
        if duration > max {
            self.fault(format!("{duration:?} is more than {max:?}"));
            return None;
        }
        Some(duration)
    }

    /// A number of bytes, plain or such as `64MiB`.
    pub fn bytes(&self) -> Option<u64> {
        let wanted = "bytes such as 65536, \"64KiB\" or \"1MiB\"";
        match self.value {
            DeValue::Integer(_) => self.number(0, u64::MAX),
            DeValue::String(text) => parse_bytes(text).or_else(|| self.expected(wanted)),
            _ => self.expected(wanted),
        }
    }

    /// A table.
    pub fn table(&self) -> Option<Section<'a>> {
        match self.value.as_table() {
            Some(table) => Some(Section {
                path: self.path.clone(),
                table,
                known: Vec::new(),
                faults: self.faults,
            }),
            None => self.expected("a table"),
        }
    }

    /// The items of a list.
    pub fn list(&self) -> Vec<Item<'a>> {
        let Some(list) = self.value.as_array() else {
            let _: Option<()> = self.expected("a list");
            return Vec::new();
        };
        let item = |value: &'a Spanned<DeValue<'a>>| Item {
            path: self.path.clone(),
            key: self.key,
            value: value.get_ref(),
            start: value.span().start,
            faults: self.faults,
        };
        list.iter().map(item).collect()
    }
}

/// A key as TOML writes it: in quotes where it has to be.
fn join(path: &str, key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let key = if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        format!("{:?}", cut(key, VALUE_BYTES_SHOWN))
    };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{:?}", cut(text, VALUE_BYTES_SHOWN)),
        DeValue::Integer(number) => cut(number.as_str(), VALUE_BYTES_SHOWN).to_owned(),
        DeValue::Float(number) => cut(number.as_str(), VALUE_BYTES_SHOWN).to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(_) => "a time".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
