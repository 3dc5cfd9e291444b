//! Compiling in a process of its own: both ends of it.
//!
//! The component goes in by stdin; out by stdout come the engine's compatibility and the code. The
//! child bounds itself before it reads: time on processors, memory, no files, no core dump. Where memory
//! is counted it then begins anew, since what an allocator has reserved by then isn't bounded. It has an
//! empty environment and none of our descriptors but the three pipes, since all that Rust opens is closed
//! on `exec`.

use std::io::{Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use wasmtime::Engine;

use super::{Compatibility, CompileLimits, CompilerChild};
use crate::compiled::Code;
use crate::engine;
use crate::error::LoadError;
use crate::plugin::one_line;

/// What the child exits with when the component is at fault; stderr has why, in one line.
const EXIT_INVALID: u8 = 3;
/// What it exits with when its memory doesn't suffice and it could still say so.
const EXIT_MEMORY: u8 = 4;
/// What a child says that gets no more memory: Rust before it aborts, and the system of a mapping and of
/// a thread's stack.
const OUT_OF_MEMORY: [&str; 3] =
    ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
/// Of what the child says on stderr, as much as one line of an error.
const SAID_BYTES_MAX: u64 = 8 << 10;
/// Address space beyond the memory that may be used: allocators reserve more than they need.
const RESERVED_BYTES_MAX: u64 = 4 << 30;
/// Descriptors that the child may have open: its pipes, and a few to ask the system how many
/// processors there are.
const DESCRIPTORS_MAX: u64 = 32;

/// Compiles a component in a child, which ends with this call, also where it is dropped.
pub(super) async fn compile(
    child: &CompilerChild,
    compatibility: Compatibility,
    bytes: Bytes,
) -> Result<Code, LoadError> {
    let limits = &child.limits;
    let failed = |error: std::io::Error| {
        LoadError::Compiler(format!("{} can't be run: {error}", child.program.display()))
    };
    let mut process = Command::new(&child.program)
        .args(&child.arguments)
        .arg(limits.cpu.as_secs().max(1).to_string())
        .arg(limits.memory_bytes_max.to_string())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(failed(std::io::Error::other("it has no pipes")));
    };
    let working = async {
        let feed = async {
            // A child that reads no further has its reason, and says it.
            let _ = stdin.write_all(&bytes).await;
            drop(stdin);
        };
        let code_bytes_max = limits.code_bytes_max + compatibility.0.len() as u64;
        let ((), code, said) =
            tokio::join!(feed, up_to(code_bytes_max, stdout), up_to(SAID_BYTES_MAX, stderr));
        (code, said, process.wait().await)
    };
    let Ok((code, said, status)) = tokio::time::timeout(limits.wall, working).await else {
        // It may have ended in this moment.
        let _ = process.kill().await;
        return Err(above("wall", format!("{:?}", limits.wall)));
    };
    let status = status.map_err(failed)?;
    let code = code.map_err(failed)?;
    if code.len() as u64 > limits.code_bytes_max + compatibility.0.len() as u64 {
        return Err(above("code", format!("{} bytes", limits.code_bytes_max)));
    }
    if !status.success() {
        return Err(ended(status, &said.map_err(failed)?, limits));
    }
    match code.strip_prefix(&compatibility.0) {
        Some(_) => Ok(Code::from_compiler(Bytes::from(code).slice(compatibility.0.len()..))),
        None => Err(LoadError::Compiler(format!(
            "{} is no compiler of this version and these settings",
            child.program.display()
        ))),
    }
}

fn above(limit: &'static str, allowed: String) -> LoadError {
    LoadError::CompileLimit { limit, allowed }
}

/// Why a child that didn't succeed has ended.
fn ended(status: ExitStatus, said: &[u8], limits: &CompileLimits) -> LoadError {
    let said = String::from_utf8_lossy(said);
    let memory = || above("memory", format!("{} bytes", limits.memory_bytes_max));
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    if is(Signal::XCPU) {
        return above("cpu", format!("{:?}", limits.cpu));
    }
    let ran_out = OUT_OF_MEMORY.iter().any(|words| said.contains(words));
    if ran_out && status.code() != Some(EXIT_INVALID.into()) {
        return memory();
    }
    let last = said.lines().last().unwrap_or_default().trim();
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(EXIT_INVALID) => LoadError::Invalid(last.to_owned()),
        Some(EXIT_MEMORY) => memory(),
        _ => LoadError::Compiler(format!("its process ended with {status}: {last}")),
    }
}

/// Reads up to one byte more than this, and hangs up.
async fn up_to(bytes_max: u64, pipe: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(bytes_max + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// What the program of a [`CompilerChild`] does, and nothing else, before it starts any thread: bounds
/// itself and, on Linux, runs anew from its start with the same arguments; then reads a component from stdin, and
/// writes its code to stdout.
#[must_use]
pub fn compile_child(cpu: Duration, memory_bytes_max: u64) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let words = panic.to_string();
        let words: Vec<&str> = words.split_whitespace().collect();
        // Nobody may be listening any more.
        let _ = writeln!(std::io::stderr(), "{}", words.join(" "));
    }));
    match work(cpu, memory_bytes_max) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, why)) => {
            // Nobody may be listening any more.
            let _ = writeln!(std::io::stderr(), "{why}");
            code.into()
        }
    }
}

fn work(cpu: Duration, memory_bytes_max: u64) -> Result<(), (u8, String)> {
    let failed = |error: std::io::Error| {
        (if is_out_of_memory(&error) { EXIT_MEMORY } else { 1 }, error.to_string())
    };
    let is_begun_in_bounds = getrlimit(Resource::Data).maximum == Some(memory_bytes_max);
    bound(cpu, memory_bytes_max).map_err(|error| failed(error.into()))?;
    if cfg!(target_os = "linux") && !is_begun_in_bounds {
        return Err(failed(begin_anew()));
    }
    let engine = Engine::new(&engine::features()).map_err(|error| (1, one_line(&error)))?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    let code = wasmtime::component::Component::new(&engine, &bytes)
        .and_then(|component| component.serialize())
        .map_err(|error| {
            let why = one_line(&error);
            let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
            let is_memory = causes.any(is_out_of_memory);
            (if is_memory { EXIT_MEMORY } else { EXIT_INVALID }, why)
        })?;
    let mut out = std::io::stdout().lock();
    out.write_all(&Compatibility::of(&engine).0).map_err(failed)?;
    out.write_all(&code).and_then(|()| out.flush()).map_err(failed)
}

/// Runs this program once more in this process, and returns only where that isn't possible.
fn begin_anew() -> std::io::Error {
    std::process::Command::new("/proc/self/exe").args(std::env::args_os().skip(1)).exec()
}

fn is_out_of_memory(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::OutOfMemory
}

/// The bounds can't be raised again by whoever takes this process over.
fn bound(cpu: Duration, memory_bytes_max: u64) -> rustix::io::Result<()> {
    let limit = |resource, soft: u64, hard: u64| {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
    };
    let seconds = cpu.as_secs().max(1);
    // The first ends the process by a signal of its own, by which its parent knows.
    limit(Resource::Cpu, seconds, seconds + 1)?;
    // Elsewhere, every program has more address space than any bound would allow.
    if cfg!(target_os = "linux") {
        limit(Resource::Data, memory_bytes_max, memory_bytes_max)?;
        let reserved = memory_bytes_max.saturating_add(RESERVED_BYTES_MAX);
        limit(Resource::As, reserved, reserved)?;
    }
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Nofile, DESCRIPTORS_MAX, DESCRIPTORS_MAX)
}
