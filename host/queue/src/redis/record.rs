//! A job as the scripts keep it, read back.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gristmill_job::{Job, JobId, JobState, Timestamp, WorkerId};
use uuid::Uuid;

use super::codec::{self, Decoded, Left};
use crate::Leased;

/// Bytes of the header before a job's envelope; see `HEADER` in the scripts.
const HEADER_BYTES: usize = 38;

/// What of a job changes; see `RECORD` in the scripts.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) state: JobState,
    attempt: u32,
    failures: u32,
    crashes: u32,
    /// By which listings are ordered.
    pub(super) turn: u64,
    enqueued_at: Timestamp,
    run_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    pub(super) worker: Option<WorkerId>,
}

impl Record {
    pub(super) fn read(bytes: &[u8]) -> Decoded<Self> {
        let mut reader = Reader(bytes);
        let state = state(reader.take::<1>()?[0])?;
        let [attempt, failures, crashes] = [reader.u32()?, reader.u32()?, reader.u32()?];
        let turn = reader.u64()?;
        let _class_and_flags = reader.take::<2>()?;
        let [enqueued_at, run_at, started_at] = [reader.u64()?, reader.u64()?, reader.u64()?];
        let _started_before = reader.u64()?;
        let completed_at = reader.u64()?;
        let _expires_at_ttl_weight = reader.take::<20>()?;
        let worker = Uuid::from_bytes(reader.take::<16>()?);
        let some = |millis: u64| (millis != 0).then(|| Timestamp::from_millis(millis));
        Ok(Self {
            state,
            attempt,
            failures,
            crashes,
            turn,
            enqueued_at: Timestamp::from_millis(enqueued_at),
            run_at: Timestamp::from_millis(run_at),
            started_at: some(started_at),
            completed_at: some(completed_at),
            worker: (!worker.is_nil()).then(|| worker.into()),
        })
    }
}

fn state(letter: u8) -> Decoded<JobState> {
    Ok(match letter {
        b's' => JobState::Scheduled,
        b'q' => JobState::Queued,
        b'r' => JobState::Running { cancel_requested: false },
        b'k' => JobState::Running { cancel_requested: true },
        b'C' => JobState::Completed,
        b'F' => JobState::Failed,
        b'X' => JobState::Cancelled,
        other => bail!("the queue holds a job in the state {:?}", char::from(other)),
    })
}

/// Takes numbers off the head of some bytes.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().context("a job's record is cut off")?;
        self.0 = rest;
        Ok(*head)
    }

    fn u32(&mut self) -> Decoded<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Decoded<u64> {
        self.take().map(u64::from_be_bytes)
    }
}

/// All that is shown of a job, as `view` in the scripts gives it.
#[derive(Debug)]
pub(super) struct View {
    pub(super) record: Vec<u8>,
    pub(super) envelope: Vec<u8>,
    pub(super) outcome: Option<Vec<u8>>,
    pub(super) progress: Option<Vec<u8>>,
    pub(super) checkpoint: Option<Vec<u8>>,
}

impl View {
    pub(super) fn job(&self, id: JobId) -> Decoded<Job> {
        let record = Record::read(&self.record)?;
        let (digest, mut left) = match &self.outcome {
            Some(bytes) => Left::read(bytes).map(|(digest, left)| (digest, Some(left)))?,
            None => (None, None),
        };
        Ok(Job {
            spec: Arc::new(codec::job(id, body(&self.envelope)?)?),
            state: record.state,
            attempt: record.attempt,
            failures: record.failures,
            crashes: record.crashes,
            digest,
            enqueued_at: record.enqueued_at,
            run_at: record.run_at,
            started_at: record.started_at,
            completed_at: record.completed_at,
            outcome: left.as_ref().map(|left| left.outcome),
            result: left.as_mut().and_then(Left::result),
            error: left.as_mut().and_then(Left::error),
            usage: left.as_ref().and_then(Left::usage),
            progress: self.progress.as_deref().map(codec::progress).transpose()?,
            checkpoint: self.checkpoint.as_deref().map(codec::checkpoint).transpose()?,
        })
    }
}

/// A leased job of its record, envelope and checkpoint.
pub(super) fn leased(
    id: JobId,
    record: &[u8],
    envelope: &[u8],
    checkpoint: Option<&[u8]>,
) -> Decoded<Leased> {
    let record = Record::read(record)?;
    Ok(Leased {
        spec: Arc::new(codec::job(id, body(envelope)?)?),
        attempt: record.attempt,
        failures: record.failures,
        crashes: record.crashes,
        enqueued_at: record.enqueued_at,
        checkpoint: checkpoint.map(codec::checkpoint).transpose()?,
    })
}

fn body(envelope: &[u8]) -> Decoded<&[u8]> {
    envelope.get(HEADER_BYTES..).context("a job's envelope is cut off")
}

/// How long until something, where the scripts say -1 for never.
pub(super) fn until(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}
