//! Subtitles in SubRip, as the world writes them, to WebVTT or clean SubRip.
//!
//! Shows what a job can do beside its input and result: it takes two media types, reports progress,
//! logs with fields, and answers a repeated question from the cache.
//!
//! Files in the wild are rarely clean, so the parser takes what it can, repairs what it understands
//! and tells of everything that it changed or left out, by line.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

use std::{fmt::Write as _, time::Duration};

use gristmill_guest::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

mod cue;
mod markup;
mod parse;
mod timing;
mod write;

pub use cue::{Cue, Problem};
pub use parse::parse;
pub use timing::{Timing, retime};
pub use write::write;

/// How long a conversion is remembered.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Progress is told once for this many cues: calls of the host are counted.
const PROGRESS_STEP: u64 = 64;

/// How many problems go to the log, which keeps 2,000 lines of an attempt.
const LOGGED_MAX: usize = 1_000;

/// Counts up when the same input is converted differently, so that what an earlier version
/// remembers is not taken for ours.
const VERSION: u32 = 1;

/// What to convert, and how.
#[derive(Deserialize, Describe, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The subtitles, in SubRip.
    pub text: String,
    /// The format to write.
    #[serde(default)]
    pub to: Format,
    /// Milliseconds to add to all times, after they are stretched; may be negative.
    #[serde(default)]
    pub shift_ms: i64,
    /// What to multiply all times with, such as 0.95904 from 23.976 to 25 frames a second.
    #[serde(default = "one")]
    pub stretch: f64,
}

fn one() -> f64 {
    1.0
}

/// A format of subtitles.
#[derive(Deserialize, Describe, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// WebVTT.
    #[default]
    Vtt,
    /// SubRip.
    Srt,
}

/// Subtitles after the conversion.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The subtitles, in the format that was asked for.
    pub text: String,
    /// How many cues they have.
    pub cues: usize,
    /// What was changed or left out, in the order of the lines.
    pub problems: Vec<Problem>,
}

/// The result for a request in JSON.
#[derive(Serialize, Describe, Debug, PartialEq, Eq)]
pub struct Report {
    #[serde(flatten)]
    converted: Converted,
    /// Whether it was answered from the cache.
    cached: bool,
}

/// Converts SubRip to WebVTT or to clean SubRip, shifting and stretching its times.
///
/// Text is converted to WebVTT and comes back as such; what was wrong with it is in the job's log.
/// A [`Request`] in JSON is answered with a [`Report`] in JSON.
#[job(accepts = ["text/*", "application/json"], input = Request, output = Report)]
pub fn convert(ctx: &Ctx, input: Payload) -> JobResult<Payload> {
    if input.is_json() {
        let (converted, cached) = remembered(ctx, &input.parse()?)?;
        return Ok(Payload::json(&Report { converted, cached })?);
    }
    let request = Request { text: input.parse()?, to: Format::Vtt, shift_ms: 0, stretch: 1.0 };
    let (converted, _) = remembered(ctx, &request)?;
    log_problems(ctx, &converted.problems);
    Ok(Payload::new("text/vtt", converted.text))
}

gristmill_guest::export!(convert);

fn log_problems(ctx: &Ctx, problems: &[Problem]) {
    for Problem { line, problem } in problems.iter().take(LOGGED_MAX) {
        ctx.log(Level::Warn, problem, &[("line", line)]);
    }
    if let Some(more @ 1..) = problems.len().checked_sub(LOGGED_MAX) {
        ctx.log(Level::Warn, "more problems; a request in JSON lists all", &[("more", &more)]);
    }
}

/// The conversion, and whether the cache had it.
fn remembered(ctx: &Ctx, request: &Request) -> JobResult<(Converted, bool)> {
    let timing = Timing::new(request.shift_ms, request.stretch)
        .or_fatal("invalid input")
        .map_err(|error| error.code("invalid-input"))?;
    let mut cached = true;
    let converted = ctx.cache().remember(&cache_key(request), REMEMBERED, || {
        cached = false;
        JobResult::Ok(convert_now(ctx, request, &timing))
    })?;
    if cached {
        ctx.info("answered from the cache");
    }
    Ok((converted, cached))
}

/// A name for the text and all options: equal ones are converted equally.
fn cache_key(request: &Request) -> String {
    let Request { text, to, shift_ms, stretch } = request;
    let mut hash = Sha256::new();
    hash.update(format!("{VERSION} {to:?} {shift_ms} {stretch:?}\n"));
    hash.update(text);
    hash.finalize().iter().fold("convert:".to_owned(), |mut key, byte| {
        let _ = write!(key, "{byte:02x}");
        key
    })
}

fn convert_now(ctx: &Ctx, request: &Request, timing: &Timing) -> Converted {
    let (cues, mut problems) = parse(&request.text);
    let cues = retime(cues, timing, &mut problems);
    let total = cues.len() as u64;
    let text = write(&cues, request.to, &mut problems, |done| {
        let done = done as u64;
        if done.is_multiple_of(PROGRESS_STEP) || done == total {
            ctx.progress(done, total);
        }
    });
    problems.sort_by_key(|problem| problem.line);
    ctx.log(Level::Info, "converted", &[("cues", &cues.len()), ("problems", &problems.len())]);
    Converted { text, cues: cues.len(), problems }
}

#[cfg(test)]
mod tests;
