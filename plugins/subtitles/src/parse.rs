//! Reading SubRip.
//!
//! A file is blocks of lines between empty lines: a number, times, and text. The times make a cue;
//! the number is only looked at to tell that something is missing.

use crate::cue::{Cue, Problem};

/// Stands between the two times of a cue.
const ARROW: &str = "-->";

/// How many hours a time may have: more is a typing error.
const HOURS_MAX: u64 = 999;

/// Lines that follow each other without an empty one; never empty itself.
struct Block<'a> {
    /// The number of its first line.
    first: usize,
    lines: Vec<&'a str>,
}

/// Reads SubRip: its cues in the order of their start, and what was wrong.
///
/// A byte order mark, any line ends, `.` before the milliseconds, absent hours and coordinates
/// after the times are taken as they are common. Everything else that is out of order is a problem:
/// numbers that are missing or don't go on by one, cues out of order, times that overlap (kept) or
/// run backwards (swapped), text after an empty line inside a cue (kept), cues without text,
/// duration or readable times (left out).
pub fn parse(text: &str) -> (Vec<Cue>, Vec<Problem>) {
    let mut reader = Reader::default();
    for block in blocks(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        reader.read(&block);
    }
    let Reader { cues, mut problems, .. } = reader;
    let cues = in_order(cues, &mut problems);
    (cues, problems)
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    cues: Vec<Cue>,
    problems: Vec<Problem>,
    last_number: Option<u64>,
    /// Whether the block before this one ended in text of a cue, so that more may belong to it.
    in_text: bool,
}

impl Reader {
    fn read(&mut self, block: &Block<'_>) {
        let mut lines = &block.lines[..];
        let mut line = block.first;
        if times_at(lines).is_none() {
            return self.read_stray(block);
        }
        while let Some(times) = times_at(lines) {
            if line > block.first {
                self.problem(line, "no empty line before the cue");
            }
            match times {
                0 => self.miss_number(line),
                _ => self.check_number(line, lines[0]),
            }
            let text = &lines[times + 1..];
            let length = next_cue(text);
            self.read_cue(line + times, lines[times], &text[..length]);
            lines = &text[length..];
            line += times + 1 + length;
        }
    }

    fn miss_number(&mut self, line: usize) {
        self.problem(line, "the number is missing");
        self.last_number = self.last_number.map(|number| number.saturating_add(1));
    }

    /// A first number is taken as it is: files are cut into parts.
    fn check_number(&mut self, line: usize, text: &str) {
        let number = number(text);
        if let Some(expected) = self.last_number.map(|number| number.saturating_add(1))
            && number != Some(expected)
        {
            let text = text.trim();
            self.problem(line, format!("numbered {text} where {expected} is next; renumbered"));
        }
        self.last_number = number;
    }

    fn read_cue(&mut self, line: usize, times: &str, text: &[&str]) {
        self.in_text = false;
        let Some((mut start, mut end)) = times_of(times) else {
            let mut lost = vec![times.trim()];
            lost.extend(text);
            self.problem(
                line,
                format!("the times can't be read; left out: {:?}", lost.join(" / ")),
            );
            return;
        };
        if text.is_empty() {
            return self.problem(line, "the cue has no text; left out");
        }
        if end < start {
            self.problem(line, "the cue ends before it starts; its times are swapped");
            (start, end) = (end, start);
        }
        if start == end {
            let lost = text.join(" / ");
            return self.problem(line, format!("the cue has no duration; left out: {lost:?}"));
        }
        let text = text.iter().map(|line| (*line).to_owned()).collect();
        self.cues.push(Cue { line, start, end, text });
        self.in_text = true;
    }

    /// A block without times: most likely a cue's text has an empty line in it.
    fn read_stray(&mut self, block: &Block<'_>) {
        match self.cues.last_mut() {
            Some(cue) if self.in_text => {
                cue.text.extend(block.lines.iter().map(|line| (*line).to_owned()));
                self.problem(block.first, "text after an empty line; joined to the cue before");
            }
            _ => {
                let lost = block.lines.join(" / ");
                self.problem(block.first, format!("text without times; left out: {lost:?}"));
            }
        }
    }

