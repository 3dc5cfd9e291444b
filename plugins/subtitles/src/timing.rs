//! Moving cues in time.

use std::{error::Error, fmt};

use crate::cue::{Cue, Problem};

/// The most that times can be stretched by: beyond it nobody means it, and no time overflows.
const STRETCH_MAX: f64 = 1000.0;

/// The most that times can be shifted by, in milliseconds: the longest time that can be read.
const SHIFT_MAX: u64 = 1000 * 60 * 60 * 1000;

/// How all times change: first stretched, then shifted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    shift: i64,
    stretch: f64,
}

/// Why a timing can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidTiming {
    /// The stretch is no number above 0 and up to 1000.
    Stretch,
    /// The shift is longer than 1000 hours.
    Shift,
}

impl fmt::Display for InvalidTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidTiming::Stretch => write!(f, "stretch is above 0 and at most {STRETCH_MAX}"),
            InvalidTiming::Shift => write!(f, "shift_ms is at most {SHIFT_MAX}, either way"),
        }
    }
}

impl Error for InvalidTiming {}

impl Timing {
    /// A factor for all times, and milliseconds to add then.
    pub fn new(shift: i64, stretch: f64) -> Result<Timing, InvalidTiming> {
        if !(stretch > 0.0 && stretch <= STRETCH_MAX) {
            return Err(InvalidTiming::Stretch);
        }
        if shift.unsigned_abs() > SHIFT_MAX {
            return Err(InvalidTiming::Shift);
        }
        Ok(Timing { shift, stretch })
    }

    /// Where a time comes to lie; before the start there is nothing.
    fn apply(self, time: u64) -> u64 {
        let stretched = (time as f64 * self.stretch).round() as u64;
        stretched.saturating_add_signed(self.shift)
    }
}

/// Moves all cues. One that begins before the start is cut there, one that isn't shown at all any
/// more is left out; both are problems.
pub fn retime(cues: Vec<Cue>, timing: &Timing, problems: &mut Vec<Problem>) -> Vec<Cue> {
    cues.into_iter().filter_map(|cue| retime_one(cue, timing, problems)).collect()
}

fn retime_one(cue: Cue, timing: &Timing, problems: &mut Vec<Problem>) -> Option<Cue> {
    let moved = Cue { start: timing.apply(cue.start), end: timing.apply(cue.end), ..cue };
    if moved.start == moved.end {
        let lost = moved.text.join(" / ");
        let problem = format!("the cue is not shown after the change of times; left out: {lost:?}");
        problems.push(Problem::at(moved.line, problem));
        return None;
    }
    let duration = (moved.end - moved.start) as f64;
    let full = (cue.end - cue.start) as f64 * timing.stretch;
    // Rounding both ends takes a millisecond at most.
    if moved.start == 0 && full - duration > 1.0 {
        problems.push(Problem::at(moved.line, "the cue begins before the start; cut there"));
    }
    Some(moved)
}

#[cfg(test)]
mod tests;
