//! Flags that several commands have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use gristmill::job::time::parse_duration;
use gristmill::job::wire::{JobRequest, WireError};
use gristmill::queue::redis::Address;
use gristmill::redis::RedisError;
use gristmill::runtime::{self, ARGS_HEADER, ENV_HEADER};
use gristmill::{
    CacheUrl, Error as HostError, Host, HostBuilder, NewJob, Payload, Plugin, PluginName, client,
};

use super::compile;
use super::error::Error;
use super::limits::LimitsArgs;

/// Where plugins are.
#[derive(Args)]
pub(crate) struct PluginsArgs {
    /// The folder of the plugins' NAME.wasm files
    #[arg(
        long,
        value_name = "DIR",
        env = "GRISTMILL_PLUGINS",
        hide_env_values = true,
        default_value = "target/plugins"
    )]
    pub(crate) plugins: PathBuf,
    #[command(flatten)]
    pub(crate) limits: LimitsArgs,
}

impl PluginsArgs {
    /// A host over these plugins, which keeps what it compiles in a folder of its own there, if it has
    /// one.
    pub(crate) fn builder(&self, state_dir: Option<&Path>) -> Result<HostBuilder, Error> {
        self.builder_with(compile::sandbox(state_dir))
    }

    /// The same, with sandboxes that are set up like this.
    pub(crate) fn builder_with(&self, sandbox: runtime::Config) -> Result<HostBuilder, Error> {
        let sandbox = self.limits.apply(sandbox)?;
        Ok(Host::builder().plugins_dir(&self.plugins).runtime_config(sandbox))
    }
}

/// Where jobs and the cache are kept.
#[derive(Args)]
pub(crate) struct RedisArgs {
    /// Keep jobs on the Redis server at this address, such as redis://127.0.0.1:6379/0 [default: in
    /// memory]
    #[arg(long, value_name = "URL", env = "GRISTMILL_REDIS_URL", hide_env_values = true)]
    pub(crate) redis_url: Option<String>,
    /// Fail where Redis can't be used, rather than keep jobs in memory
    #[arg(long, env = "GRISTMILL_REQUIRE_REDIS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) require_redis: bool,
    /// Keep the cache there: memory:, sqlite:PATH or the address of a Redis server [default: where jobs
    /// are kept]
    #[arg(long, value_name = "URL", env = "GRISTMILL_CACHE_URL", hide_env_values = true)]
    cache_url: Option<CacheUrl>,
    /// A folder for compiled plugins, and for a cache that takes the place of one on a server that can't
    /// be used
    #[arg(long, value_name = "DIR", env = "GRISTMILL_STATE_DIR", hide_env_values = true)]
    pub(crate) state_dir: Option<PathBuf>,
}

impl RedisArgs {
    pub(crate) fn apply(&self, builder: HostBuilder) -> HostBuilder {
        let mut builder = builder.require_redis(self.require_redis);
        if let Some(url) = &self.cache_url {
            builder = builder.cache_url(url.clone());
        }
        if let Some(dir) = &self.state_dir {
            builder = builder.state_dir(dir);
        }
        match &self.redis_url {
            Some(url) => builder.redis_url(url),
            None => builder,
        }
    }
}

/// Which Redis server it is about.
#[derive(Args)]
pub(crate) struct RedisUrlArgs {
    /// The address of the Redis server, such as redis://127.0.0.1:6379/0
    #[arg(long, value_name = "URL", env = "GRISTMILL_REDIS_URL", hide_env_values = true)]
    redis_url: String,
}

impl RedisUrlArgs {
    pub(crate) fn address(&self) -> Result<Address, Error> {
        let address = self.redis_url.parse::<Address>();
        address.map_err(|error| HostError::from(RedisError::from(error)).into())
    }
}

/// What a job is given beside its input.
#[derive(Args)]
pub(crate) struct OptionArgs {
    /// How long an attempt may take; never more than the plugin's own limit
    #[arg(long, value_name = "DURATION", env = "GRISTMILL_TIMEOUT", hide_env_values = true, value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// A name and a value for the job to read; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = parse_pair)]
    headers: Vec<(String, String)>,
    /// An argument for a plugin that is a program; may be repeated
    #[arg(long = "arg", value_name = "VALUE", allow_hyphen_values = true)]
    args: Vec<String>,
    /// A variable of a program's environment that its manifest lets jobs set; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    env: Vec<(String, String)>,
}

