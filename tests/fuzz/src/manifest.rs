//! Manifests of plugins.

use gristmill_runtime::{Fault, Limits, Manifest};

/// A manifest is read, or each of its faults names a line that it has, in their order.
///
/// # Panics
/// It isn't so.
pub fn manifest(data: &[u8]) {
    let Err(faults) = Manifest::parse(data, &Limits::MAX) else { return };
    assert!(!faults.is_empty(), "it is refused for nothing");
    assert!(faults.is_sorted_by_key(|fault| fault.line), "out of order: {faults:?}");
    let Ok(text) = std::str::from_utf8(data) else { return };
    for Fault { line, column, place, message } in &faults {
        assert!(!message.is_empty() && !message.contains('\n'), "{message:?}");
        // What is said of the file as a whole names neither.
        let Some(place) = place else { continue };
        let lines = text.matches('\n').count() + 1;
        let line = line.unwrap_or_else(|| panic!("no line: {place}: {message}"));
        assert!((1..=lines).contains(&line), "line {line} of {lines}: {message}");
        let column = column.unwrap_or_else(|| panic!("no column: {place}: {message}"));
        let characters = text.split('\n').nth(line - 1).map_or(0, |line| line.chars().count());
        assert!((1..=characters + 1).contains(&column), "column {column}: {message}");
        assert!(!place.contains(char::is_control), "{place:?}");
    }
}
