//! `gristmill info`: what a host says of itself.

use clap::builder::FalseyValueParser;
use gristmill::{Info, LimitsView};

use super::access::CredentialArgs;
use super::args::{PluginsArgs, RedisArgs};
use super::error::Error;
use super::exit::Exit;
use super::output;
use super::report::{aligned, bytes, micros};

/// Show version, back-ends, engine, plugins and limits
///
/// Needs no daemon: it tells what `gristmill serve` would use here. With --server, it asks a daemon.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill info --json")]
pub(crate) struct Args {
    #[command(flatten)]
    plugins: PluginsArgs,
    #[command(flatten)]
    redis: RedisArgs,
    /// Ask the daemon at this address
    #[arg(long, value_name = "URL", env = "GRISTMILL_SERVER", hide_env_values = true)]
    server: Option<String>,
    #[command(flatten)]
    credentials: CredentialArgs,
    /// Ask the daemon nothing but whether it serves, which takes no token: for health checks
    #[arg(long, requires = "server")]
    health: bool,
    /// Print it as JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    if let (Some(server), true) = (&args.server, args.health) {
        args.credentials.client(server)?.health().await?;
        output::text("it serves")?;
        return Ok(Exit::Completed);
    }
    let info = match &args.server {
        Some(server) => args.credentials.client(server)?.info().await?,
        None => {
            let builder = args.plugins.builder(args.redis.state_dir.as_deref())?;
            let host = args.redis.apply(builder).build().await?;
            let info = host.info().await?;
            host.shutdown().await?;
            info
        }
    };
    if args.json {
        output::json(&info)?;
    } else {
        output::text(&shown(&info))?;
    }
    Ok(Exit::Completed)
}

fn shown(info: &Info) -> String {
    let noted = |text: &str, note: &Option<String>| match note {
        Some(note) => format!("{text} ({note})"),
        None => text.to_owned(),
    };
    let yes_or_no = |yes: bool| if yes { "yes" } else { "no" };
    let dir = info.plugins.dir.as_deref().unwrap_or("no folder");
    let engine = &info.engine;
    let allocator = noted(&engine.allocator, &engine.note);
    let mut rows = vec![
        ("version", info.version.clone()),
        ("queue", noted(&info.queue.backend, &info.queue.note)),
        ("cache", noted(&info.cache.backend, &info.cache.note)),
        ("durable", yes_or_no(info.durable).to_owned()),
        ("degraded", noted(yes_or_no(info.degraded), &info.degraded_reason)),
        ("allocator", allocator),
        ("slots", engine.slots.to_string()),
        ("plugins", format!("{} in {dir}", info.plugins.count)),
    ];
    rows.extend(limits(&info.limits));
    aligned(&rows)
}

/// What each attempt is allowed.
pub(crate) fn limits(limits: &LimitsView) -> Vec<(&'static str, String)> {
    let millis = |millis: u64| micros(millis.saturating_mul(1_000));
    vec![
        ("memory", bytes(limits.memory_bytes)),
        ("wall", millis(limits.wall_ms)),
        ("cpu", millis(limits.cpu_ms)),
        ("input", bytes(limits.input_bytes)),
        ("result", bytes(limits.result_bytes)),
        ("log", format!("{} or {} lines", bytes(limits.log_bytes), limits.log_lines)),
        ("cache ops", format!("{} and {}", limits.cache_ops, bytes(limits.cache_bytes))),
        ("follow-ups", limits.follow_ups.to_string()),
        ("host calls", limits.host_calls.to_string()),
    ]
}
