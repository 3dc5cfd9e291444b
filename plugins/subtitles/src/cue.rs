//! What subtitles are made of.

use serde::{Deserialize, Serialize};

/// A text and when it is shown; times are milliseconds from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// The line of the file that has its times, counted from 1.
    pub line: usize,
    /// When it appears.
    pub start: u64,
    /// When it goes; after `start`.
    pub end: u64,
    /// Its lines, with their markup; at least one.
    pub text: Vec<String>,
}

/// Something that was repaired or left out.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line of the file, counted from 1.
    pub line: usize,
    /// What is wrong with it, and what was done about it.
    pub problem: String,
}

impl Problem {
    /// Notes a problem.
    pub(crate) fn at(line: usize, problem: impl Into<String>) -> Problem {
        Problem { line, problem: problem.into() }
    }
}
