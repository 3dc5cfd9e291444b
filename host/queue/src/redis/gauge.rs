//! A server as it is measured: what it gives at most, and what it has done.

mod echo;

use std::time::Duration;

use gristmill_job::time::monotonic;
use gristmill_redis::{Address, ConnectError, blame, open};
use redis::Client;
use redis::aio::MultiplexedConnection;

pub use self::echo::Echo;

/// Commands in one pipeline of the raw measurement, as peers and servers are usually measured.
const PIPELINE: usize = 64;
/// Keys looked through or removed by one command.
const SCAN: usize = 1_000;

/// A connection of the measurement's own, and the keys that are its.
#[derive(Clone)]
pub struct Gauge {
    address: Address,
    client: Client,
    connection: MultiplexedConnection,
    prefix: String,
}

/// What a server has done, by its own count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    /// Commands that clients sent, and those that scripts ran.
    pub commands: f64,
    /// Its time on a processor.
    pub cpu: Duration,
    /// Bytes that clients sent and were sent.
    pub bytes: f64,
}

impl Gauge {
    /// Connects to a server; the measurement's keys begin with `prefix` and a colon.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(address: &Address, prefix: &str) -> Result<Self, ConnectError> {
        let client = open(address)?;
        let connection = client.get_multiplexed_async_connection().await;
        let connection = connection.map_err(|error| blame(address, &error))?;
        Ok(Self { address: address.clone(), client, connection, prefix: prefix.to_owned() })
    }

    /// Plain writes of as many bytes a second, in pipelines over one connection.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn sets(&self, count: usize, bytes: usize) -> Result<f64, ConnectError> {
        let (value, mut connection) = (vec![b'.'; bytes], self.connection.clone());
        let begun = monotonic();
        for batch in 0..count / PIPELINE {
            let mut pipe = redis::pipe();
            for i in 0..PIPELINE {
                let key = format!("{}:raw:{}", self.prefix, batch * PIPELINE + i);
                pipe.cmd("SET").arg(key).arg(&value).ignore();
            }
            let done = pipe.query_async::<()>(&mut connection).await;
            done.map_err(|error| self.failed(&error))?;
        }
        Ok(count as f64 / begun.elapsed().as_secs_f64())
    }

    /// Somebody who sends messages of so many bytes back.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn echo(&self, bytes: usize) -> Result<Echo, ConnectError> {
        Echo::open(self, bytes).await
    }

    /// Removes every key of the measurement.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn clear(&self) -> Result<(), ConnectError> {
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}:*", self.prefix)).arg("COUNT").arg(SCAN);
            let (next, keys) = self.ask::<(u64, Vec<Vec<u8>>)>(&scan).await?;
            if !keys.is_empty() {
                self.ask::<u64>(redis::cmd("UNLINK").arg(keys)).await?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// What the server has done until now.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn work(&self) -> Result<Work, ConnectError> {
        let stats = self.info("stats").await?;
        let cpu = self.info("cpu").await?;
        let seconds = number(&cpu, "used_cpu_user") + number(&cpu, "used_cpu_sys");
        Ok(Work {
            commands: number(&stats, "total_commands_processed"),
            cpu: Duration::from_secs_f64(seconds),
            bytes: number(&stats, "total_net_input_bytes")
                + number(&stats, "total_net_output_bytes"),
        })
    }

    /// Bytes of memory in use.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn memory(&self) -> Result<f64, ConnectError> {
        Ok(number(&self.info("memory").await?, "used_memory"))
    }

    async fn info(&self, section: &str) -> Result<String, ConnectError> {
        self.ask(redis::cmd("INFO").arg(section)).await
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, ConnectError> {
        let answer = command.query_async(&mut self.connection.clone()).await;
        answer.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &redis::RedisError) -> ConnectError {
        blame(&self.address, error)
    }
}

/// The number behind a name in what a server tells of itself.
fn number(text: &str, name: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.and_then(|number| number.trim().parse().ok()).unwrap_or(0.0)
}
