//! `gristmill cache`: what jobs remember, by plugin or bucket.

use std::sync::Arc;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgGroup, Subcommand};
use gristmill::cache::{Config, Key, SetOptions, Space};
use gristmill::job::time::parse_duration;
use gristmill::job::{BucketName, SystemClock, media};
use gristmill::{Cache, CacheUrl, CacheView, Client, Error as HostError, PluginName};
use serde_json::json;

use super::access::DaemonArgs;
use super::error::Error;
use super::exit::Exit;
use super::input::InputArgs;
use super::output;
use super::report::{aligned, bytes};

/// Look at what jobs remember, and change it
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill cache get --plugin wordcount last-run")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Get(GetArgs),
    Set(SetArgs),
    Delete(DeleteArgs),
    Clear(ClearArgs),
    Stats(StatsArgs),
}

/// Print a value, byte for byte
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill cache get --bucket default motd")]
struct GetArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The key
    key: String,
}

/// Store a value
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  gristmill cache set --bucket default motd --input hello --ttl 1h"
)]
struct SetArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The key
    key: String,
    #[command(flatten)]
    input: InputArgs,
    /// How long it stays; until it is deleted or evicted, if not said
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    ttl: Option<Duration>,
}

/// Remove an entry
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill cache delete --bucket default motd")]
struct DeleteArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The key
    key: String,
}

/// Remove the entries whose keys begin with a text, and print how many there were
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill cache clear --plugin wordcount --prefix page:")]
struct ClearArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// What the keys begin with [default: all keys]
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
}

/// Show hits, misses, entries and bytes
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill cache stats --json")]
struct StatsArgs {
    #[command(flatten)]
    door: DoorArgs,
    /// Print JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// Which part of which cache.
#[derive(clap::Args)]
#[command(group = ArgGroup::new("space").args(["plugin", "bucket"]))]
struct PlaceArgs {
    /// The part of this plugin alone
    #[arg(long, value_name = "NAME")]
    plugin: Option<PluginName>,
    /// The part that plugins share under this name [default: default]
    #[arg(long, value_name = "NAME")]
    bucket: Option<BucketName>,
    #[command(flatten)]
    door: DoorArgs,
}

impl PlaceArgs {
    fn space(&self) -> Result<Space, Error> {
        match (&self.plugin, &self.bucket) {
            (Some(plugin), _) => Ok(Space::Plugin(plugin.clone())),
            (None, Some(bucket)) => Ok(Space::Bucket(bucket.clone())),
            (None, None) => {
                let bucket = BucketName::new("default");
                Ok(Space::Bucket(bucket.map_err(|error| Error::Usage(error.to_string()))?))
            }
        }
    }
}

/// Where the cache is: with a daemon, or where this process reaches it too.
#[derive(clap::Args)]
struct DoorArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// The cache to work on past any daemon, sqlite:PATH or the address of a Redis server; wins over
    /// --redis-url
    #[arg(long, value_name = "URL", env = "GRISTMILL_CACHE_URL", hide_env_values = true)]
    cache_url: Option<CacheUrl>,
    /// The Redis server with jobs and cache; wins over --server
    #[arg(long, value_name = "URL", env = "GRISTMILL_REDIS_URL", hide_env_values = true)]
    redis_url: Option<CacheUrl>,
}

enum Door {
    Daemon(Client),
    Cache(Arc<dyn Cache>),
}

impl DoorArgs {
    async fn open(&self) -> Result<Door, Error> {
        let Some(url) = self.cache_url.as_ref().or(self.redis_url.as_ref()) else {
            return Ok(Door::Daemon(self.daemon.client()?));
        };
        if matches!(url, CacheUrl::Memory) {
            return Err(Error::Usage("a cache in memory is its daemon's: use --server".to_owned()));
        }
        let cache = url.open(Config::default(), Arc::new(SystemClock)).await;
        Ok(Door::Cache(cache.map_err(HostError::from)?))
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    match args.command {
        Command::Get(GetArgs { place, key }) => get(&place, &key).await,
        Command::Set(args) => set(&args).await,
        Command::Delete(DeleteArgs { place, key }) => delete(&place, &key).await,
        Command::Clear(ClearArgs { place, prefix }) => clear(&place, &prefix).await,
        Command::Stats(StatsArgs { door, json }) => stats(&door, json).await,
    }
}

fn key(text: &str) -> Result<Key, Error> {
    Key::new(text, &Config::default()).map_err(|error| Error::Usage(format!("KEY: {error}")))
}

fn unknown(space: &Space, key: &str) -> Error {
    Error::NotFound(format!("there is no entry {key:?} in {space}"))
}

async fn get(place: &PlaceArgs, text: &str) -> Result<Exit, Error> {
    let (space, key) = (place.space()?, key(text)?);
    let found = match place.door.open().await? {
        Door::Daemon(client) => client.cache_get(&space, text).await?,
        Door::Cache(cache) => cache.get(&space, &key).await?,
    };
    let value = found.ok_or_else(|| unknown(&space, text))?;
    output::result(media::BYTES, &value)?;
    Ok(Exit::Completed)
}

async fn set(args: &SetArgs) -> Result<Exit, Error> {
    let (space, key) = (args.place.space()?, key(&args.key)?);
    let value = args.input.read()?.data;
    match args.place.door.open().await? {
        Door::Daemon(client) => client.cache_set(&space, &args.key, value, args.ttl).await?,
        Door::Cache(cache) => {
            let options = SetOptions { ttl: args.ttl, ..SetOptions::default() };
            cache.set(&space, &key, value, options).await?;
        }
    }
    Ok(Exit::Completed)
}

async fn delete(place: &PlaceArgs, text: &str) -> Result<Exit, Error> {
    let (space, key) = (place.space()?, key(text)?);
    let was_there = match place.door.open().await? {
        Door::Daemon(client) => client.cache_delete(&space, text).await?,
        Door::Cache(cache) => cache.delete(&space, &key).await?,
    };
    if was_there { Ok(Exit::Completed) } else { Err(unknown(&space, text)) }
}

async fn clear(place: &PlaceArgs, prefix: &str) -> Result<Exit, Error> {
    let space = place.space()?;
    let cleared = match place.door.open().await? {
        Door::Daemon(client) => client.cache_clear(&space, prefix).await?,
        Door::Cache(cache) => cache.clear(&space, prefix).await?,
    };
    output::text(&cleared.to_string())?;
    Ok(Exit::Completed)
}

async fn stats(door: &DoorArgs, as_json: bool) -> Result<Exit, Error> {
    let view = match door.open().await? {
        Door::Daemon(client) => client.cache_stats().await?,
        Door::Cache(cache) => cache.stats().await?.into(),
    };
    if as_json {
        output::json(&json!(view))?;
    } else {
        output::text(&shown(&view))?;
    }
    Ok(Exit::Completed)
}

fn shown(view: &CacheView) -> String {
    let ratio = view.hit_ratio.map_or("-".to_owned(), |ratio| format!("{:.1}%", 100.0 * ratio));
    aligned(&[
        ("backend", format!("{} ({})", view.backend, view.note)),
        ("hits", view.hits.to_string()),
        ("misses", view.misses.to_string()),
        ("hit ratio", ratio),
        ("entries", view.entries.to_string()),
        ("bytes", bytes(view.bytes)),
    ])
}