    fn problem(&mut self, line: usize, problem: impl Into<String>) {
        self.problems.push(Problem::at(line, problem));
    }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let text_lines = text.split('\n').flat_map(|line| {
        // `\r\n` ends a line once, and a `\r` by itself ends one as well.
        line.strip_suffix('\r').unwrap_or(line).split('\r')
    });
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut after_empty = true;
    for (index, line) in text_lines.enumerate() {
        let line = line.trim_end();
        if line.trim_start().is_empty() {
            after_empty = true;
        } else if after_empty {
            blocks.push(Block { first: index + 1, lines: vec![line] });
            after_empty = false;
        } else if let Some(block) = blocks.last_mut() {
            block.lines.push(line);
        }
    }
    blocks
}

/// Which line of the first cue has its times: the first, or the second after a number. Anything
/// that looks like times is taken for them, so that a typing error is one cue's problem.
fn times_at(lines: &[&str]) -> Option<usize> {
    match lines {
        [times, ..] if times.contains(ARROW) => Some(0),
        [number, times, ..] if is_number(number) && times.contains(ARROW) => Some(1),
        _ => None,
    }
}

/// How many lines of text there are before the next cue, where the empty line before it was
/// forgotten. Text may have an arrow, so only times that can be read end it.
fn next_cue(text: &[&str]) -> usize {
    let Some(times) = text.iter().position(|line| times_of(line).is_some()) else {
        return text.len();
    };
    times - usize::from(times > 0 && is_number(text[times - 1]))
}

fn is_number(line: &str) -> bool {
    !line.trim().is_empty() && line.trim().bytes().all(|byte| byte.is_ascii_digit())
}

fn number(line: &str) -> Option<u64> {
    is_number(line).then(|| line.trim().parse().ok())?
}

/// The two times of a line such as `00:00:01,000 --> 00:00:02,500`; coordinates may follow.
fn times_of(line: &str) -> Option<(u64, u64)> {
    let (start, end) = line.split_once(ARROW)?;
    Some((time(start.trim())?, time(end.split_whitespace().next()?)?))
}

/// `[hours:]minutes:seconds[,fraction]` in milliseconds.
fn time(text: &str) -> Option<u64> {
    let (whole, fraction) = match text.split_once([',', '.']) {
        Some((whole, fraction)) => (whole, milliseconds(fraction)?),
        None => (text, 0),
    };
    let parts: Option<Vec<u64>> = whole.split(':').map(number).collect();
    let (hours, minutes, seconds) = match parts?[..] {
        [hours, minutes, seconds] => (hours, minutes, seconds),
        [minutes, seconds] => (0, minutes, seconds),
        _ => return None,
    };
    let in_range = hours <= HOURS_MAX && minutes < 60 && seconds < 60;
    in_range.then(|| ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction)
}

/// One to three digits after the comma: `5` is half a second.
fn milliseconds(fraction: &str) -> Option<u64> {
    let value = number(fraction)?;
    match fraction.len() {
        1 => Some(value * 100),
        2 => Some(value * 10),
        3 => Some(value),
        _ => None,
    }
}

/// Sorts cues by their start and tells which ones weren't, and which overlap.
fn in_order(mut cues: Vec<Cue>, problems: &mut Vec<Problem>) -> Vec<Cue> {
    let mut latest = 0;
    for cue in &cues {
        if cue.start < latest {
            let late = latest - cue.start;
            let problem = format!("the cue starts {late} ms before one above it; moved up");
            problems.push(Problem::at(cue.line, problem));
        }
        latest = latest.max(cue.start);
    }
    cues.sort_by_key(|cue| cue.start);
    let mut shown_until = 0;
    for cue in &cues {
        if cue.start < shown_until {
            let overlap = shown_until.min(cue.end) - cue.start;
            let problem = format!("the cue overlaps one before it by {overlap} ms; kept");
            problems.push(Problem::at(cue.line, problem));
        }
        shown_until = shown_until.max(cue.end);
    }
    cues
}

#[cfg(test)]
mod tests;
