//! From the engine's error to an outcome, and a report that a person can use.

use std::fmt;
use std::time::Duration;

use gristmill_job::{Digest, ErrorReport, Outcome, codes};
use wasmtime::component::ResourceTableError;
use wasmtime::{FrameInfo, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::config;
use crate::error::Error;
use crate::limiter::Limiter;
use crate::limits::{Limit, Limits};
use crate::log_book::cut;

/// One frame of a backtrace: room for a path and a generic function's name.
const FRAME_BYTES_MAX: usize = 1 << 10;

/// Why the host itself ended a guest's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abort {
    /// A limit, by its name in the manifest.
    Limit(&'static str),
    /// The deadline.
    TimedOut,
    /// Somebody wants the job cancelled.
    Cancelled,
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(name) => write!(f, "the limit {name} was hit"),
            Self::TimedOut => f.write_str("the attempt's time was up"),
            Self::Cancelled => f.write_str("the attempt was cancelled"),
        }
    }
}

impl std::error::Error for Abort {}

/// What the engine's error means.
pub(crate) fn classify(
    error: &wasmtime::Error,
    limiter: &Limiter,
    limits: &Limits,
    wall: Duration,
) -> Result<Outcome, Error> {
    if let Some(abort) = error.downcast_ref::<Abort>() {
        return Ok(aborted(*abort, Some(error), limits, wall));
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Err(Error::NoFreeSlot(anyhow::anyhow!("{error:#}")));
    }
    if error.is::<wasmtime::WasmtimeBug>() {
        return Err(Error::Bug(anyhow::anyhow!("{error:#}")));
    }
    // A refusal mostly ends in a trap of the guest's own: what it hit is the limit.
    if let Some(limit) = limiter.refused() {
        return Ok(aborted(Abort::Limit(limit), Some(error), limits, wall));
    }
    if let Some(limit) = limit_of(error) {
        return Ok(aborted(Abort::Limit(limit), Some(error), limits, wall));
    }
    let (code, message) = trapped(error);
    Ok(Outcome::Trapped { error: report(code, message, Some(error)) })
}

/// What an attempt came to that the host itself ended.
pub(crate) fn aborted(
    abort: Abort,
    error: Option<&wasmtime::Error>,
    limits: &Limits,
    wall: Duration,
) -> Outcome {
    match abort {
        Abort::Cancelled => Outcome::Cancelled,
        Abort::TimedOut => {
            let message = format!("the attempt did not end within {wall:?}{}", remedy("wall"));
            let mut error = report(codes::TIMEOUT, message, error);
            error.limit = Some("wall".to_owned());
            Outcome::TimedOut { error }
        }
        Abort::Limit(name) => {
            let (allowed, remedy) = (allowed(name, limits), remedy(name));
            let message = format!("the attempt hit its limit {name:?}{allowed}{remedy}");
            let mut error = report(codes::LIMIT, message, error);
            error.limit = Some(name.to_owned());
            Outcome::LimitExceeded { error }
        }
    }
}

/// Says how much a limit allows.
fn allowed(name: &str, limits: &Limits) -> String {
    match Limit::named(name) {
        Some(limit) => format!(" of {}", limit.shown(limit.of(limits))),
        None if name == "stack" => format!(" of {} bytes", config::STACK_BYTES_MAX),
        None => String::new(),
    }
}

/// How to allow more of a limit, if anybody may.
fn remedy(name: &str) -> String {
    match Limit::named(name) {
        Some(_) => format!("; {name} under [limits] in the plugin's manifest may allow more"),
        None => String::new(),
    }
}

/// Limits that the engine itself keeps, and tells by its errors.
fn limit_of(error: &wasmtime::Error) -> Option<&'static str> {
    if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return Some("stack");
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return Some("handles");
    }
    // These have no public type; tests pin their texts. Only the cause's own text is read: what is
    // around it has names of the guest's functions, which may read like anything.
    let text = error.root_cause().to_string();
    let by_text = [
        ("fuel allocated for hostcalls", "hostcall_bytes"),
        ("store handle limit exceeded", "handles"),
        ("instance count too high", "instances"),
        ("memory count too high", "memories"),
        ("table count too high", "tables"),
    ];
    by_text.into_iter().find(|(part, _)| text.contains(part)).map(|(_, limit)| limit)
}

fn trapped(error: &wasmtime::Error) -> (&'static str, String) {
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return ("exit", format!("the guest ended itself with exit code {}", exit.0));
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => (trap_code(*trap), trap.to_string()),
        None => ("trap", format!("{:#}", error.root_cause())),
    }
}

fn trap_code(trap: Trap) -> &'static str {
    match trap {
        Trap::UnreachableCodeReached => "unreachable",
        Trap::MemoryOutOfBounds => "memory-out-of-bounds",
        Trap::TableOutOfBounds => "table-out-of-bounds",
        Trap::IndirectCallToNull => "indirect-call-to-null",
        Trap::BadSignature => "bad-signature",
        Trap::IntegerOverflow => "integer-overflow",
        Trap::IntegerDivisionByZero => "integer-division-by-zero",
        Trap::BadConversionToInteger => "bad-conversion-to-integer",
        _ => "trap",
    }
}

/// A report with the guest's frames; its fingerprint is of the code and the innermost three.
pub(crate) fn report(code: &str, message: String, error: Option<&wasmtime::Error>) -> ErrorReport {
    let backtrace = error
        .and_then(|error| error.downcast_ref::<WasmBacktrace>())
        .map(frames)
        .unwrap_or_default();
    let message = cut(&message, config::MESSAGE_BYTES_MAX).to_owned();
    ErrorReport {
        fingerprint: fingerprint(code, &backtrace),
        backtrace,
        ..ErrorReport::new(code, message)
    }
}

/// The same for failures of one cause: a short hash of the code and the innermost frames.
fn fingerprint(code: &str, backtrace: &[String]) -> String {
    let innermost = backtrace.iter().take(3).map(String::as_str);
    let text: Vec<&str> = std::iter::once(code).chain(innermost).collect();
    let digest = Digest::of(text.join("\n").as_bytes()).to_string();
    digest.trim_start_matches("sha256:")[..16].to_owned()
}

/// A function's name for people; the engine demangles what it prints, and a frame's raw name is the linker's.
pub(crate) fn function_name(frame: &FrameInfo) -> String {
    let name = match frame.func_name() {
        Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
        None => format!("function {}", frame.func_index()),
    };
    cut(&name, FRAME_BYTES_MAX).replace(char::is_control, " ")
}

fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let mut lines = Vec::new();
    for frame in backtrace.frames() {
        let function = function_name(frame);
        let place = frame.symbols().iter().find_map(|symbol| {
            let file = symbol.file()?;
            Some(format!(" at {file}:{}", symbol.line().unwrap_or_default()))
        });
        let line = format!("{function}{}", place.unwrap_or_default());
        // The guest's names and paths may be long, and say what they like.
        let line = cut(&line, FRAME_BYTES_MAX).replace(char::is_control, " ");
        lines.push(line);
    }
    lines
}
