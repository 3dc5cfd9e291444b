//! What is logged to stderr, how much of it, and in which form.

mod json;

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::error::Error;
use super::otlp;

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
    pub(crate) fn start(
        level: &str,
        format: Format,
        spans: Option<otlp::Spans>,
    ) -> Result<Self, Error> {
        let filter = EnvFilter::try_new(level)
            .map_err(|error| Error::Usage(format!("--log {level:?} can't be read: {error}")))?;
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let Some(spans) = spans else { return Ok(Self::alone(filter, format, colours)) };
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_span_events(FmtSpan::CLOSE);
        Ok(match format {
            Format::Pretty => {
                Self::beside(spans, filter, lines.with_ansi(colours).with_target(false))
            }
            Format::Json => {
                let lines = lines.fmt_fields(json::SpanFields).event_format(json::Lines);
                Self::beside(spans, filter, lines)
            }
        })
    }

    /// With nobody else who wants spans: what isn't logged isn't made, and costs nothing.
    fn alone(filter: EnvFilter, format: Format, colours: bool) -> Self {
        let lines =
            tracing_subscriber::fmt().with_writer(std::io::stderr).with_span_events(FmtSpan::CLOSE);
        match format {
            Format::Pretty => {
                let lines = lines.with_ansi(colours).with_target(false);
                let lines = lines.with_env_filter(filter).with_filter_reloading();
                let handle = lines.reload_handle();
                lines.init();
                Self::over(handle)
            }
            Format::Json => {
                let lines = lines.fmt_fields(json::SpanFields).event_format(json::Lines);
                let lines = lines.with_env_filter(filter).with_filter_reloading();
                let handle = lines.reload_handle();
                lines.init();
                Self::over(handle)
            }
        }
    }

    /// Beside spans that are sent elsewhere, whatever is logged.
    fn beside<L>(spans: otlp::Spans, filter: EnvFilter, lines: L) -> Self
    where
        L: Layer<Registry> + Send + Sync,
    {
        let (filter, handle) = reload::Layer::new(filter);
        let lines = lines.with_filter(filter);
        let spans = spans.with_filter(otlp::filter());
        tracing_subscriber::registry().with(lines).with(spans).init();
        Self::over(handle)
    }

    fn over<S: 'static>(handle: Handle<EnvFilter, S>) -> Self {
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
