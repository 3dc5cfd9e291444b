//! The one place that writes to the terminal: the result on stdout, everything else on stderr.

use std::io::{self, IsTerminal as _, Write as _};

use gristmill::job::media;
use serde::Serialize;

use super::error::Error;

/// A result as it came: nothing is added, but that a terminal's prompt begins a line of its own.
pub(crate) fn result(content_type: &str, data: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    let is_readable = media::is_text(content_type) || media::is_json(content_type);
    let wants_newline = is_readable && stdout.is_terminal() && !data.ends_with(b"\n");
    let newline: &[u8] = if wants_newline { b"\n" } else { b"" };
    let written = stdout.write_all(data).and_then(|()| stdout.write_all(newline));
    written.and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Lines of text.
pub(crate) fn text(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// An object, laid out to be read.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Error> {
    text(&rendered(serde_json::to_string_pretty(value))?)
}

/// An object in one line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Error> {
    text(&rendered(serde_json::to_string(value))?)
}

fn rendered(text: serde_json::Result<String>) -> Result<String, Error> {
    text.map_err(|error| Error::Output(error.into()))
}

/// What went wrong, in one line on stderr.
pub(crate) fn complain(line: &str) {
    note(&format!("gristmill: {line}"));
}

/// Lines on stderr. There is nobody left to tell if that fails.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", tame(text));
}

/// What guests say may hold sequences that a terminal obeys; they are shown instead.
pub(crate) fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => tamed.push(c),
            c if c.is_control() => tamed.extend(c.escape_default()),
            c => tamed.push(c),
        }
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn a_terminals_sequences_are_shown_rather_than_obeyed() {
        assert_eq!(tame("\u{1b}[2Jgone\r"), "\\u{1b}[2Jgone\\r");
        assert_eq!(tame("ä\tb\nc"), "ä\tb\nc");
    }
}
