//! `gristmill serve`: the daemon.

mod control;
mod faults;
mod notify;
mod queues;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use gristmill::job::time::parse_duration;
use gristmill::runtime::{self, Allocator};
use gristmill::{Access, CancellationToken, Host, LEASE_MIN, LogObserver, Order, bind_with};
use tokio::net::TcpListener;

use self::control::{Certificate, Control, Wishes};
use self::notify::Manager;
use self::queues::QueuesArgs;
use super::access::AccessArgs;
use super::args::{PluginsArgs, RedisArgs};
use super::compile;
use super::config::Settings;
use super::error::Error;
use super::exit::Exit;
use super::log::Log;
use super::otlp::{self, OtlpArgs};
use super::output;
use super::signals::{Heard, Signals};

/// What a daemon logs if it isn't told.
pub(super) const LOG_LEVEL: &str = "info";

/// Run the daemon: take jobs over HTTP and run them
///
/// SIGTERM or Ctrl-C stops it: no more jobs are taken, running ones have their grace, the rest is
/// given back. A second signal ends it at once. SIGTSTP makes it quiet: it takes no more jobs until
/// SIGCONT. SIGHUP loads configuration, certificate and plugins again.
///
/// Without --redis-url, jobs are kept in memory and end with the daemon. With it, they are shared with
/// all daemons on that server; where the server can't be used at the start, memory takes its place,
/// with a warning, unless --require-redis is given.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill serve --plugins target/plugins &
  gristmill enqueue wordcount --input-file README.md --wait
  gristmill serve --redis-url redis://127.0.0.1:6379 --require-redis")]
pub(crate) struct Args {
    /// The address to listen on; port 0 takes a free one. One that other machines reach takes access
    /// tokens, and TLS
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "GRISTMILL_LISTEN",
        hide_env_values = true,
        default_value = "127.0.0.1:7430"
    )]
    listen: String,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    plugins: PluginsArgs,
    #[command(flatten)]
    redis: RedisArgs,
    /// Share plugins with all daemons on the same Redis server that have this flag: what is pushed to one,
    /// each fetches when a job asks for it. Whoever may write to that server says what plugins are granted
    /// here
    #[arg(
        long,
        env = "GRISTMILL_SHARE_PLUGINS",
        hide_env_values = true,
        value_parser = FalseyValueParser::new()
    )]
    share_plugins: bool,
    #[command(flatten)]
    queues: QueuesArgs,
    #[command(flatten)]
    otlp: OtlpArgs,
    /// How many attempts run at one time [default: 4 for each core]
    #[arg(long, value_name = "N", env = "GRISTMILL_CONCURRENCY", hide_env_values = true)]
    concurrency: Option<usize>,
    /// Keep this process's memory from being swapped out, which makes attempts faster on a machine with swap;
    /// takes the right to lock as much as is reserved
    #[arg(long, env = "GRISTMILL_LOCK_MEMORY", hide_env_values = true, value_parser = FalseyValueParser::new())]
    lock_memory: bool,
    /// How long the jobs of a daemon that died wait for another one; at least 1s
    #[arg(
        long,
        value_name = "DURATION",
        env = "GRISTMILL_LEASE",
        hide_env_values = true,
        default_value = "10s",
        value_parser = parse_lease
    )]
    lease: Duration,
    /// How long running jobs may go on once the daemon is told to stop
    #[arg(
        long,
        value_name = "DURATION",
        env = "GRISTMILL_GRACE",
        hide_env_values = true,
        default_value = "10s",
        value_parser = parse_duration
    )]
    grace: Duration,
    /// A file, or a named pipe, that is given the daemon's address in one line once it listens
    #[arg(long, value_name = "PATH", env = "GRISTMILL_READY_FILE", hide_env_values = true)]
    ready_file: Option<PathBuf>,
    /// Run jobs, and serve nothing but health and metrics
    #[arg(long, env = "GRISTMILL_WORKERS_ONLY", hide_env_values = true, value_parser = FalseyValueParser::new())]
    workers_only: bool,
    /// Take jobs, and leave it to other daemons on the same Redis server to run them
    #[arg(
        long,
        env = "GRISTMILL_API_ONLY",
        hide_env_values = true,
        value_parser = FalseyValueParser::new(),
        conflicts_with = "workers_only"
    )]
    api_only: bool,
    /// The file with what flags and environment don't say [default: gristmill.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "GRISTMILL_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Tell everything that is wrong with the configuration, and don't start
    #[arg(long)]
    check_config: bool,
}

impl Args {
    /// Where spans are sent, if they are. What is wrong with it is told with everything else.
    pub(super) fn spans(&self) -> Option<otlp::Settings> {
        if self.check_config { None } else { self.otlp.settings().ok().flatten() }
    }
}

fn parse_lease(text: &str) -> Result<Duration, String> {
    let lease = parse_duration(text)?;
    if lease < LEASE_MIN {
        return Err(format!("the shortest lease is {LEASE_MIN:?}"));
    }
    Ok(lease)
}

