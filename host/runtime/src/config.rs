//! What a guest is allowed, and how the engine is set up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::compile::Compiler;
use crate::engine::Allocator;
use crate::limits::Limits;
use crate::sampler::Sampler;

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Attempts that may run at one time; the pool has this many slots.
    pub slots: u32,
    /// What each attempt is allowed, where its plugin's manifest says nothing else.
    pub limits: Limits,
    /// What a manifest may allow at most.
    pub limits_max: Limits,
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
    /// Who takes guests' stacks while they compute; nobody, if not said. A guest that is looked at gives
    /// no others their turn, so that this is for one attempt at a time.
    pub sampler: Option<Arc<Sampler>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            slots: 64,
            limits: Limits::default(),
            limits_max: Limits::MAX,
            component_bytes_max: 32 << 20,
            allocator: None,
            compiler: Compiler::InProcess,
            compiled_dir: None,
            sampler: None,
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
/// Frames of a guest's backtrace that are kept.
pub(crate) const BACKTRACE_FRAMES_MAX: usize = 20;
/// The same of the stacks that a sampler takes: a profile is a tree from the outermost frame on.
pub(crate) const SAMPLED_FRAMES_MAX: usize = 1_000;
/// Lines of log that a failure report carries.
pub(crate) const LOG_TAIL_LINES: usize = 20;
/// A description is a page of text; JSON Schemas make it longer.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 256 << 10;
/// The message of a guest's failure; what is longer belongs into its detail.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// The code of a guest's failure: a name to group by.
pub(crate) const CODE_BYTES_MAX: usize = 128;
/// Bytes that an error repeats of a name or an address that a guest gave.
pub(crate) const NAME_BYTES_SHOWN: usize = 128;
