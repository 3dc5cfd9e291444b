//! The flags for what attempts are allowed.

use clap::Args;
use gristmill::runtime::{Config, Limit, Limits};

use super::args::parse_pair;
use super::error::Error;

/// What attempts are allowed.
#[derive(Args)]
pub(crate) struct LimitsArgs {
    /// What an attempt may use where its manifest says nothing, such as memory=128MiB or wall=1m; may be
    /// repeated
    #[arg(
        long = "limit",
        value_name = "NAME=VALUE",
        env = "GRISTMILL_LIMIT",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = parse
    )]
    usual: Vec<Allowed>,
    /// What a manifest may allow at most; may be repeated
    #[arg(
        long = "limit-max",
        value_name = "NAME=VALUE",
        env = "GRISTMILL_LIMIT_MAX",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = parse
    )]
    max: Vec<Allowed>,
}

/// So much of a limit.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    limit: &'static Limit,
    value: u64,
}

fn parse(text: &str) -> Result<Allowed, String> {
    let (name, value) = parse_pair(text)?;
    let Some(limit) = Limit::named(&name) else {
        let known: Vec<&str> = Limit::ALL.iter().map(|limit| limit.name).collect();
        return Err(format!("{name:?} is no limit; limits are {}", known.join(", ")));
    };
    Ok(Allowed { limit, value: limit.read(&value)? })
}

impl LimitsArgs {
    /// The sandbox with these limits.
    pub(crate) fn apply(&self, mut config: Config) -> Result<Config, Error> {
        set("--limit", &self.usual, &mut config.limits)?;
        set("--limit-max", &self.max, &mut config.limits_max)?;
        config
            .limits
            .check(&config.limits_max)
            .map_err(|why| Error::Usage(format!("--limit and --limit-max: {why}")))?;
        Ok(config)
    }
}

fn set(flag: &str, all: &[Allowed], limits: &mut Limits) -> Result<(), Error> {
    for (i, Allowed { limit, value }) in all.iter().enumerate() {
        if all[..i].iter().any(|before| before.limit.name == limit.name) {
            return Err(Error::Usage(format!("{flag} {limit} is given twice")));
        }
        limit.set(limits, *value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(usual: &[&str], max: &[&str]) -> Result<Config, String> {
        let all = |texts: &[&str]| texts.iter().map(|text| parse(text).unwrap()).collect();
        let args = LimitsArgs { usual: all(usual), max: all(max) };
        args.apply(Config::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_are_set_by_name_and_the_rest_stays() {
        let config = applied(&["memory=128MiB", "wall=1m"], &["memory=2GiB"]).unwrap();
        assert_eq!(config.limits.memory_bytes_max, 128 << 20);
        assert_eq!(config.limits.wall.as_secs(), 60);
        assert_eq!(config.limits.cpu, Limits::default().cpu);
        assert_eq!(config.limits_max.memory_bytes_max, 2 << 30);
        assert_eq!(config.limits_max.wall, Limits::MAX.wall);
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        let error = parse("mem=1").unwrap_err();
        for limit in Limit::ALL {
            assert!(error.contains(limit.name), "{error}");
        }
        assert!(parse("memory").unwrap_err().contains('='));
        assert!(parse("memory=lots").unwrap_err().contains("64KiB"));
    }

    #[test]
    fn a_default_above_the_maximum_and_a_name_given_twice_are_refused() {
        let error = applied(&["memory=2GiB"], &[]).unwrap_err();
        assert!(error.contains("memory: 2GiB") && error.contains("more than 1GiB"), "{error}");
        let error = applied(&[], &["wall=10s"]).unwrap_err();
        assert!(error.contains("wall: 30s") && error.contains("more than 10s"), "{error}");
        assert!(applied(&["wall=1s", "wall=2s"], &[]).unwrap_err().contains("given twice"));
    }
}
