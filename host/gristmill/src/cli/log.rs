//! What is logged to stderr, how much of it, and in which form.

mod json;

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::Formatter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::reload::Handle;

use super::error::Error;

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Pretty,
    /// An object a line, for programs
    Json,
}

/// The log, whose level can be changed.
pub(crate) struct Log(Box<SetLevel>);

type SetLevel = dyn Fn(&str) -> Result<(), String> + Send + Sync;

impl Log {
    /// Begins to log. Spans are logged when they end, with their time.
    pub(crate) fn start(level: &str, format: Format) -> Result<Self, Error> {
        let filter = EnvFilter::try_new(level)
            .map_err(|error| Error::Usage(format!("--log {level:?} can't be read: {error}")))?;
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Ok(match format {
            Format::Pretty => {
                let lines = tracing_subscriber::fmt()
                    .with_ansi(colours)
                    .with_target(false)
                    .with_writer(std::io::stderr)
                    .with_span_events(FmtSpan::CLOSE)
                    .with_env_filter(filter)
                    .with_filter_reloading();
                let handle = lines.reload_handle();
                lines.init();
                Self::over(handle)
            }
            Format::Json => {
                let lines = tracing_subscriber::fmt()
                    .with_span_events(FmtSpan::CLOSE)
                    .fmt_fields(json::SpanFields)
                    .event_format(json::Lines)
                    .with_writer(std::io::stderr)
                    .with_env_filter(filter)
                    .with_filter_reloading();
                let handle = lines.reload_handle();
                lines.init();
                Self::over(handle)
            }
        })
    }

    fn over<N, E, W>(handle: Handle<EnvFilter, Formatter<N, E, W>>) -> Self
    where
        Formatter<N, E, W>: Send + Sync + 'static,
    {
        Self(Box::new(move |level| {
            let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
            handle.reload(filter).map_err(|error| error.to_string())
        }))
    }

    /// Logs so much from now on.
    pub(crate) fn set(&self, level: &str) -> Result<(), String> {
        (self.0)(level)
    }
}
