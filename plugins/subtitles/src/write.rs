//! Writing WebVTT and SubRip.

use std::fmt::Write as _;

use crate::{
    Format,
    cue::{Cue, Problem},
    markup::{self, Placed},
};

/// Writes cues, numbered from 1. Markup that the format doesn't know is a problem. `progress` hears
/// after each cue how many are written.
pub fn write(
    cues: &[Cue],
    format: Format,
    problems: &mut Vec<Problem>,
    mut progress: impl FnMut(usize),
) -> String {
    let mut out = String::new();
    if format == Format::Vtt {
        out.push_str("WEBVTT\n");
    }
    for (number, cue) in (1..).zip(cues) {
        if number > 1 || format == Format::Vtt {
            out.push('\n');
        }
        // Writing to a string doesn't fail.
        let _ = match format {
            Format::Srt => {
                let (start, end) = (Time(cue.start, ','), Time(cue.end, ','));
                writeln!(out, "{number}\n{start} --> {end}\n{}", cue.text.join("\n"))
            }
            Format::Vtt => {
                let (start, end) = (Time(cue.start, '.'), Time(cue.end, '.'));
                let Placed { settings, text } = markup::to_vtt(cue, problems);
                writeln!(out, "{number}\n{start} --> {end}{settings}\n{text}")
            }
        };
        progress(number);
    }
    out
}

/// A time in milliseconds, and what stands before its thousandths.
struct Time(u64, char);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Time(time, point) = *self;
        let (seconds, milliseconds) = (time / 1000, time % 1000);
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        write!(f, "{hours:02}:{:02}:{:02}{point}{milliseconds:03}", minutes % 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests;
