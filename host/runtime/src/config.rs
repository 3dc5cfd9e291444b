//! What a guest is allowed, and how the engine is set up.

use std::path::PathBuf;
use std::time::Duration;

use gristmill_job::limits;

use crate::compile::Compiler;
use crate::engine::Allocator;

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Attempts that may run at one time; the pool has this many slots.
    pub slots: u32,
    /// What each attempt is allowed.
    pub limits: Limits,
    /// The largest component that is loaded: a Python one takes 20 MB, and compiling takes time and
    /// memory in proportion.
    pub component_bytes_max: usize,
    /// How instances get their memory; the fastest way that is safe on this machine, if not said.
    pub allocator: Option<Allocator>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// A folder of this user's own for compiled code, so that it needn't be made again at the next start;
    /// it is made if it isn't there. If none is given, code is kept in memory alone.
    pub compiled_dir: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            slots: 64,
            limits: Limits::default(),
            component_bytes_max: 32 << 20,
            allocator: None,
            compiler: Compiler::InProcess,
            compiled_dir: None,
        }
    }
}

/// What one attempt is allowed. Each is reported with the attempt as used and allowed, or named by
/// the failure that it causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `memory`: linear memory in bytes, over all memories together.
    pub memory_bytes_max: usize,
    /// `table_elements`: the elements of each table.
    pub table_elements_max: usize,
    /// `instances`: core instances that one component is made of.
    pub instances_max: usize,
    /// `memories`: linear memories.
    pub memories_max: usize,
    /// `tables`: tables.
    pub tables_max: usize,
    /// `wall`: time from start to end.
    pub wall: Duration,
    /// `cpu`: time on a processor.
    pub cpu: Duration,
    /// `hostcall_bytes`: what one call may hand to the host, in bytes; a result is one such call.
    pub hostcall_bytes_max: usize,
    /// `handles`: resources that the guest holds at one time.
    pub handles_max: usize,
    /// `result`: the result's bytes.
    pub result_bytes_max: usize,
    /// `log`: lines of log; further ones are dropped.
    pub log_lines_max: u64,
    /// `log`: bytes of log; further lines are dropped.
    pub log_bytes_max: u64,
    /// Bytes of one line of log; the rest is cut off.
    pub log_line_bytes_max: usize,
    /// `cache_ops`: cache operations; each key of a batch is one.
    pub cache_ops_max: u64,
    /// `cache_bytes`: keys and values through the cache.
    pub cache_bytes_max: u64,
    /// `follow_ups`: jobs that the attempt enqueues.
    pub follow_ups_max: usize,
    /// `host_calls`: calls of the contract's interfaces, so that cheap calls can't be made to amplify
    /// work without end.
    pub host_calls_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 << 20,
            // Interpreters need more than ten thousand.
            table_elements_max: 20_000,
            instances_max: 32,
            memories_max: 4,
            tables_max: 16,
            wall: Duration::from_secs(30),
            cpu: Duration::from_secs(10),
            hostcall_bytes_max: 8 << 20,
            handles_max: 4_096,
            result_bytes_max: limits::PAYLOAD_BYTES_MAX,
            log_lines_max: 2_000,
            log_bytes_max: 256 << 10,
            log_line_bytes_max: 8 << 10,
            cache_ops_max: 1_000,
            cache_bytes_max: 16 << 20,
            follow_ups_max: 100,
            host_calls_max: 100_000,
        }
    }
}

impl Limits {
    /// What a plugin is allowed while it describes itself: it is asked for a page of text.
    pub(crate) fn for_describe(&self) -> Self {
        let second = Duration::from_secs(1);
        Self {
            wall: self.wall.min(second),
            cpu: self.cpu.min(second),
            log_lines_max: 0,
            cache_ops_max: 0,
            follow_ups_max: 0,
            host_calls_max: 1_000,
            ..self.clone()
        }
    }
}

/// How long a tick of the epoch is: the slice after which a busy guest lets others go on, and how
/// exactly its deadline is kept.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// Native stack that a guest may use, of the stack that its fiber has.
pub(crate) const STACK_BYTES_MAX: usize = 512 << 10;
/// The fiber's whole stack: the host's own functions run on what the guest leaves.
pub(crate) const FIBER_STACK_BYTES: usize = 2 << 20;
/// Bytes of a freed slot that stay mapped for its next tenant, after they were set back: a small
/// guest touches less, and mapping pages anew costs more than resetting them.
pub(crate) const KEEP_RESIDENT_BYTES: usize = 1 << 20;
/// The same for a table.
pub(crate) const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;
/// The most memory that any plugin may be granted: the size of a slot's memory.
pub(crate) const SLOT_MEMORY_BYTES_MAX: usize = 1 << 30;
/// Frames of a guest's backtrace that are kept.
pub(crate) const BACKTRACE_FRAMES_MAX: usize = 20;
/// Lines of log that a failure report carries.
pub(crate) const LOG_TAIL_LINES: usize = 20;
/// A description is a page of text; JSON Schemas make it longer.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 256 << 10;
/// The message of a guest's failure; what is longer belongs into its detail.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// The code of a guest's failure: a name to group by.
pub(crate) const CODE_BYTES_MAX: usize = 128;
