//! The connection to a server: made, lost and made again.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gristmill_job::time;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::runtime::Handle;

use crate::fault::{Fault, is_of_the_connection};
use crate::request::{Arguments, Request};
use crate::{Address, ConnectError, Script, blame};

/// Within this long after a failed attempt to connect nobody makes another.
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

/// How long a server is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To take a connection and to greet.
    pub connect: Duration,
    /// To answer. Past it the connection is given up, since nothing that is sent takes long.
    pub answer: Duration,
}

/// The layout of keys that a back-end writes. One that doesn't know a server's layout keeps away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Where its number is kept.
    pub key: String,
    /// Its number.
    pub number: u64,
}

/// A server, and the connection to it while there is one.
pub struct Link {
    client: Client,
    address: Address,
    patience: Patience,
    schema: Schema,
    /// What a connection makes known before it is used.
    scripts: Vec<Arc<Script>>,
    /// Connections live where the link was made, whoever needs one first.
    home: Handle,
    live: Mutex<Option<Live>>,
    made: AtomicU64,
    asked: AtomicU64,
    connecting: tokio::sync::Mutex<Option<(Instant, ConnectError)>>,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    /// Which connection it is, from 1.
    number: u64,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.address).finish()
    }
}

/// What of a command may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It does the same when it is done twice, so it is sent again on a new connection.
    Once,
    /// Whoever sent it has to find out what became of it.
    Never,
}

