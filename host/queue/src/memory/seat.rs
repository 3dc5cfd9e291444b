//! Workers that wait for something to do.

use std::sync::Arc;

use gristmill_job::{QueueName, WorkerId};
use tokio::sync::Notify;

use super::MemoryQueue;
use super::line::LineKey;
use super::state::State;

/// A waiting worker's place in the lines. Leaving it without having been heard passes the call on,
/// so that a job isn't left lying because the worker that was woken for it went away.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    queue: &'a MemoryQueue,
    worker: WorkerId,
    lines: Vec<LineKey>,
    bell: Arc<Notify>,
    heard: bool,
}

impl<'a> Seat<'a> {
    /// Waits in the lines of `queues`; none, if there is work in one of them already.
    pub(super) fn take(
        queue: &'a MemoryQueue,
        state: &mut State,
        worker: WorkerId,
        queues: &[QueueName],
    ) -> Option<Self> {
        let lines: Vec<LineKey> = queues.iter().map(|name| state.line(name)).collect();
        if lines.iter().any(|key| state.lines[key.0].has_work(state.now)) {
            return None;
        }
        let bell = Arc::clone(state.bells.entry(worker).or_default());
        for key in &lines {
            state.lines[key.0].hungry.push_back((worker, Arc::clone(&bell)));
        }
        Some(Self { queue, worker, lines, bell, heard: false })
    }

    /// Waits for the bell. It keeps one ring for a worker that isn't waiting at that moment.
    pub(super) async fn hear(mut self) {
        self.bell.notified().await;
        self.heard = true;
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        // A state that a panic left behind isn't tidied up.
        let _ = self.queue.step(|state| {
            for &key in &self.lines {
                let hungry = &mut state.lines[key.0].hungry;
                let place = hungry.iter().position(|(worker, _)| *worker == self.worker);
                match place {
                    Some(place) => drop(hungry.remove(place)),
                    None if self.heard => {}
                    None => state.effects.note_ready(key, &mut state.lines[key.0]),
                }
            }
            // The seat's own hold on the bell would make it look used.
            self.bell = Arc::default();
            state.forget_idle_bell(self.worker);
        });
    }
}
