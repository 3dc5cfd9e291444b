//! What scripts answer, taken apart.

use anyhow::{Context as _, Result, bail};
use redis::Value;

/// The parts of an answer, in their order.
#[derive(Debug)]
pub struct Reply(std::vec::IntoIter<Value>);

impl Reply {
    /// None, where the script answered with nothing.
    ///
    /// # Errors
    /// The answer is another.
    pub fn maybe(value: Value) -> Result<Option<Self>> {
        match value {
            Value::Nil => Ok(None),
            Value::Array(parts) => Ok(Some(Self(parts.into_iter()))),
            other => bail!("a script answered {other:?}"),
        }
    }

    /// All parts of an answer.
    ///
    /// # Errors
    /// The answer is another.
    pub fn new(value: Value) -> Result<Self> {
        Self::maybe(value)?.context("a script answered nothing")
    }

    /// The next part.
    ///
    /// # Errors
    /// The answer is another.
    pub fn part(&mut self) -> Result<Value> {
        self.0.next().context("a script's answer is too short")
    }

    /// The next part, which is a text.
    ///
    /// # Errors
    /// The answer is another.
    pub fn bytes(&mut self) -> Result<Vec<u8>> {
        bytes(self.part()?)
    }

    /// The next part, which is a text or nothing.
    ///
    /// # Errors
    /// The answer is another.
    pub fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>> {
        match self.part()? {
            Value::Nil => Ok(None),
            value => bytes(value).map(Some),
        }
    }

    /// The next part, which is a number.
    ///
    /// # Errors
    /// The answer is another.
    pub fn number(&mut self) -> Result<i64> {
        match self.part()? {
            Value::Int(number) => Ok(number),
            other => bail!("a script answered {other:?} for a number"),
        }
    }

    /// The next part, which is a number of things.
    ///
    /// # Errors
    /// The answer is another.
    pub fn count(&mut self) -> Result<u64> {
        let number = self.number()?;
        u64::try_from(number).with_context(|| format!("a script counted {number}"))
    }

    /// The next part, which is yes or no.
    ///
    /// # Errors
    /// The answer is another.
    pub fn flag(&mut self) -> Result<bool> {
        Ok(self.number()? != 0)
    }

    /// The next part, which has parts itself.
    ///
    /// # Errors
    /// The answer is another.
    pub fn list(&mut self) -> Result<Self> {
        Self::new(self.part()?)
    }

    /// Whether there are no more parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

/// What a scan answers: the next cursor, and a page.
///
/// # Errors
/// The answer is another.
pub fn scanned(mut reply: Reply) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let cursor = reply.bytes()?;
    let mut entries = reply.list()?;
    let mut page = Vec::new();
    while !entries.is_empty() {
        page.push(entries.bytes()?);
    }
    Ok((cursor, page))
}

/// A text.
///
/// # Errors
/// The answer is another.
pub fn bytes(value: Value) -> Result<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        other => bail!("a script answered {other:?} for a text"),
    }
}
