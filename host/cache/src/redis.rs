//! The cache on a Redis server, shared by all processes that know its address.
//!
//! An entry is a plain string under `PREFIX:c:{SPACE}:KEY`, whose bytes are the value and whose time to
//! live is the server's, so that other programs can read, write and count there too. What can't be
//! said by one command of the server is one script. Every call is one round trip, but for those that
//! walk through keys, which take bounded steps. `docs/cache.md` names the keys.

mod flights;
mod keys;
mod lookups;
mod walk;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use bytes::Bytes;
pub use gristmill_redis::{Address, ConnectError, InvalidAddress};
use gristmill_redis::{Arguments, Link, Patience, Repeat, Schema, Script};
use redis::{Cmd, Pipeline, Value, cmd};

use self::flights::Flights;
use self::keys::Keys;
use self::lookups::Lookups;
use crate::{
    Cache, Condition, Config, Cursor, Entry, Error, Key, Lookup, Page, Reservation, SetOptions,
    Space, Stats, Version,
};

/// The layout of keys that this version writes.
const SCHEMA: u64 = 1;
/// The longest time to live, a hundred years: the server refuses what goes beyond its calendar.
const TTL_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// How a cache is kept on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What all keys begin with: installations with different ones don't see each other.
    pub prefix: String,
    /// How long a server has to take a connection and to greet: a guest may wait for it.
    pub connect_patience: Duration,
    /// How long a server has to answer before a guest is told that the cache is unavailable.
    pub answer_patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "gristmill".to_owned(),
            connect_patience: Duration::from_secs(2),
            answer_patience: Duration::from_secs(1),
        }
    }
}

/// The cache on a Redis server.
pub struct RedisCache {
    link: Arc<Link>,
    keys: Arc<Keys>,
    config: Config,
    swap: Arc<Script>,
    increment: Arc<Script>,
    flights: Flights,
    lookups: Lookups,
}