pub(crate) async fn run(args: Args, log: &Log, settings: Settings) -> Result<Exit, Error> {
    let faults = args.faults().await;
    if !faults.is_empty() {
        return Err(Error::Faults(faults));
    }
    if args.check_config {
        output::text("the configuration is fine")?;
        return Ok(Exit::Completed);
    }
    let access = args.access.access()?;
    let listener = bind_with(&args.listen, &access).await.map_err(gristmill::Error::from)?;
    let address = listener.local_addr().map_err(Error::Threads)?;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let host = host(&args, &stop, &abort).await?;
    log_set_up(&host).await?;
    // Without the folder it would wait for plugins that nobody meant; they are loaded in the background.
    host.plugin_names().await?;

    let (signals, wishes) = (Signals::listen(stop, abort.clone())?, Wishes::listen()?);
    let manager = Manager::named();
    if args.api_only {
        host.follow_plugins()
    } else {
        host.start()
    }
    let url = format!("{}://{address}", args.access.scheme());
    tracing::info!("listening on {url}");
    let certificate = Certificate::of(&args, &access);
    if let Some(path) = args.ready_file {
        announce(path, url);
    }
    let control = Control { host: &host, manager: &manager, log, settings, certificate };
    tokio::select! {
        served = serve_until_done(&host, listener, access, &abort, &manager) => served?,
        () = control.obey(wishes) => {}
        () = manager.reassure(&host) => {}
    }
    let summary = host.shutdown().await?;
    tracing::info!(settled = summary.settled, released = summary.released, "the daemon has ended");
    Ok(match signals.heard() {
        Some(Heard::Interrupt) => Exit::Interrupted,
        Some(Heard::Terminate) | None => Exit::Completed,
    })
}

async fn host(
    args: &Args,
    stop: &CancellationToken,
    abort: &CancellationToken,
) -> Result<Host, Error> {
    let allocator = args.lock_memory.then_some(Allocator::PooledAndLocked);
    let sandbox = compile::sandbox(args.redis.state_dir.as_deref());
    let builder = args.plugins.builder_with(runtime::Config { allocator, ..sandbox })?;
    let builder = builder.lease(args.lease).grace(args.grace);
    let mut builder = builder.queues(args.queues.shares()?).order(Order::from(args.queues.order));
    if let Some(concurrency) = args.concurrency {
        builder = builder.concurrency(concurrency);
    }
    let builder = builder.shutdown_token(stop.clone()).abort_token(abort.clone());
    let builder = args.redis.apply(builder).observer(LogObserver).work_only(args.workers_only);
    let builder = builder.share_plugins(args.share_plugins);
    // Jobs that it took into its own memory nobody would ever run.
    let builder = if args.api_only { builder.require_redis(true) } else { builder };
    Ok(builder.build().await?)
}

/// Serves until the worker has ended, so that clients hear what became of the last jobs too.
async fn serve_until_done(
    host: &Host,
    listener: TcpListener,
    access: Access,
    abort: &CancellationToken,
    manager: &Manager,
) -> Result<(), Error> {
    let closing = CancellationToken::new();
    let serving = host.serve_with(listener, access, closing.clone());
    tokio::pin!(serving);
    manager.ready();
    let stopping = async {
        host.stopping().cancelled().await;
        manager.stopping();
        tracing::info!(
            "stopping: running jobs have their grace; a second signal ends them at once"
        );
    };
    let ended = async {
        tokio::select! {
            // An idle worker may have ended before this is asked; that the daemon stops is told anyway.
            biased;
            () = stopping => if host.is_started() { host.ended().cancelled().await },
            // The worker may also end by a fault of its own.
            () = host.ended().cancelled() => {}
        }
    };
    let served = tokio::select! {
        served = &mut serving => served,
        () = ended => {
            closing.cancel();
            tokio::select! {
                served = &mut serving => served,
                () = abort.cancelled() => Ok(()),
            }
        }
    };
    Ok(served?)
}

async fn log_set_up(host: &Host) -> Result<(), Error> {
    let info = host.info().await?;
    let (queue, cache) = (&info.queue, &info.cache);
    tracing::info!(
        "gristmill {}: queue {} ({}), cache {}",
        info.version,
        queue.backend,
        queue.note.as_deref().unwrap_or_default(),
        cache.backend
    );
    let engine = &info.engine;
    let note = engine.note.as_deref().map(|note| format!(" ({note})")).unwrap_or_default();
    tracing::info!("allocator {}{note}, {} slots", engine.allocator, engine.slots);
    Ok(())
}

/// Tells the address to whoever started the daemon. Opening a pipe waits for its reader, so nothing
/// waits for this.
fn announce(path: PathBuf, url: String) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = std::fs::write(&path, format!("{url}\n")) {
            tracing::warn!("--ready-file {} can't be written: {error}", path.display());
        }
    });
}