pub(super) fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("it has no `=` between name and value".to_owned()),
    }
}

impl OptionArgs {
    /// Writes the options into a request.
    pub(crate) fn apply(&self, request: &mut JobRequest) -> Result<(), Error> {
        request.timeout_ms = self.timeout.map(millis);
        let mut headers = BTreeMap::new();
        for (name, value) in &self.headers {
            if headers.insert(name.clone(), value.clone()).is_some() {
                return Err(Error::Usage(format!("--header {name:?} is given twice")));
            }
        }
        if !self.args.is_empty() {
            let args = serde_json::Value::from(self.args.clone());
            headers.insert(ARGS_HEADER.to_owned(), args.to_string());
        }
        if !self.env.is_empty() {
            let env: serde_json::Map<_, _> =
                self.env.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            headers.insert(ENV_HEADER.to_owned(), serde_json::Value::from(env).to_string());
        }
        request.headers = (!headers.is_empty()).then_some(headers);
        Ok(())
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A request for a job with this input, to be filled with options.
pub(crate) fn request(plugin: PluginName, function: Option<&str>, input: Payload) -> JobRequest {
    let mut request = client::request(&NewJob::new(plugin, input));
    request.function = function.map(str::to_owned);
    request
}

/// The job of a request, checked; a fault is told in terms of the flag that it came from.
pub(crate) fn checked(request: JobRequest) -> Result<NewJob, Error> {
    NewJob::try_from(request).map_err(|WireError { field, problem }| {
        let flag = match field {
            "plugin" => "PLUGIN".to_owned(),
            "function" => "FUNCTION".to_owned(),
            "run_at" => "--at".to_owned(),
            "headers" => "--header".to_owned(),
            field => format!("--{}", field.trim_end_matches("_ms").replace('_', "-")),
        };
        Error::Usage(format!("{flag}: {problem}"))
    })
}

/// A component's file, or the name of a plugin in the plugins folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Component {
    /// A file.
    File(PathBuf),
    /// A name.
    Name(PluginName),
}

impl Component {
    /// What contains a slash, ends in `.wasm` or `.wat` or is there as a file is a file.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let path = Path::new(text);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let looks_like_a_file = text.contains('/') || matches!(extension, Some("wasm" | "wat"));
        if looks_like_a_file || path.is_file() {
            return Ok(Self::File(path.to_owned()));
        }
        match PluginName::new(text) {
            Ok(name) => Ok(Self::Name(name)),
            Err(error) => Err(Error::Usage(format!("{error}; a file has a `/` or ends in .wasm"))),
        }
    }

    /// Makes a plugin of it.
    pub(crate) async fn load(&self, host: &Host) -> Result<Plugin, Error> {
        Ok(match self {
            Self::File(path) => host.load_file(path).await?,
            Self::Name(name) => host.plugin(name).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_a_file_where_it_looks_like_one() {
        for file in ["./echo", "a/b", "echo.wasm", "echo.wat", "Cargo.toml"] {
            assert!(matches!(Component::parse(file), Ok(Component::File(_))), "{file}");
        }
        assert_eq!(Component::parse("echo").unwrap(), Component::Name("echo".parse().unwrap()));
        assert!(Component::parse("Echo").is_err());
    }

    #[test]
    fn a_fault_names_the_flag_that_it_came_from() {
        let fault = |change: fn(&mut JobRequest)| {
            let mut request = request("echo".parse().unwrap(), None, Payload::none());
            change(&mut request);
            checked(request).unwrap_err().to_string()
        };
        assert!(fault(|r| r.timeout_ms = Some(0)).starts_with("--timeout: "));
        assert!(fault(|r| r.max_attempts = Some(0)).starts_with("--max-attempts: "));
        assert!(fault(|r| r.run_at = Some("noon".to_owned())).starts_with("--at: "));
        assert!(fault(|r| r.function = Some("a b".to_owned())).starts_with("FUNCTION: "));
    }

    #[test]
    fn a_header_given_twice_is_an_error() {
        let pair = |value: &str| ("tenant".to_owned(), value.to_owned());
        let headers = vec![pair("a"), pair("b")];
        let options = OptionArgs { timeout: None, headers, args: Vec::new(), env: Vec::new() };
        let mut request = request("echo".parse().unwrap(), None, Payload::none());
        assert!(options.apply(&mut request).unwrap_err().to_string().contains("twice"));
    }
}
