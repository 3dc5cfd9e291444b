//! Whether a server is fit to keep jobs: what can be found out about it, and what to do where it isn't.

mod findings;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use gristmill_job::{Clock, time};
use gristmill_redis::{Address, ConnectError, blame, open};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, Value, cmd};

use super::keys::Keys;
use super::look::info_pairs;
use super::{Options, SCHEMA};

/// Pings of which the round trip is measured: enough for a median, over in a moment.
const PINGS: usize = 21;

/// What is thought of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but something may be lost or late.
    Warn,
    /// Jobs are lost, or can't be kept at all.
    Fail,
}

impl Verdict {
    /// The verdict as it is shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub name: &'static str,
    /// What is thought of it.
    pub verdict: Verdict,
    /// How it is.
    pub found: String,
    /// What to do about it; none, if there is nothing to be done.
    pub remedy: Option<String>,
}

/// Looks a server over, even one that no queue would be kept on. Writes nothing.
///
/// # Errors
/// [`ConnectError`], where there is nothing to look at: nobody answers, the login is refused, or
/// what answers is no Redis server.
pub async fn diagnose(
    address: &Address,
    options: &Options,
    clock: &dyn Clock,
) -> Result<Vec<Finding>, ConnectError> {
    let asking = async {
        let client = open(address)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect_patience))
            .set_response_timeout(Some(options.answer_patience));
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| blame(address, &error))?;
        facts(&mut connection, options, clock).await.map_err(|error| blame(address, &error))
    };
    // Every answer has its own deadline; this one is for a server that is slow with all of them.
    let patience = options.connect_patience + 10 * options.answer_patience;
    let facts = tokio::time::timeout(patience, asking).await.unwrap_or_else(|_| {
        let reason = format!("it wasn't looked over within {patience:?}");
        Err(ConnectError::Unreachable { address: address.to_string(), reason })
    })?;
    Ok(findings::all(&facts))
}

/// What is known of a server.
#[derive(Debug, Clone)]
struct Facts {
    /// What it says of itself, by name; or why it doesn't.
    info: Result<HashMap<String, String>, String>,
    /// Settings that it says nothing of in `info`, by name; or why they can't be read.
    settings: Result<HashMap<String, String>, String>,
    /// Round trips.
    pings: Vec<Duration>,
    /// Milliseconds by which its clock is ahead of this machine's.
    clock_ahead: Option<i64>,
    /// Keys in its database.
    keys: Option<u64>,
    /// Queues that were ever used.
    queues: Option<u64>,
    /// The schema of the keys, if there are any; or why it can't be read.
    schema: Result<Option<String>, String>,
}

async fn facts(
    connection: &mut MultiplexedConnection,
    options: &Options,
    clock: &dyn Clock,
) -> Result<Facts, RedisError> {
    let keys = Keys::new(&options.prefix);
    let mut pings = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let begun = time::monotonic();
        // What can't answer this is no server; all else may be forbidden to this user.
        cmd("PING").query_async::<Value>(connection).await?;
        pings.push(time::monotonic().saturating_duration_since(begun));
    }
    Ok(Facts {
        info: cmd("INFO").query_async(connection).await.map(info_pairs).map_err(reason),
        settings: settings(connection).await.map_err(reason),
        pings,
        clock_ahead: clock_ahead(connection, clock).await.ok(),
        keys: cmd("DBSIZE").query_async(connection).await.ok(),
        queues: cmd("SCARD").arg(keys.queues()).query_async(connection).await.ok(),
        schema: cmd("GET").arg(keys.schema()).query_async(connection).await.map_err(reason),
    })
}

fn reason(error: RedisError) -> String {
    error.detail().map_or_else(|| error.to_string(), str::to_owned)
}

/// One setting a command, since servers before 7.0 take no more.
async fn settings(
    connection: &mut MultiplexedConnection,
) -> Result<HashMap<String, String>, RedisError> {
    let mut settings = HashMap::new();
    for name in ["appendfsync", "save"] {
        let mut read = cmd("CONFIG");
        read.arg("GET").arg(name);
        settings.extend(read.query_async::<HashMap<String, String>>(connection).await?);
    }
    Ok(settings)
}

/// By how much the server's clock is ahead, as seen from the middle of the round trip.
async fn clock_ahead(
    connection: &mut MultiplexedConnection,
    clock: &dyn Clock,
) -> Result<i64, RedisError> {
    let asked = clock.now().as_millis();
    let (seconds, micros): (u64, u64) = cmd("TIME").query_async(connection).await?;
    let answered = clock.now().as_millis();
    let here = asked + answered.saturating_sub(asked) / 2;
    let there = seconds * 1_000 + micros / 1_000;
    Ok(there.cast_signed() - here.cast_signed())
}
