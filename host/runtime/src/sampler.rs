//! Where guests spend their time: their stacks, taken at each tick.
//!
//! Code isn't compiled otherwise for it. A guest is asked at function entries and loop heads, as it is for its
//! deadline, so that a profile shows these rather than what stands between them; and what a host call takes is
//! counted to the function that the guest enters next.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use gristmill_job::time;
use wasmtime::{AsContext, WasmBacktrace};

use crate::fault::function_name;
use crate::state::lock;

/// How often stacks are taken: so often that a millisecond shows, so rarely that taking them doesn't.
pub const SAMPLE_INTERVAL: Duration = Duration::from_millis(1);
/// Samples that are kept: at one a millisecond, a quarter of an hour of computing.
const SAMPLES_MAX: usize = 1_000_000;
/// Different stacks that are kept; a guest that recurses in ever new ways has no end of them.
const STACKS_MAX: usize = 100_000;

/// Takes guests' stacks while they compute.
#[derive(Debug)]
pub struct Sampler {
    begun: Instant,
    kept: Mutex<Profile>,
    known: Mutex<Known>,
}

/// What was kept.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Names of functions.
    pub functions: Vec<String>,
    /// Stacks, each of indices into the functions, outermost first.
    pub stacks: Vec<Vec<usize>>,
    /// When a stack was seen, since the sampler began, by its index.
    pub samples: Vec<(Duration, usize)>,
    /// Samples beyond what is kept.
    pub dropped: u64,
}

#[derive(Debug, Default)]
struct Known {
    functions: HashMap<String, usize>,
    stacks: HashMap<Vec<usize>, usize>,
}

impl Default for Sampler {
    fn default() -> Self {
        Self { begun: time::monotonic(), kept: Mutex::default(), known: Mutex::default() }
    }
}

impl Sampler {
    /// What was kept so far.
    #[must_use]
    pub fn profile(&self) -> Profile {
        lock(&self.kept).clone()
    }

    /// Takes the stack of a guest that computes.
    pub(crate) fn take(&self, store: impl AsContext) {
        let trace = WasmBacktrace::capture(store);
        let at = time::monotonic().saturating_duration_since(self.begun);
        let names = trace.frames().iter().rev().map(function_name);
        self.keep(at, names);
    }

    fn keep(&self, at: Duration, names: impl Iterator<Item = String>) {
        let (mut known, mut kept) = (lock(&self.known), lock(&self.kept));
        let Profile { functions, stacks, samples, dropped } = &mut *kept;
        let stack: Vec<usize> = names
            .map(|name| match known.functions.get(&name) {
                Some(index) => *index,
                None => {
                    functions.push(name.clone());
                    known.functions.insert(name, functions.len() - 1);
                    functions.len() - 1
                }
            })
            .collect();
        if stack.is_empty() {
            return;
        }
        let found = known.stacks.get(&stack).copied();
        if samples.len() >= SAMPLES_MAX || found.is_none() && stacks.len() >= STACKS_MAX {
            *dropped += 1;
            return;
        }
        let index = found.unwrap_or_else(|| {
            stacks.push(stack.clone());
            known.stacks.insert(stack, stacks.len() - 1);
            stacks.len() - 1
        });
        samples.push((at, index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<'a>(names: &'a [&str]) -> impl Iterator<Item = String> + 'a {
        names.iter().map(|name| (*name).to_owned())
    }

    #[test]
    fn equal_stacks_are_kept_once() {
        let sampler = Sampler::default();
        sampler.keep(Duration::from_millis(1), names(&["main", "a"]));
        sampler.keep(Duration::from_millis(2), names(&["main", "b"]));
        sampler.keep(Duration::from_millis(3), names(&["main", "a"]));
        sampler.keep(Duration::from_millis(4), names(&[]));
        let profile = sampler.profile();
        assert_eq!(profile.functions, ["main", "a", "b"]);
        assert_eq!(profile.stacks, [[0, 1], [0, 2]]);
        let seen: Vec<usize> = profile.samples.iter().map(|(_, stack)| *stack).collect();
        assert_eq!((seen, profile.dropped), (vec![0, 1, 0], 0));
    }
}