impl RedisCache {
    /// Connects to a server, on the async runtime that this is called on; connections that are lost
    /// later are made anew by themselves.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(address: Address, config: Config) -> Result<Self, ConnectError> {
        Self::connect_with(address, config, &Options::default()).await
    }

    /// Connects to a server, with keys and patience of one's own.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect_with(
        address: Address,
        config: Config,
        options: &Options,
    ) -> Result<Self, ConnectError> {
        let keys = Arc::new(Keys::new(&options.prefix));
        let store = include_str!("redis/scripts/store.lua");
        let script = |text: &str| Arc::new(Script::new([store, text].concat()));
        let swap = script(include_str!("redis/scripts/swap.lua"));
        let increment = script(include_str!("redis/scripts/increment.lua"));
        let steps = flights::Steps::new(store);
        let scripts = [vec![Arc::clone(&swap), Arc::clone(&increment)], steps.all()].concat();
        let patience =
            Patience { connect: options.connect_patience, answer: options.answer_patience };
        let schema = Schema { key: keys.schema(), number: SCHEMA };
        let link = Arc::new(Link::new(address, patience, schema, scripts)?);
        link.connect().await?;
        let flights = Flights::open(&link, &keys, steps);
        let lookups = Lookups::open(&link, keys.lookups());
        Ok(Self { link, keys, config, swap, increment, flights, lookups })
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, Error> {
        Ok(self.link.ask(command).await?)
    }

    /// Sends a command that isn't to be done twice.
    async fn tell(&self, command: &Cmd) -> Result<Value, Error> {
        Ok(self.link.command(command, Repeat::Never).await?)
    }

    fn understood<T>(&self, decoded: anyhow::Result<T>) -> Result<T, Error> {
        Ok(decoded.map_err(|error| self.link.misunderstood(&error))?)
    }

    /// The number that a command answers with.
    fn count(&self, value: Value) -> Result<u64, Error> {
        self.understood(count(value))
    }

    /// Removes an entry, or doesn't store it: what a time to live of nothing comes to.
    async fn store_nothing(&self, entry: &str, condition: Condition) -> Result<bool, Error> {
        let command = if condition == Condition::IfAbsent { "EXISTS" } else { "UNLINK" };
        let found = self.count(self.tell(cmd(command).arg(entry)).await?)? > 0;
        Ok(match condition {
            Condition::Always => true,
            Condition::IfAbsent => !found,
            Condition::IfPresent => found,
        })
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisCache").field(self.link.address()).finish()
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Bytes>, Error> {
        let value = self.ask(cmd("GET").arg(self.keys.entry(space, key))).await?;
        let found = self.understood(content(value))?;
        self.lookups.count(found.is_some());
        Ok(found)
    }

    async fn get_entry(&self, space: &Space, key: &Key) -> Result<Option<Entry>, Error> {
        let entry = self.keys.entry(space, key);
        let mut both = Pipeline::new();
        both.atomic().cmd("GET").arg(&entry).cmd("PTTL").arg(&entry);
        let answers = self.link.pipeline(&both, Repeat::Once).await?;
        let (value, ttl) = self.understood(two(answers))?;
        let found = self.understood(content(value))?;
        self.lookups.count(found.is_some());
        let Some(value) = found else { return Ok(None) };
        // Below nothing: it has no end.
        let ttl = match ttl {
            Value::Int(millis) => u64::try_from(millis).ok().map(Duration::from_millis),
            _ => None,
        };
        Ok(Some(Entry { version: Version::of(&value), value, ttl }))
    }

    async fn exists(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        Ok(self.count(self.ask(cmd("EXISTS").arg(self.keys.entry(space, key))).await?)? > 0)
    }

    async fn set(
        &self,
        space: &Space,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<bool, Error> {
        self.config.check_value(&value)?;
        let entry = self.keys.entry(space, key);
        let ttl = options.ttl.map(millis);
        if ttl == Some(0) {
            return self.store_nothing(&entry, options.condition).await;
        }
        let mut command = set(&entry, &value, ttl);
        match options.condition {
            Condition::Always => return self.ask(&command).await.map(|_| true),
            Condition::IfAbsent => command.arg("NX"),
            Condition::IfPresent => command.arg("XX"),
        };
        Ok(self.tell(&command).await? != Value::Nil)
    }

    async fn compare_and_set(
        &self,
        space: &Space,
        key: &Key,
        expected: Option<Version>,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.config.check_value(&value)?;
        let mut arguments = Arguments::default();
        arguments.push(expected.map(Version::to_hex).unwrap_or_default());
        arguments.push(&*value);
        arguments.push(ttl_argument(ttl));
        let keys = [self.keys.entry(space, key).into_bytes()];
        let swapped = self.link.run(&self.swap, &keys, &arguments, Repeat::Never).await?;
        Ok(self.count(swapped)? > 0)
    }

    async fn delete(&self, space: &Space, key: &Key) -> Result<bool, Error> {
        Ok(self.count(self.tell(cmd("UNLINK").arg(self.keys.entry(space, key))).await?)? > 0)
    }

    async fn touch(&self, space: &Space, key: &Key, ttl: Option<Duration>) -> Result<bool, Error> {
        let entry = self.keys.entry(space, key);
        let mut commands = Pipeline::new();
        match ttl.map(millis) {
            Some(0) => commands.cmd("UNLINK").arg(&entry),
            Some(millis) => commands.cmd("PEXPIRE").arg(&entry).arg(millis),
            None => commands.atomic().cmd("EXISTS").arg(&entry).cmd("PERSIST").arg(&entry),
        };
        let answers = self.link.pipeline(&commands, Repeat::Once).await?;
        let first = self.understood(answers.into_iter().next().context("there is no answer"))?;
        Ok(self.count(first)? > 0)
    }

    async fn increment(
        &self,
        space: &Space,
        key: &Key,
        delta: i64,
        ttl: Option<Duration>,
    ) -> Result<i64, Error> {
        let mut arguments = Arguments::default();
        arguments.push_number(delta);
        arguments.push(ttl_argument(ttl));
        let keys = [self.keys.entry(space, key).into_bytes()];
        let sum = self.link.run(&self.increment, &keys, &arguments, Repeat::Never).await?;
        let Some(sum) = self.understood(content(sum))? else { return Err(Error::NotANumber) };
        let parsed = std::str::from_utf8(&sum).map_err(anyhow::Error::from);
        self.understood(parsed.and_then(|text| Ok(text.parse()?)))
    }

    async fn get_many(&self, space: &Space, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        self.config.check_batch(keys.len())?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = cmd("MGET");
        for key in keys {
            command.arg(self.keys.entry(space, key));
        }
        let Value::Array(values) = self.ask(&command).await? else {
            return self.understood(Err(anyhow!("MGET answered with no list")));
        };
        let found: anyhow::Result<Vec<_>> = values.into_iter().map(content).collect();
        let found = self.understood(found)?;
        found.iter().for_each(|value| self.lookups.count(value.is_some()));
        Ok(found)
    }

    async fn set_many(
        &self,
        space: &Space,
        entries: Vec<(Key, Bytes)>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        self.config.check_batch(entries.len())?;
        entries.iter().try_for_each(|(_, value)| self.config.check_value(value))?;
        if entries.is_empty() {
            return Ok(());
        }
        let ttl = ttl.map(millis);
        let mut commands = Pipeline::new();
        for (key, value) in &entries {
            let entry = self.keys.entry(space, key);
            commands.add_command(match ttl {
                Some(0) => cmd("UNLINK").arg(entry).to_owned(),
                ttl => set(&entry, value, ttl),
            });
        }
        self.link.pipeline(&commands, Repeat::Once).await?;
        Ok(())
    }

    async fn delete_many(&self, space: &Space, keys: &[Key]) -> Result<u64, Error> {
        self.config.check_batch(keys.len())?;
        if keys.is_empty() {
            return Ok(0);
        }
        let mut command = cmd("UNLINK");
        for key in keys {
            command.arg(self.keys.entry(space, key));
        }
        self.count(self.tell(&command).await?)
    }

    async fn clear(&self, space: &Space, prefix: &str) -> Result<u64, Error> {
        self.clear_all(space, prefix).await
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &str,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.page(space, prefix, cursor, limit.clamp(1, self.config.batch_items_max)).await
    }

    async fn get_or_reserve(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        wait: Duration,
    ) -> Result<Lookup, Error> {
        let lookup = self.flights.ask_or_wait(space, key, lease, wait).await?;
        self.lookups.count(matches!(lookup, Lookup::Hit(_)));
        Ok(lookup)
    }

    async fn fill(
        &self,
        reservation: Reservation,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        if let Err(error) = self.config.check_value(&value) {
            self.flights.release(&reservation).await?;
            return Err(error);
        }
        self.flights.fill(&reservation, &value, &ttl_argument(ttl)).await
    }

    async fn release(&self, reservation: Reservation) -> Result<(), Error> {
        self.flights.release(&reservation).await
    }

    async fn stats(&self) -> Result<Stats, Error> {
        let (hits, misses) = self.lookups.totals(&self.link).await?;
        let (entries, bytes) = self.size().await?;
        let note = self.note().await?;
        let round_trips = self.link.round_trips();
        Ok(Stats { hits, misses, entries, bytes, backend: "redis", note, round_trips })
    }
}

/// The command that stores a value.
fn set(entry: &str, value: &Bytes, ttl: Option<u64>) -> Cmd {
    let mut command = cmd("SET");
    command.arg(entry).arg(&**value);
    if let Some(millis) = ttl {
        command.arg("PX").arg(millis);
    }
    command
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.min(TTL_MAX).as_millis()).unwrap_or(u64::MAX)
}

/// A time to live as scripts take it.
fn ttl_argument(ttl: Option<Duration>) -> String {
    ttl.map(|ttl| millis(ttl).to_string()).unwrap_or_default()
}

/// What an entry holds, if there is one.
fn content(value: Value) -> anyhow::Result<Option<Bytes>> {
    match value {
        Value::Nil => Ok(None),
        value => Ok(Some(gristmill_redis::bytes(value)?.into())),
    }
}

fn count(value: Value) -> anyhow::Result<u64> {
    match value {
        Value::Int(count) => Ok(u64::try_from(count)?),
        other => Err(anyhow!("the server answered {other:?} for a number")),
    }
}

fn two(answers: Vec<Value>) -> anyhow::Result<(Value, Value)> {
    let [first, second] = <[Value; 2]>::try_from(answers)
        .map_err(|answers| anyhow!("there are {} answers for two", answers.len()))?;
    Ok((first, second))
}
