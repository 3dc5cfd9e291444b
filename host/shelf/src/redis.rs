//! The shelf on a Redis server, shared by all processes that know its address.
//!
//! Five keys hold all of it. What is changed is changed by one script, so that whoever reads meets whole
//! versions; what is read is one round trip. `docs/redis.md` names the keys.

mod keys;
mod read;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gristmill_job::{Digest, PluginName};
pub use gristmill_redis::{Address, ConnectError, InvalidAddress};
use gristmill_redis::{Arguments, Link, Listener, Patience, Repeat, Schema, Script, Subscription};
use redis::{Cmd, Pipeline, Value, cmd};
use tokio::sync::watch;

use self::keys::{Keys, about_field};
use crate::{About, Error, Listing, Release, Shelf, Shelved, Version, limits};

/// The layout of keys that this version writes.
const SCHEMA: u64 = 1;

/// How a shelf is kept on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What all keys begin with: installations with different ones don't see each other.
    pub prefix: String,
    /// How long a server has to take a connection and to greet.
    pub connect_patience: Duration,
    /// How long a server has to answer: the largest component goes over a line of 20 Mbit/s.
    pub answer_patience: Duration,
    /// How many plugins there may be.
    pub plugins_max: usize,
    /// What all components may weigh together.
    pub bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "gristmill".to_owned(),
            connect_patience: Duration::from_secs(5),
            answer_patience: Duration::from_secs(15),
            plugins_max: limits::PLUGINS_MAX,
            bytes_max: limits::BYTES_MAX,
        }
    }
}

/// The shelf on a Redis server.
pub struct RedisShelf {
    link: Arc<Link>,
    keys: Keys,
    publish: Arc<Script>,
    remove: Arc<Script>,
    bell: Arc<Bell>,
    plugins_max: usize,
    bytes_max: u64,
    /// From when on somebody wants to hear of changes.
    subscription: OnceLock<Subscription>,
}

/// Counts what is heard.
struct Bell(watch::Sender<u64>);

impl Listener for Bell {
    fn subscribed(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    fn hear(&self, _name: &[u8]) -> anyhow::Result<()> {
        self.0.send_modify(|count| *count += 1);
        Ok(())
    }
}

impl RedisShelf {
    /// A shelf on a server, which is connected to when it is first needed, on the async runtime that
    /// this is called on: a server that isn't there yet is no fault.
    ///
    /// # Errors
    /// [`ConnectError::Unusable`]: no client can be made for the address.
    pub fn new(address: Address) -> Result<Self, ConnectError> {
        Self::with(address, &Options::default())
    }

    /// The same, with keys and patience of one's own.
    ///
    /// # Errors
    /// [`ConnectError::Unusable`].
    pub fn with(address: Address, options: &Options) -> Result<Self, ConnectError> {
        let keys = Keys::new(&options.prefix);
        let script = |text: &str| Arc::new(Script::new(text.to_owned()));
        let publish = script(include_str!("redis/scripts/publish.lua"));
        let remove = script(include_str!("redis/scripts/remove.lua"));
        let patience =
            Patience { connect: options.connect_patience, answer: options.answer_patience };
        let schema = Schema { key: keys.schema(), number: SCHEMA };
        let scripts = vec![Arc::clone(&publish), Arc::clone(&remove)];
        let link = Arc::new(Link::new(address, patience, schema, scripts)?);
        let bell = Arc::new(Bell(watch::Sender::new(0)));
        let Options { plugins_max, bytes_max, .. } = *options;
        let subscription = OnceLock::new();
        Ok(Self { link, keys, publish, remove, bell, plugins_max, bytes_max, subscription })
    }

    /// Connects, if that isn't done: for whoever wants to know at once.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(&self) -> Result<(), ConnectError> {
        self.link.connect().await
    }

    async fn change(&self, script: &Script, arguments: &Arguments) -> Result<Value, Error> {
        Ok(self.link.run(script, &self.keys.all(), arguments, Repeat::Once).await?)
    }

    fn understood<T>(&self, decoded: anyhow::Result<T>) -> Result<T, Error> {
        Ok(decoded.map_err(|error| self.link.misunderstood(&error))?)
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, Error> {
        Ok(self.link.ask(command).await?)
    }
}

impl fmt::Debug for RedisShelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisShelf").field(self.link.address()).finish()
    }
}

