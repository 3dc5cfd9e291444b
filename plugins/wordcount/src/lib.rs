//! Text in, JSON out: what types of input and result look like.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

use std::{cmp::Reverse, collections::BTreeMap};

use gristmill_guest::prelude::*;
use serde::Serialize;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// How many words [`Report::top`] has at most.
const TOP_MAX: usize = 20;

/// What a text is made of.
#[derive(Serialize, Describe, Debug, PartialEq, Eq)]
pub struct Report {
    /// Newline characters, as `wc -l` counts them: a last line without one isn't counted.
    pub lines: u64,
    /// Words, as `wc -w` counts them (see [`words`]).
    pub words: u64,
    /// The most frequent words; those of equal frequency in the order of their code points.
    ///
    /// Words are the same if they are so in lower case and without punctuation and symbols at
    /// either end. A word made of nothing else, such as a dash, is counted in `words` and not
    /// listed here.
    pub top: Vec<Frequency>,
}

/// A word of the list.
#[derive(Serialize, Describe, Debug, PartialEq, Eq)]
pub struct Frequency {
    /// In lower case.
    pub word: String,
    /// How often it occurs.
    pub count: u64,
}

/// Counts lines and words of a text, and lists its 20 most frequent words.
#[job]
pub fn count(input: String) -> JobResult<Report> {
    Ok(Report {
        lines: input.matches('\n').count() as u64,
        words: words(&input).count() as u64,
        top: top(&input),
    })
}

gristmill_guest::export!(count);

/// The words of a text: what stands between white space, as `wc` of GNU coreutils 9.1 sees it in a
/// UTF-8 locale.
///
/// Non-breaking spaces and the word joiner end a word there. What can't be printed, which are the
/// other control characters and the line and paragraph separators, neither ends a word nor makes
/// one by itself; `wc` treats code points that aren't assigned yet likewise, here they are letters.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(separates).filter(|word| word.chars().any(|c| !unprintable(c)))
}

fn separates(c: char) -> bool {
    const WORD_JOINER: char = '\u{2060}';
    c == WORD_JOINER || matches!(c, '\t'..='\r') || (c.is_whitespace() && !unprintable(c))
}

fn unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn top(text: &str) -> Vec<Frequency> {
    let mut counts = BTreeMap::<String, u64>::new();
    for word in words(text).map(|word| word.trim_matches(is_ornament)).filter(|w| !w.is_empty()) {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    let mut top: Vec<_> =
        counts.into_iter().map(|(word, count)| Frequency { word, count }).collect();
    // The map was in the order of the words, and the sort leaves equals as they were.
    top.sort_by_key(|frequency| Reverse(frequency.count));
    top.truncate(TOP_MAX);
    top
}

/// What isn't part of a word where it stands at its end; marks are, since they belong to a letter.
fn is_ornament(c: char) -> bool {
    use GeneralCategoryGroup::{Other, Punctuation, Separator, Symbol};
    matches!(c.general_category_group(), Punctuation | Symbol | Other | Separator)
}

#[cfg(test)]
mod tests;
