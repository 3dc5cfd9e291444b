//! A job as the scripts keep it, read back.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gristmill_job::{Job, JobId, JobState, Timestamp, WorkerId};
use uuid::Uuid;

use super::codec::{self, Decoded, Left};
use crate::Leased;

/// Bytes of the header before a job's envelope; see `HEADER` in the scripts.
const HEADER_BYTES: usize = 46;

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
        let attempt = reader.u32()?;
        let worker = Uuid::from_bytes(reader.take::<16>()?);
        let [completed_at, _expires_at] = [reader.u64()?, reader.u64()?];
        let [failures, crashes] = [reader.u32()?, reader.u32()?];
        let [started_at, _started_before] = [reader.u64()?, reader.u64()?];
        let Header { enqueued_at, run_at, turn } = Header::read(reader.0)?;
        let some = |millis: u64| (millis != 0).then(|| Timestamp::from_millis(millis));
        Ok(Self {
            state,
            attempt,
            failures,
            crashes,
            turn,
            enqueued_at,
            run_at,
            started_at: some(started_at),
            completed_at: some(completed_at),
            worker: (!worker.is_nil()).then(|| worker.into()),
        })
    }
}

/// What a record ends with and an envelope begins with; see `HEADER` in the scripts.
struct Header {
    enqueued_at: Timestamp,
    run_at: Timestamp,
    turn: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Decoded<Self> {
        let mut reader = Reader(bytes);
        let _flags_and_class = reader.take::<2>()?;
        let [enqueued_at, run_at] = [reader.u64()?, reader.u64()?];
        let turn = reader.take::<16>()?;
        Ok(Self {
            enqueued_at: Timestamp::from_millis(enqueued_at),
            run_at: Timestamp::from_millis(run_at),
            turn: std::str::from_utf8(&turn)?.parse().context("a job's turn is no number")?,
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

/// A job that is leased for the first time.
pub(super) fn leased(id: JobId, envelope: &[u8]) -> Decoded<Leased> {
    Ok(Leased {
        enqueued_at: Header::read(envelope)?.enqueued_at,
        spec: Arc::new(codec::job(id, body(envelope)?)?),
        attempt: 1,
        failures: 0,
        crashes: 0,
        checkpoint: None,
    })
}

/// What a job's record and checkpoint say of a lease that isn't its first.
pub(super) fn leased_again(
    leased: &mut Leased,
    record: &[u8],
    checkpoint: Option<&[u8]>,
) -> Decoded<()> {
    let record = Record::read(record)?;
    (leased.attempt, leased.failures) = (record.attempt, record.failures);
    leased.crashes = record.crashes;
    leased.checkpoint = checkpoint.map(codec::checkpoint).transpose()?;
    Ok(())
}

fn body(envelope: &[u8]) -> Decoded<&[u8]> {
    envelope.get(HEADER_BYTES..).context("a job's envelope is cut off")
}

/// How long until something, where the scripts say -1 for never.
pub(super) fn until(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}