#[async_trait]
impl Shelf for RedisShelf {
    async fn publish(&self, release: &Release) -> Result<Shelved, Error> {
        let Release { name, component, about } = release;
        let about = read::written(about);
        bounded("component", component.len(), limits::COMPONENT_BYTES_MAX)?;
        bounded("manifest and description", about.len(), limits::ABOUT_BYTES_MAX)?;
        let digest = digest_of(component.clone()).await?;
        let mut arguments = Arguments::default();
        arguments.push(name.as_str());
        arguments.push(digest.to_string());
        arguments.push(component.clone());
        arguments.push(about);
        arguments.push_number(limits::VERSIONS_MAX);
        arguments.push_number(self.plugins_max);
        arguments.push_number(self.bytes_max);
        arguments.push(self.keys.bell());
        let reply = self.change(&self.publish, &arguments).await?;
        let (verdict, number) = self.understood(read::published(reply))?;
        match verdict.as_slice() {
            b"published" => Ok(Shelved { digest, serial: number }),
            b"plugins" => Err(Error::Full(format!("it has {number} plugins"))),
            _ => Err(Error::Full(format!(
                "its components would be {number} bytes, and {} is what they may be together",
                self.bytes_max
            ))),
        }
    }

    async fn remove(&self, name: &PluginName) -> Result<bool, Error> {
        let mut arguments = Arguments::default();
        arguments.push(name.as_str());
        arguments.push(self.keys.bell());
        let removed = self.change(&self.remove, &arguments).await?;
        Ok(removed == Value::Int(1))
    }

    async fn list(&self) -> Result<Listing, Error> {
        let mut both = Pipeline::new();
        both.cmd("GET").arg(self.keys.serial());
        both.cmd("HGETALL").arg(self.keys.versions());
        let answers = self.link.pipeline(&both, Repeat::Once).await?;
        self.understood(read::listing(answers))
    }

    async fn versions(&self, name: &PluginName) -> Result<Vec<Shelved>, Error> {
        let value = self.ask(cmd("HGET").arg(self.keys.versions()).arg(name.as_str())).await?;
        self.understood(read::versions(value))
    }

    async fn about(&self, name: &PluginName, digest: Digest) -> Result<Option<About>, Error> {
        let field = about_field(name, digest);
        match self.ask(cmd("HGET").arg(self.keys.about()).arg(field)).await? {
            Value::Nil => Ok(None),
            found => read::about(found).map(Some).map_err(incomplete(name, digest)),
        }
    }

    async fn fetch(&self, name: &PluginName, digest: Digest) -> Result<Option<Version>, Error> {
        let mut both = Pipeline::new();
        both.cmd("HGET").arg(self.keys.about()).arg(about_field(name, digest));
        both.cmd("HGET").arg(self.keys.components()).arg(digest.to_string());
        let mut answers = self.link.pipeline(&both, Repeat::Once).await?.into_iter();
        let (about, component) = match (answers.next(), answers.next()) {
            (Some(Value::Nil), _) | (None, _) | (_, None) => return Ok(None),
            (Some(about), Some(component)) => (about, component),
        };
        let incomplete = incomplete(name, digest);
        let about = read::about(about).map_err(&incomplete)?;
        let component = match component {
            Value::Nil => return Err(incomplete(anyhow::anyhow!("its component isn't there"))),
            found => Bytes::from(gristmill_redis::bytes(found).map_err(&incomplete)?),
        };
        let found = digest_of(component.clone()).await?;
        if found != digest {
            return Err(Error::Damaged { name: name.clone(), wanted: digest, found });
        }
        Ok(Some(Version { component, about }))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        let bell = Arc::clone(&self.bell);
        self.subscription.get_or_init(|| Subscription::open(&self.link, self.keys.bell(), bell));
        self.bell.0.subscribe()
    }
}

fn bounded(what: &'static str, bytes: usize, max: usize) -> Result<(), Error> {
    if bytes > max { Err(Error::TooLarge { what, bytes, max }) } else { Ok(()) }
}

fn incomplete(name: &PluginName, digest: Digest) -> impl Fn(anyhow::Error) -> Error {
    let name = name.clone();
    move |error| Error::Incomplete { name: name.clone(), digest, reason: format!("{error:#}") }
}

/// A large component takes a while on a processor.
async fn digest_of(component: Bytes) -> Result<Digest, Error> {
    let hashed = tokio::task::spawn_blocking(move || Digest::of(&component)).await;
    hashed.map_err(|ended| {
        let address = String::from("this process");
        Error::Unavailable(ConnectError::Unusable { address, reason: ended.to_string() })
    })
}
