//! The parts of WASI that every guest has: time, randomness, its environment, and output that goes to
//! its log; and folders, where they are granted.
//!
//! Everything else of WASI is linked inert, by [`inert`](crate::inert).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gristmill_job::LogLevel;
use tokio::io::AsyncWrite;
use wasmtime::component::Linker;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, StreamError};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

use crate::command::Program;
use crate::grants::{Access, Grants};
use crate::log_book::LogBook;
use crate::output::{Output, Sink};
use crate::state::{State, lock};

/// Bytes of randomness in one call. The engine would allow 64 MiB, for which nothing else gets its
/// turn on the thread.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// Interfaces that are real for every guest, by the start of their names.
pub(crate) const REAL: [&str; 10] = [
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:cli/stdin@",
    "wasi:cli/stdout@",
    "wasi:cli/stderr@",
    "wasi:cli/exit@",
    "wasi:cli/environment@",
    // Granted call by call.
    "wasi:http/types@0.2.",
    "wasi:http/outgoing-handler@0.2.",
];

pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, WasiCliView::cli)?;
    cli::environment::add_to_linker::<State, WasiCli>(linker, WasiCliView::cli)?;
    random::insecure::add_to_linker::<State, WasiRandom>(linker, WasiRandomView::random)?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, WasiRandomView::random)
}

/// Links real files, for a plugin that is granted folders.
pub(crate) fn add_files_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let files = WasiFilesystemView::filesystem;
    filesystem::types::add_to_linker::<State, WasiFilesystem>(linker, files)?;
    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(linker, files)
}

/// The environment and the folders that a manifest grants, and what a program is started with. A folder that can't be opened isn't there
/// for the guest, and its log says so.
fn context(grants: &Grants, program: Option<&Program>, out: &LogStream) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    builder
        .stderr(LogStream { level: LogLevel::Warn, ..out.clone() })
        .stdout(out.clone())
        .max_random_size(RANDOM_BYTES_MAX);
    let set = program.map(|program| program.env.as_slice()).unwrap_or_default();
    for (name, value) in &grants.env {
        if !set.iter().any(|(set, _)| set == name) {
            builder.env(name, value);
        }
    }
    if let Some(program) = program {
        let stdin = MemoryInputPipe::new(program.stdin.clone());
        builder.args(&program.args).envs(set).stdin(stdin).stdout(program.stdout.clone());
    }
    for (path, folder) in &grants.folders {
        let perms = match folder.access {
            Access::ReadOnly => FsPerms::ReadOnly,
            Access::ReadWrite => FsPerms::ReadWrite,
        };
        if let Err(error) = builder.preopened_dir(&folder.path, path, perms) {
            let line = format!("the folder {path} is granted, but can't be opened: {error:#}");
            lock(&out.book).line(LogLevel::Warn, &line, Vec::new());
        }
    }
    builder.build()
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        if self.wasi.is_none() {
            let book = Arc::clone(self.log());
            let bytes_max = self.limits.log_line_bytes_max;
            let outputs = Arc::clone(self.outputs.get_or_insert_default());
            let out = LogStream { book, outputs, level: LogLevel::Info, bytes_max };
            self.wasi = Some(context(self.plugin.grants(), self.program.as_ref(), &out));
        }
        let Some(ctx) = &mut self.wasi else { unreachable!("it was made above") };
        WasiCtxView { ctx, table: &mut self.table }
    }
}

/// A guest's streams to its log.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    open: AtomicUsize,
    /// Those that are in the middle of a line.
    unfinished: AtomicUsize,
}

impl State {
    /// Whether the guest holds nothing of the host's but streams to its log, as those do that have
    /// printed something, and has ended all lines.
    pub(crate) fn holds_only_outputs(&mut self) -> bool {
        let count = |of: fn(&Outputs) -> &AtomicUsize| {
            self.outputs.as_ref().map_or(0, |outputs| of(outputs).load(Ordering::Relaxed))
        };
        let (open, unfinished) = (count(|all| &all.open), count(|all| &all.unfinished));
        let mut streams = 0;
        for held in self.table.iter_mut() {
            if !held.is::<DynOutputStream>() {
                return false;
            }
            streams += 1;
        }
        // Files and requests are written by such streams, too.
        streams == open && unfinished == 0
    }
}

/// A guest's standard output or error: each line becomes a line of its log.
#[derive(Clone)]
struct LogStream {
    book: Arc<Mutex<LogBook>>,
    outputs: Arc<Outputs>,
    level: LogLevel,
    /// Of a line, no more than the log would keep: a guest may have thousands of streams open.
    bytes_max: usize,
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Output(Lines::new(self.clone())))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Output(Lines::new(self.clone())))
    }
}

/// Cuts what is written into lines; an unfinished one is logged when the stream is dropped.
struct Lines {
    stream: LogStream,
    unfinished: Vec<u8>,
}

impl Lines {
    fn new(stream: LogStream) -> Self {
        stream.outputs.open.fetch_add(1, Ordering::Relaxed);
        Self { stream, unfinished: Vec::new() }
    }

    fn add(&mut self, bytes: &[u8]) {
        let was_finished = self.unfinished.is_empty();
        self.cut(bytes);
        let unfinished = &self.stream.outputs.unfinished;
        match (was_finished, self.unfinished.is_empty()) {
            (true, false) => drop(unfinished.fetch_add(1, Ordering::Relaxed)),
            (false, true) => drop(unfinished.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
    }

    fn cut(&mut self, bytes: &[u8]) {
        for (i, part) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if i > 0 {
                self.log();
            }
            let room = self.stream.bytes_max.saturating_sub(self.unfinished.len());
            self.unfinished.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    fn log(&mut self) {
        let line = String::from_utf8_lossy(&self.unfinished);
        lock(&self.stream.book).line(self.stream.level, line.trim_end_matches('\r'), Vec::new());
        self.unfinished.clear();
    }
}

impl Sink for Lines {
    fn take(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.add(bytes);
        Ok(())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.unfinished.is_empty() {
            self.add(b"\n");
        }
        self.stream.outputs.open.fetch_sub(1, Ordering::Relaxed);
    }
}