impl Link {
    /// A link that isn't connected yet, on the async runtime that this is called on.
    ///
    /// # Errors
    /// [`ConnectError::Unusable`]: no client can be made for the address.
    pub fn new(
        address: Address,
        patience: Patience,
        schema: Schema,
        scripts: Vec<Arc<Script>>,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            client: open(&address)?,
            address,
            patience,
            schema,
            scripts,
            home: Handle::current(),
            live: Mutex::new(None),
            made: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            connecting: tokio::sync::Mutex::new(None),
        })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Where connections live, and what is to live as long.
    #[must_use]
    pub fn home(&self) -> &Handle {
        &self.home
    }

    /// Where the server is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Connects, if that isn't done.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(self: &Arc<Self>) -> Result<(), ConnectError> {
        self.connection().await.map(drop)
    }

    /// Runs a script on these keys.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn run(
        self: &Arc<Self>,
        script: &Script,
        keys: &[Vec<u8>],
        arguments: &Arguments,
        repeat: Repeat,
    ) -> Result<Value, ConnectError> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.sha()).arg(keys.len());
        for key in keys {
            command.arg(key.as_slice());
        }
        for argument in arguments.iter() {
            command.arg(argument);
        }
        match self.send(&command, repeat).await {
            // Somebody flushed the scripts; nothing was run.
            Err(fault) if fault.is(ServerErrorKind::NoScript) => {
                self.send(&script.load(), Repeat::Once).await.map_err(|fault| self.blame(fault))?;
                self.send(&command, repeat).await
            }
            answered => answered,
        }
        .map_err(|fault| self.blame(fault))
    }

    /// Sends a plain command that may be repeated.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn ask(self: &Arc<Self>, command: &Cmd) -> Result<Value, ConnectError> {
        self.command(command, Repeat::Once).await
    }

    /// Sends a plain command.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn command(
        self: &Arc<Self>,
        command: &Cmd,
        repeat: Repeat,
    ) -> Result<Value, ConnectError> {
        self.send(command, repeat).await.map_err(|fault| self.blame(fault))
    }

    /// Sends commands in one round trip; an answer each.
    ///
    /// # Errors
    /// [`ConnectError`], for all of them if for one.
    pub async fn pipeline(
        self: &Arc<Self>,
        pipeline: &Pipeline,
        repeat: Repeat,
    ) -> Result<Vec<Value>, ConnectError> {
        self.send(pipeline, repeat).await.map_err(|fault| self.blame(fault))
    }

    /// An answer that can't be understood.
    #[must_use]
    pub fn misunderstood(&self, error: &anyhow::Error) -> ConnectError {
        ConnectError::Unusable { address: self.address.to_string(), reason: format!("{error:#}") }
    }

    /// How many connections were made so far: what a server knew may be gone with the last one.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// How many round trips were begun so far, beside those that make a connection and those in which
    /// somebody waits to be woken.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn blame(&self, fault: Fault) -> ConnectError {
        match fault {
            Fault::Connect(error) => error,
            Fault::Answer(error) => blame(&self.address, &error),
        }
    }

    async fn send<R: Request>(
        self: &Arc<Self>,
        request: &R,
        repeat: Repeat,
    ) -> Result<R::Answer, Fault> {
        match (self.send_once(request).await, repeat) {
            (Err(Fault::Answer(error)), Repeat::Once) if is_of_the_connection(&error) => {
                self.send_once(request).await
            }
            (answered, _) => answered,
        }
    }

    async fn send_once<R: Request>(self: &Arc<Self>, request: &R) -> Result<R::Answer, Fault> {
        let mut live = self.connection().await.map_err(Fault::Connect)?;
        self.asked.fetch_add(1, Ordering::Relaxed);
        request.answer(&mut live.connection).await.map_err(|error| {
            if is_of_the_connection(&error) {
                self.give_up(live.number);
            }
            Fault::Answer(error)
        })
    }

    /// The connection; a new one, if there is none.
    async fn connection(self: &Arc<Self>) -> Result<Live, ConnectError> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let begun = time::monotonic();
        let mut failed = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        if let Some((at, error)) = failed.as_ref()
            && (*at >= begun || begun.saturating_duration_since(*at) < RECONNECT_PAUSE)
        {
            return Err(error.clone());
        }
        let link = Arc::clone(self);
        let connected = match self.home.spawn(async move { link.greet().await }).await {
            Ok(connected) => connected,
            Err(ended) => Err(ConnectError::Unreachable {
                address: self.address.to_string(),
                reason: ended.to_string(),
            }),
        };
        match connected {
            Ok(connection) => {
                *failed = None;
                Ok(self.keep(connection))
            }
            Err(error) => {
                *failed = Some((time::monotonic(), error.clone()));
                Err(error)
            }
        }
    }

    fn current(&self) -> Option<Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, connection: MultiplexedConnection) -> Live {
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(Live { connection, number }).clone()
    }

    /// Drops a connection of which nothing good is to be expected, unless another took its place.
    fn give_up(&self, number: u64) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.number == number) {
            *live = None;
        }
    }

    /// A new connection to a server that can be used: a primary, with keys of our schema, that has
    /// all scripts.
    async fn greet(&self) -> Result<MultiplexedConnection, ConnectError> {
        let greeting = async {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(self.patience.connect))
                .set_response_timeout(Some(self.patience.answer));
            let mut connection =
                self.client.get_multiplexed_async_connection_with_config(&config).await?;
            // Who may not ask for the role will see by the first write.
            let role = redis::cmd("ROLE").query_async::<Value>(&mut connection).await;
            let is_replica = role.is_ok_and(|role| is_replica(&role));
            let schema = self.find_schema(&mut connection).await?;
            self.load_all().query_async::<Value>(&mut connection).await?;
            Ok((connection, is_replica, schema))
        };
        let address = || self.address.to_string();
        let greeted =
            tokio::time::timeout(self.patience.connect, greeting).await.map_err(|_| {
                let reason = format!("no answer within {:?}", self.patience.connect);
                ConnectError::Unreachable { address: address(), reason }
            })?;
        match greeted {
            Ok((_, true, _)) => Err(ConnectError::ReadOnly { address: address() }),
            Ok((_, _, found)) if found != self.schema.number.to_string() => {
                let known = self.schema.number;
                Err(ConnectError::Schema { address: address(), found, known })
            }
            Ok((connection, ..)) => Ok(connection),
            Err(error) => Err(blame(&self.address, &error)),
        }
    }

    /// The commands that make all scripts known, in one round trip.
    fn load_all(&self) -> Pipeline {
        let mut all = Pipeline::new();
        for script in &self.scripts {
            all.add_command(script.load());
        }
        all
    }

    /// The schema of the keys, which is ours where there were none.
    async fn find_schema(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<String, RedisError> {
        let mut read = redis::cmd("GET");
        read.arg(&self.schema.key);
        if let Some(found) = read.query_async::<Option<String>>(connection).await? {
            return Ok(found);
        }
        let mut write = redis::cmd("SET");
        write.arg(&self.schema.key).arg(self.schema.number).arg("NX");
        write.query_async::<Value>(connection).await?;
        read.query_async::<Option<String>>(connection).await.map(Option::unwrap_or_default)
    }
}

/// A client of a server, which isn't asked yet.
///
/// # Errors
/// [`ConnectError::Unusable`]: no client can be made for the address.
pub fn open(address: &Address) -> Result<Client, ConnectError> {
    // Whoever embeds us may have chosen another already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::open(address.info()).map_err(|error| blame(address, &error))
}

fn is_replica(role: &Value) -> bool {
    match role {
        Value::Array(parts) => match parts.first() {
            Some(Value::BulkString(name)) => name == b"slave",
            _ => false,
        },
        _ => false,
    }
}
