//! What scripts answer, taken apart.

use anyhow::{Context as _, bail};
use gristmill_job::{JobId, WorkerId};
use redis::Value;
use uuid::Uuid;

use super::codec::Decoded;
use super::record::View;

/// The parts of an answer, in their order.
#[derive(Debug)]
pub(super) struct Reply(std::vec::IntoIter<Value>);

impl Reply {
    /// None, where the script answered with nothing.
    pub(super) fn maybe(value: Value) -> Decoded<Option<Self>> {
        match value {
            Value::Nil => Ok(None),
            Value::Array(parts) => Ok(Some(Self(parts.into_iter()))),
            other => bail!("a script answered {other:?}"),
        }
    }

    pub(super) fn new(value: Value) -> Decoded<Self> {
        Self::maybe(value)?.context("a script answered nothing")
    }

    pub(super) fn part(&mut self) -> Decoded<Value> {
        self.0.next().context("a script's answer is too short")
    }

    pub(super) fn bytes(&mut self) -> Decoded<Vec<u8>> {
        bytes(self.part()?)
    }

    pub(super) fn maybe_bytes(&mut self) -> Decoded<Option<Vec<u8>>> {
        match self.part()? {
            Value::Nil => Ok(None),
            value => bytes(value).map(Some),
        }
    }

    pub(super) fn number(&mut self) -> Decoded<i64> {
        match self.part()? {
            Value::Int(number) => Ok(number),
            other => bail!("a script answered {other:?} for a number"),
        }
    }

    pub(super) fn count(&mut self) -> Decoded<u64> {
        let number = self.number()?;
        u64::try_from(number).with_context(|| format!("a script counted {number}"))
    }

    pub(super) fn flag(&mut self) -> Decoded<bool> {
        Ok(self.number()? != 0)
    }

    pub(super) fn list(&mut self) -> Decoded<Self> {
        Self::new(self.part()?)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    pub(super) fn view(mut self) -> Decoded<View> {
        Ok(View {
            record: self.bytes()?,
            envelope: self.bytes()?,
            outcome: self.maybe_bytes()?,
            progress: self.maybe_bytes()?,
            checkpoint: self.maybe_bytes()?,
        })
    }
}

/// What a scan answers: the next cursor, and a page.
pub(super) fn scanned(mut reply: Reply) -> Decoded<(Vec<u8>, Vec<Vec<u8>>)> {
    let cursor = reply.bytes()?;
    let mut entries = reply.list()?;
    let mut page = Vec::new();
    while !entries.is_empty() {
        page.push(entries.bytes()?);
    }
    Ok((cursor, page))
}

pub(super) fn bytes(value: Value) -> Decoded<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        other => bail!("a script answered {other:?} for a text"),
    }
}

pub(super) fn job_id(bytes: &[u8]) -> Decoded<JobId> {
    Uuid::from_slice(bytes).map(JobId::from).context("an id has another length than it should")
}

pub(super) fn worker_id(bytes: &[u8]) -> Decoded<WorkerId> {
    Uuid::from_slice(bytes).map(WorkerId::from).context("an id has another length than it should")
}
