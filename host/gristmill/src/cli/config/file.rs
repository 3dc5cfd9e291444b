//! Reads the file: each key is a flag of its section, each value what the flag takes.

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{fault, flags, is_switch, sections};

/// Characters of a faulty value that are repeated.
const SHOWN_CHARS: usize = 60;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) given: Vec<Given>,
    pub(super) faults: Vec<String>,
}

/// What the file says of a flag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) id: String,
    /// Whether all commands have the flag.
    pub(super) global: bool,
    pub(super) values: Vec<String>,
}

/// Reads a file of this name with this text.
pub(super) fn read(name: &str, text: &str, command: &Command) -> Read {
    let mut reader = Reader { name, text, command, given: Vec::new(), faults: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => reader.root(table.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            reader.fault(at, "", error.message());
        }
    }
    let Reader { given, mut faults, .. } = reader;
    // Tables come in the order of their keys.
    faults.sort_by_key(|(at, _)| *at);
    Read { given, faults: faults.into_iter().map(|(_, fault)| fault).collect() }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    command: &'a Command,
    given: Vec<Given>,
    /// Each with where it is.
    faults: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn root(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let (at, name) = (key.span().start, key.get_ref().as_ref());
            let known: Vec<&str> = sections::names().collect();
            match value.get_ref() {
                DeValue::Table(table) if known.contains(&name) => self.section(name, table),
                _ if known.contains(&name) => self.fault(at, name, "it is a section: [NAME]"),
                _ => {
                    let home = sections::of(Some(name));
                    let home = home.filter(|_| self.flag(name).is_some());
                    let hint = match home {
                        Some(section) => format!("it belongs into the section [{section}]"),
                        None => format!("there is no such section; there are {}", known.join(", ")),
                    };
                    self.fault(at, name, &hint);
                }
            }
        }
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let (at, name) = (key.span().start, key.get_ref().as_ref());
            let path = format!("{section}.{name}");
            let home = self.flag(name).and_then(|_| sections::of(Some(name)));
            match (home, self.flag(name)) {
                (Some(home), Some((arg, global))) if home == section => {
                    let arg = arg.clone();
                    self.value(&path, &arg, global, value);
                }
                (Some(home), _) => self.fault(at, &path, &format!("it belongs into [{home}]")),
                (None, _) => {
                    let all = flags(self.command).filter_map(|(arg, _)| arg.get_long());
                    let here = all.filter(|long| sections::of(Some(long)) == Some(section));
                    let known = here.collect::<Vec<_>>().join(", ");
                    self.fault(at, &path, &format!("this key isn't known; known are {known}"));
                }
            }
        }
    }

    fn flag(&self, long: &str) -> Option<(&Arg, bool)> {
        flags(self.command).find(|(arg, _)| arg.get_long() == Some(long))
    }

    fn value(&mut self, path: &str, arg: &Arg, global: bool, value: &Spanned<DeValue<'_>>) {
        let mut values = Vec::new();
        let is_list = matches!(arg.get_action(), ArgAction::Append);
        match value.get_ref() {
            DeValue::Array(items) if is_list => {
                items.iter().for_each(|item| values.extend(self.single(path, arg, "", item)));
            }
            DeValue::Table(items) if is_list && takes_pairs(arg) => {
                for (key, item) in items {
                    let start = format!("{}=", key.get_ref());
                    values.extend(self.single(path, arg, &start, item));
                }
            }
            _ => values.extend(self.single(path, arg, "", value)),
        }
        self.given.push(Given { id: arg.get_id().to_string(), global, values });
    }

    /// A value as it would be written on the command line.
    fn single(
        &mut self,
        path: &str,
        arg: &Arg,
        start: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<String> {
        let at = value.span().start;
        let text = match value.get_ref() {
            DeValue::Boolean(switch) if is_switch(arg) => return Some(switch.to_string()),
            DeValue::Integer(number) if is_number(arg) || !start.is_empty() => number.to_string(),
            DeValue::String(text) if !is_switch(arg) && (!is_number(arg) || !start.is_empty()) => {
                text.to_string()
            }
            other => {
                let expected = match () {
                    () if is_switch(arg) => "true or false",
                    () if is_number(arg) => "a number",
                    () if matches!(arg.get_action(), ArgAction::Append) => "a list of strings",
                    () => "a string",
                };
                let got = shown(&self.text[value.span()]);
                let kind = other.type_str();
                self.fault(at, path, &format!("expected {expected}, got the {kind} {got}"));
                return None;
            }
        };
        let text = format!("{start}{text}");
        match fault(self.command, arg, &text) {
            Some(fault) => self.fault(at, path, &fault),
            None => return Some(text),
        }
        None
    }

    fn fault(&mut self, at: usize, path: &str, message: &str) {
        let line = self.text[..at.min(self.text.len())].matches('\n').count() + 1;
        let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
        self.faults.push((at, format!("{}:{line}: {path}{message}", self.name)));
    }
}

fn is_number(arg: &Arg) -> bool {
    let kinds = [ValueParser::from(clap::value_parser!(usize)).type_id()];
    kinds.contains(&arg.get_value_parser().type_id())
}

/// Whether a flag's values are names with something each.
fn takes_pairs(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().any(|name| name.contains('='))
}

fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(SHOWN_CHARS).collect()
}
