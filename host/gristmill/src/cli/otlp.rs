//! Traces for whoever collects them: what attempts and their host calls took, by OTLP over HTTP.
//!
//! [`Spans`] is a layer beside the log that takes spans of attempts as they end, whatever is logged. It hands them to
//! the [`Exporter`], a task that sends them in batches. Between the two is a bounded queue: a collector that is slow or
//! gone costs spans, and never a job its time. Without an endpoint neither is there.
//!
//! The requests are written by [`encode`]; docs/decisions.md says why not by the usual crates.

mod encode;
mod layer;
mod sampler;
mod sender;
mod settings;

pub(crate) use self::layer::{Spans, filter};
pub(crate) use self::sender::Exporter;
pub(crate) use self::settings::{OtlpArgs, Settings};

use super::error::Error;

/// Both ends of the queue.
pub(crate) fn connect(settings: Settings) -> Result<(Spans, Exporter), Error> {
    let (queue, spans) = tokio::sync::mpsc::channel(sender::QUEUE_MAX);
    let sampler = settings.sampler;
    let (exporter, lost) = Exporter::new(settings, spans)?;
    Ok((Spans::new(queue, lost, sampler), exporter))
}
