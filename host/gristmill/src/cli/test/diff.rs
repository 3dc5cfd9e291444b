//! How what came differs from what was expected, line by line.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// Lines around a difference that are shown with it.
const CONTEXT: usize = 3;
/// Lines that are shown of one difference: more is nothing to be read on a terminal.
const LINES_MAX: usize = 120;
/// How long the smallest difference is looked for; any difference is as true.
const SEARCH_MAX: Duration = Duration::from_millis(500);

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// In both.
    Same(String),
    /// Expected, and didn't come.
    Missing(String),
    /// Came, and wasn't expected.
    Extra(String),
    /// Something is left out.
    Left(String),
}

/// The difference between two texts.
pub(super) fn diff(expected: &str, got: &str) -> Vec<Line> {
    let diff = TextDiff::configure().timeout(SEARCH_MAX).diff_lines(expected, got);
    let mut lines = Vec::new();
    for (i, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if i > 0 {
            lines.push(Line::Left("…".to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches('\n').to_owned();
            lines.push(match change.tag() {
                ChangeTag::Equal => Line::Same(text),
                ChangeTag::Delete => Line::Missing(text),
                ChangeTag::Insert => Line::Extra(text),
            });
        }
    }
    if let Some(more @ 1..) = lines.len().checked_sub(LINES_MAX) {
        lines.truncate(LINES_MAX);
        lines.push(Line::Left(format!("… {more} more lines")));
    }
    lines
}

impl Line {
    /// The line with the sign of its kind.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Same(text) => format!("  {text}"),
            Self::Missing(text) => format!("- {text}"),
            Self::Extra(text) => format!("+ {text}"),
            Self::Left(text) => text.clone(),
        }
    }
}

/// The difference as a text without colours.
pub(super) fn plain(expected: &str, got: &str) -> String {
    diff(expected, got).iter().map(Line::plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_was_expected_what_came_and_what_is_around_it() {
        let expected = "{\n  \"lines\": 1,\n  \"words\": 3\n}";
        let got = "{\n  \"lines\": 1,\n  \"words\": 4\n}";
        assert_eq!(
            plain(expected, got),
            "  {\n    \"lines\": 1,\n-   \"words\": 3\n+   \"words\": 4\n  }"
        );
    }

    #[test]
    fn a_long_difference_is_cut() {
        let lines = diff("", &"x\n".repeat(1_000));
        assert_eq!(lines.len(), LINES_MAX + 1);
        assert_eq!(lines.last(), Some(&Line::Left("… 880 more lines".to_owned())));
    }
}
