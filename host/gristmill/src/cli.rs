//! The commands, and what they share.
//!
//! A command answers how its work came out ([`Exit`]), or why it couldn't be done
//! ([`Error`](error::Error)); [`exit`] is the one place that makes exit codes of both. [`output`] is
//! the one place that writes to the terminal: stdout carries the result and nothing else.

mod access;
mod args;
mod bench;
mod build;
mod cache;
mod compile;
mod completions;
mod config;
mod dev;
mod doctor;
mod door;
mod enqueue;
mod error;
mod exit;
mod fsck;
mod info;
mod input;
mod job;
mod jobs;
mod limits;
mod lines;
mod log;
mod manual;
mod new;
mod observe;
mod otlp;
mod output;
mod plugin;
mod progress;
mod queue;
mod report;
mod run;
mod sdk;
mod serve;
mod signals;
mod test;
mod wait;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::config::Settings;
use self::error::Error;
use self::exit::Exit;
use self::log::Log;

/// Runs background jobs that are WebAssembly components, each in a sandbox of its own.
#[derive(Parser)]
#[command(
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 completed; 1 the job ended in any other way, or doesn't exist, or a \
                  check found faults; 2 wrong use, configuration or input; 3 the component can't be \
                  used; 4 the server or Redis can't be reached; 124 timed out; 130 interrupted.\n\n\
                  Example:\n  gristmill run target/plugins/wordcount.wasm --input-file README.md"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What is logged to stderr: error, warn, info, debug, trace, or TARGET=LEVEL,… [default: info
    /// for serve, else warn]
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        env = "GRISTMILL_LOG",
        hide_env_values = true
    )]
    log: Option<String>,
    /// What a line of the log looks like
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        env = "GRISTMILL_LOG_FORMAT",
        hide_env_values = true,
        default_value = "pretty"
    )]
    log_format: log::Format,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Test(test::Args),
    Serve(serve::Args),
    Enqueue(enqueue::Args),
    Job(job::Args),
    Jobs(jobs::Args),
    Queue(queue::Args),
    Worker(worker::Args),
    Cache(cache::Args),
    Plugin(plugin::Args),
    New(new::Args),
    Build(build::Args),
    Dev(dev::Args),
    Info(info::Args),
    Bench(bench::Args),
    Doctor(doctor::Args),
    Fsck(fsck::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Manual(manual::Args),
    #[command(hide = true)]
    CompilePlugin(compile::Args),
}

/// Parses, runs, and answers with the exit code.
pub(crate) fn main() -> ExitCode {
    // Wrong use ends in here, with clap's message and exit code 2.
    match config::parse() {
        Ok((Cli { command: Command::CompilePlugin(args), .. }, _)) => compile::run(&args),
        Ok((cli, settings)) => exit::code(begin(cli, settings)),
        Err(error) => exit::code(Err(error)),
    }
}

/// Threads of the control plane, which needs little: guests have threads of their own.
const CONTROL_THREADS: usize = 2;

/// What the control plane runs on.
fn control_runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("gristmill-control")
        .enable_all()
        .build()
        .map_err(Error::Threads)
}

fn begin(cli: Cli, settings: Settings) -> Result<Exit, Error> {
    let usual = if matches!(cli.command, Command::Serve(_)) { serve::LOG_LEVEL } else { "warn" };
    let sent = match &cli.command {
        Command::Serve(args) => args.spans(),
        _ => None,
    };
    let (spans, exporter) = sent.map(otlp::connect).transpose()?.unzip();
    let log = Log::start(cli.log.as_deref().unwrap_or(usual), cli.log_format, spans)?;
    let control = control_runtime()?;
    let exporter = exporter.map(|exporter| exporter.start(control.handle()));
    let ended = control.block_on(dispatch(cli.command, &log, settings));
    if let Some(exporter) = exporter {
        control.block_on(exporter.finish());
    }
    // What may still be running is a read of a file that nobody waits for any more.
    control.shutdown_background();
    ended
}

async fn dispatch(command: Command, log: &Log, settings: Settings) -> Result<Exit, Error> {
    match command {
        Command::Run(args) => run::run(args).await,
        Command::Test(args) => test::run(args).await,
        Command::Serve(args) => serve::run(args, log, settings).await,
        Command::Enqueue(args) => enqueue::run(args).await,
        Command::Job(args) => job::run(args).await,
        Command::Jobs(args) => jobs::run(args).await,
        Command::Queue(args) => queue::run(args).await,
        Command::Worker(args) => worker::run(args).await,
        Command::Cache(args) => cache::run(args).await,
        Command::Plugin(args) => plugin::run(args).await,
        Command::New(args) => new::run(&args),
        Command::Build(args) => build::run(args).await,
        Command::Dev(args) => dev::run(args).await,
        Command::Info(args) => info::run(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Fsck(args) => fsck::run(args).await,
        Command::Completions(args) => completions::run(&args),
        Command::Manual(args) => manual::run(&args),
        Command::CompilePlugin(_) => Err(Error::Usage("it is a command of its own".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    mod book;

    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_commands_are_well_formed_and_each_has_an_example() {
        let mut cli = Cli::command();
        cli.build();
        cli.clone().debug_assert();
        check_examples(&cli);
    }

    fn check_examples(command: &clap::Command) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let name = command.get_name();
        assert!(help.contains("Example:\n  gristmill "), "{name} has no example");
        command.get_subcommands().for_each(check_examples);
    }
}
