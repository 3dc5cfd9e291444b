//! `gristmill compile-plugin`: the compiler's process, and how this program's hosts use it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use gristmill::runtime::{self, CompileLimits, Compiler, CompilerChild};

/// The command's name; hosts start it, people don't.
const NAME: &str = "compile-plugin";
/// This very program, also where another version has taken its place on the disk.
const SELF: &str = "/proc/self/exe";

/// Compile a component from stdin to stdout, within bounds
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill compile-plugin 60 4294967296 < echo.wasm | wc -c")]
pub(crate) struct Args {
    /// Time on processors
    cpu_seconds: u64,
    /// Memory in bytes
    memory_bytes: u64,
}

/// Does what the child does; before any thread is started, since its bounds hold from then on.
pub(crate) fn run(args: &Args) -> ExitCode {
    runtime::compile_child(Duration::from_secs(args.cpu_seconds), args.memory_bytes)
}

/// How hosts of this program load plugins: compiled in a child, and kept in a folder.
pub(crate) fn sandbox(state_dir: Option<&Path>) -> runtime::Config {
    let compiler = match program() {
        Some(program) => Compiler::Child(CompilerChild {
            program,
            arguments: vec![NAME.into()],
            limits: CompileLimits::default(),
        }),
        // A program that doesn't know where it is can't be started again.
        None => Compiler::InProcess,
    };
    runtime::Config { compiler, compiled_dir: compiled_dir(state_dir), ..Default::default() }
}

fn program() -> Option<PathBuf> {
    let program = PathBuf::from(SELF);
    if program.exists() { Some(program) } else { std::env::current_exe().ok() }
}

/// Beside what else is kept, or where caches of this user are.
fn compiled_dir(state_dir: Option<&Path>) -> Option<PathBuf> {
    if let Some(dir) = state_dir {
        return Some(dir.join("compiled"));
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Some(caches?.join("gristmill/compiled"))
}
