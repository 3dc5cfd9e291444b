//! Regular expressions of schemas.
//!
//! The engine needs no unbounded time for any of them, and knows neither looking around nor references
//! back, which would need it. What it takes grows with the expression's compiled size.

use regex_lite::{Regex, RegexBuilder};

use crate::log_book::cut;

/// The smallest size that is told apart: what takes no more is taken to take as much.
const SIZE_MIN: usize = 4 << 10;
/// What the expressions of one schema may take together, compiled: compiling takes time in proportion.
const SIZES_MAX: usize = 1 << 20;
/// Bytes of a pattern that an error repeats.
const TEXT_BYTES_SHOWN: usize = 120;
/// Steps for each byte of a text that is held against an expression of the smallest size.
const STEPS_PER_BYTE: u64 = 16;

/// A regular expression.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// No less than its compiled size.
    size: usize,
}

/// Makes the patterns of one schema.
pub(super) struct Patterns {
    size_left: usize,
}

impl Patterns {
    pub(super) fn new() -> Self {
        Self { size_left: SIZES_MAX }
    }

    pub(super) fn make(&mut self, text: &str) -> Result<Pattern, String> {
        let build = |size| RegexBuilder::new(text).size_limit(size).build();
        if let Err(error) = build(self.size_left) {
            let shown = cut(text, TEXT_BYTES_SHOWN);
            return Err(format!("{shown:?} is no pattern that can be used: {error}"));
        }
        let mut size = SIZE_MIN;
        loop {
            if let Ok(regex) = build(size) {
                self.size_left = self.size_left.saturating_sub(size);
                return Ok(Pattern { regex, size });
            }
            size *= 2;
        }
    }
}

impl Pattern {
    pub(super) fn text(&self) -> &str {
        self.regex.as_str()
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// What holding a text against it takes.
    pub(super) fn steps(&self, text: &str) -> u64 {
        let per_byte = STEPS_PER_BYTE * (self.size / SIZE_MIN) as u64;
        per_byte.saturating_mul(text.len() as u64 + 1)
    }
}
