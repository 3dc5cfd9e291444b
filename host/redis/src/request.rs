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

/// What a script is given beside its keys.
#[derive(Debug, Default)]
pub struct Arguments(pub(crate) Vec<Vec<u8>>);

impl Arguments {
    /// One more.
    pub fn push(&mut self, argument: impl Into<Vec<u8>>) {
        self.0.push(argument.into());
    }

    /// One more, which is a number.
    pub fn push_number(&mut self, number: impl ToString) {
        self.0.push(number.to_string().into_bytes());
    }

    /// All of the other's.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// What they weigh together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}
