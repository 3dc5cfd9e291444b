//! What the queue's scripts answer, taken apart.

use anyhow::Context as _;
use gristmill_job::{JobId, WorkerId};
use gristmill_redis::Reply;
use uuid::Uuid;

use super::codec::Decoded;
use super::record::View;

/// All that is kept of a job.
pub(super) fn view(mut reply: Reply) -> Decoded<View> {
    Ok(View {
        record: reply.bytes()?,
        envelope: reply.bytes()?,
        outcome: reply.maybe_bytes()?,
        progress: reply.maybe_bytes()?,
        checkpoint: reply.maybe_bytes()?,
    })
}

pub(super) fn job_id(bytes: &[u8]) -> Decoded<JobId> {
    Uuid::from_slice(bytes).map(JobId::from).context("an id has another length than it should")
}

pub(super) fn worker_id(bytes: &[u8]) -> Decoded<WorkerId> {
    Uuid::from_slice(bytes).map(WorkerId::from).context("an id has another length than it should")
}
