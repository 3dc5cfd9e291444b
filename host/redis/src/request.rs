//! What is sent to a server.

use std::future::Future;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, Value};

/// What is sent in one round trip.
pub(crate) trait Request {
    type Answer;

    fn answer(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> impl Future<Output = Result<Self::Answer, RedisError>> + Send;
}

impl Request for Cmd {
    type Answer = Value;

    async fn answer(&self, connection: &mut MultiplexedConnection) -> Result<Value, RedisError> {
        connection.send_packed_command(self).await.and_then(Value::extract_error)
    }
}

impl Request for Pipeline {
    type Answer = Vec<Value>;

    async fn answer(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Vec<Value>, RedisError> {
        self.query_async(connection).await
    }
}

/// What a script is given beside its keys: one behind the other, in one piece of memory.
#[derive(Debug, Default)]
pub struct Arguments {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Arguments {
    /// One more.
    pub fn push(&mut self, argument: impl AsRef<[u8]>) {
        self.push_joined(&[argument.as_ref()]);
    }

    /// One more, of these pieces.
    pub fn push_joined(&mut self, pieces: &[&[u8]]) {
        pieces.iter().for_each(|piece| self.bytes.extend_from_slice(piece));
        self.ends.push(self.bytes.len());
    }

    /// One more, which is a number.
    pub fn push_number(&mut self, number: impl ToString) {
        self.push(number.to_string());
    }

    /// All of the other's.
    pub fn append(&mut self, other: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| start + end));
    }

    /// What they weigh together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}
