//! `gristmill:job/context`: the running attempt.

use std::time::Duration;

use bytes::Bytes;
use gristmill_job::{Payload, Progress, limits, time};

use crate::bindings::context::Host;
use crate::bindings::types;
use crate::log_book::{Note, cut};
use crate::state::State;

/// How often an attempt's progress is published; calls between are kept, and the last one counts.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

impl Host for State {
    fn job_id(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        Ok(self.job.spec.id.to_string())
    }

    fn queue_name(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        Ok(self.job.spec.queue.to_string())
    }

    fn attempt(&mut self) -> wasmtime::Result<u32> {
        self.count_host_call()?;
        Ok(self.job.attempt)
    }

    fn max_attempts(&mut self) -> wasmtime::Result<u32> {
        self.count_host_call()?;
        Ok(self.job.attempts_max)
    }

    fn enqueued_at(&mut self) -> wasmtime::Result<u64> {
        self.count_host_call()?;
        Ok(self.job.enqueued_at.as_millis())
    }

    fn parent_id(&mut self) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        Ok(self.job.spec.parent.map(|id| id.to_string()))
    }

    fn header(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        Ok(self.job.spec.headers.get(&name).map(str::to_owned))
    }

    fn remaining(&mut self) -> wasmtime::Result<u64> {
        self.count_host_call()?;
        Ok(u64::try_from(State::remaining(self).as_millis()).unwrap_or(u64::MAX))
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        self.count_host_call()?;
        Ok(self.stop.is_cancelled())
    }

    fn progress(
        &mut self,
        done: u64,
        total: Option<u64>,
        note: Option<String>,
    ) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let note = note.map(|note| self.masked(note));
        let note = note.map(|note| cut(&note, limits::PROGRESS_NOTE_BYTES_MAX).to_owned());
        self.progress = Some(Progress { done, total, note });
        let now = time::monotonic();
        if self.progress_noted.is_none_or(|last| now - last >= PROGRESS_INTERVAL) {
            self.progress_noted = Some(now);
            self.publish_progress();
        }
        Ok(())
    }

    fn save_checkpoint(
        &mut self,
        state: types::Payload,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        self.count_host_call()?;
        let size = state.data.len() + state.content_type.len();
        if size > limits::CHECKPOINT_BYTES_MAX {
            return Ok(Err(types::Error::TooLarge(limits::CHECKPOINT_BYTES_MAX as u64)));
        }
        let saved = Payload { content_type: state.content_type, data: Bytes::from(state.data) };
        self.job.checkpoint = Some(saved.clone());
        self.notes.note(self.job.spec.id, self.job.attempt, Note::Checkpoint(saved));
        Ok(Ok(()))
    }

    fn checkpoint(&mut self) -> wasmtime::Result<Option<types::Payload>> {
        self.count_host_call()?;
        Ok(self.job.checkpoint.as_ref().map(|saved| types::Payload {
            content_type: saved.content_type.clone(),
            data: saved.data.to_vec(),
        }))
    }
}

impl State {
    /// Publishes the last progress that wasn't published yet.
    pub(crate) fn publish_progress(&mut self) {
        if let Some(progress) = self.progress.take() {
            self.notes.note(self.job.spec.id, self.job.attempt, Note::Progress(progress));
        }
    }
}
