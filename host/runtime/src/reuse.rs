//! Instances that are used for more than one attempt, where their plugin's manifest asks for it.
//!
//! What is kept is the guest's memory and nothing else: all that the host knows of an attempt is made
//! anew. An instance is kept only after an attempt that completed and left no handle behind but streams
//! to its log, which then lead to the next one's, and used only for the same plugin as it was loaded, under the same limits. While it waits, it takes a place of
//! the pool: it is given up when somebody else needs the place, or when it has waited long enough.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gristmill_job::{Outcome, time};
use wasmtime::Store;
use wasmtime::component;

use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::state::{Start, State, lock};

/// Of the pool's places, one in so many may be taken by instances that wait.
const WAITING_SHARE: u32 = 4;

/// How instances of a plugin are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Attempts that one instance runs at most.
    pub jobs_max: u32,
    /// How long it waits for the next.
    pub idle: Duration,
}

impl Reuse {
    /// Attempts of one instance at most: what leaks a little with each must end some time.
    pub const JOBS_MAX: u32 = 10_000;
    /// The longest wait: a place of the pool and the guest's memory are taken meanwhile.
    pub const IDLE_MAX: Duration = Duration::from_secs(5 * 60);
    /// How long an instance waits, if its manifest doesn't say.
    pub const IDLE_DEFAULT: Duration = Duration::from_secs(10);
}

/// A store with what lives in it.
pub(crate) struct Instance {
    pub(crate) store: Store<State>,
    /// None before it is made, and while it is called: what fails in a call is not called again.
    pub(crate) guest: Option<component::Instance>,
    /// Attempts that it has run.
    jobs: u32,
}

impl Instance {
    pub(crate) fn new(store: Store<State>) -> Self {
        Self { store, guest: None, jobs: 0 }
    }

    /// The same guest for the next attempt.
    pub(crate) fn again(mut self, start: Start) -> Self {
        self.store.data_mut().renew(start);
        bound(&mut self.store);
        self
    }

    fn is_for(&self, plugin: &Plugin, limits: &Arc<Limits>) -> bool {
        let state = self.store.data();
        state.plugin.is(plugin) && Arc::ptr_eq(&state.limits, limits)
    }

    /// Whether nothing of its last attempt is left but the guest's memory.
    fn is_clean(&mut self) -> bool {
        let state = self.store.data_mut();
        self.guest.is_some()
            && state.holds_only_outputs()
            && state.limiter.refused().is_none()
            && !state.stop.is_cancelled()
    }
}

/// Bounds a store for an attempt by the limits in its state.
pub(crate) fn bound(store: &mut Store<State>) {
    let limits = &store.data().limits;
    let (hostcall_bytes_max, handles_max) = (limits.hostcall_bytes_max, limits.handles_max);
    store.set_hostcall_fuel(hostcall_bytes_max);
    store.set_max_component_handles(handles_max);
    store.set_epoch_deadline(1);
}

/// Instances that wait for an attempt, and how many run one.
///
/// Most hosts have no plugin whose instances wait, and their attempts take no lock here. What takes a place
/// says so first and looks at the other number then, so that of an attempt that begins and an instance that
/// is put to wait at the same time, one at least sees the other.
pub(crate) struct Waiting {
    slots: usize,
    waiting_max: usize,
    running: AtomicUsize,
    /// As many as there are below.
    count: AtomicUsize,
    /// The one that waits for longest first.
    waiting: Mutex<VecDeque<(Instant, Instance)>>,
}

/// A place of the pool that an attempt has; it is free when this is dropped.
pub(crate) struct Place<'a>(&'a Waiting);

impl Waiting {
    pub(crate) fn new(slots: u32) -> Self {
        Self {
            slots: slots as usize,
            waiting_max: (slots / WAITING_SHARE).max(1) as usize,
            running: AtomicUsize::new(0),
            count: AtomicUsize::new(0),
            waiting: Mutex::default(),
        }
    }

    /// Takes a place, and the instance that waits for such an attempt, if there is one. Where there is no
    /// room for both, those that wait give theirs up.
    pub(crate) fn enter(
        &self,
        plugin: &Plugin,
        limits: &Arc<Limits>,
    ) -> (Place<'_>, Option<Instance>) {
        self.running.fetch_add(1, Ordering::SeqCst);
        let place = Place(self);
        if self.count.load(Ordering::SeqCst) == 0 {
            return (place, None);
        }
        let mut waiting = lock(&self.waiting);
        // The one that was used last is the warmest.
        let found = waiting.iter().rposition(|(_, waits)| waits.is_for(plugin, limits));
        let found = found.and_then(|at| waiting.remove(at)).map(|(_, instance)| instance);
        let given_up = self.make_room(&mut waiting, 0);
        drop(waiting);
        drop(given_up);
        (place, found)
    }

    /// Keeps an instance for the next attempt, if its manifest asks for it and nothing speaks against it.
    pub(crate) fn keep(&self, mut instance: Instance, outcome: &Outcome) {
        instance.jobs += 1;
        let Some(reuse) = instance.store.data().plugin.manifest().reuse else { return };
        let is_good = matches!(outcome, Outcome::Completed { .. }) && instance.is_clean();
        if !is_good || instance.jobs >= reuse.jobs_max {
            return;
        }
        let until = time::monotonic() + reuse.idle;
        let mut waiting = lock(&self.waiting);
        let oldest = if waiting.len() >= self.waiting_max { waiting.pop_front() } else { None };
        waiting.push_back((until, instance));
        self.count.store(waiting.len(), Ordering::SeqCst);
        // Its attempt still has a place of its own, which it would leave to this one.
        let given_up = self.make_room(&mut waiting, 1);
        drop(waiting);
        drop((oldest, given_up));
    }

    /// Takes out those that wait in places which running attempts need; so many of these are at their end.
    fn make_room(
        &self,
        waiting: &mut VecDeque<(Instant, Instance)>,
        ending: usize,
    ) -> Vec<(Instant, Instance)> {
        let running = self.running.load(Ordering::SeqCst).saturating_sub(ending);
        let surplus = waiting.len().saturating_sub(self.slots.saturating_sub(running));
        let given_up = waiting.drain(..surplus).collect();
        self.count.store(waiting.len(), Ordering::SeqCst);
        given_up
    }

    /// Gives up what has waited long enough.
    pub(crate) fn sweep(&self, now: Instant) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut given_up = Vec::new();
        let mut waiting = lock(&self.waiting);
        while let Some(at) = waiting.iter().position(|(until, _)| *until <= now) {
            given_up.extend(waiting.remove(at));
        }
        self.count.store(waiting.len(), Ordering::SeqCst);
        drop(waiting);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
