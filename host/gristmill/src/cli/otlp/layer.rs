//! Takes spans of attempts, and of host calls in them, as they end.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use gristmill::JobId;
use gristmill::job::time::{Clock as _, SystemClock, monotonic};
use gristmill::job::trace;
use tokio::sync::mpsc::Sender;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::encode::{Kind, Span, SpanId, TraceId, Value};
use super::sampler::Sampler;

/// Host calls of one attempt that are told of. A job may make them by the million; the first ones show what it
/// does, and leave the queue to others.
const CALLS_MAX: u64 = 128;

/// The layer.
pub(crate) struct Spans {
    queue: Sender<Span>,
    /// Spans that the queue had no place for.
    lost: Arc<AtomicU64>,
    sampler: Sampler,
}

/// Which spans there are, whatever is logged.
pub(crate) fn filter() -> FilterFn {
    FilterFn::new(|metadata| metadata.is_span() && (is_attempt(metadata) || is_call(metadata)))
}

fn is_attempt(metadata: &Metadata<'_>) -> bool {
    metadata.name() == "attempt" && metadata.target().starts_with("gristmill_worker")
}

fn is_call(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("gristmill_runtime::capabilities")
}

impl Spans {
    pub(super) fn new(queue: Sender<Span>, lost: Arc<AtomicU64>, sampler: Sampler) -> Self {
        Self { queue, lost, sampler }
    }

    fn send(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A span that hasn't ended.
struct Open {
    /// Told by the attempt's job; its own trace, until another is named.
    trace: TraceId,
    id: SpanId,
    parent: Option<SpanId>,
    link: Option<SpanId>,
    /// What the job's producer wants, where the job is in a trace of somebody's.
    wanted: Option<bool>,
    name: String,
    kind: Kind,
    began: Instant,
    start: u64,
    calls: AtomicU64,
    attributes: Vec<(&'static str, Value)>,
    failure: Option<String>,
}

impl Open {
    fn of_attempt(attributes: &Attributes<'_>) -> Option<Self> {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let job: JobId = fields.text("job")?.parse().ok()?;
        let Some(Value::Number(attempt)) = fields.get("attempt") else { return None };
        let attempt = u32::try_from(*attempt).ok()?;
        let mut open = Self {
            trace: job.as_uuid().into_bytes(),
            id: hex(&trace::span_id(job, attempt))?,
            parent: None,
            link: (attempt > 1).then(|| hex(&trace::span_id(job, attempt - 1))).flatten(),
            wanted: None,
            name: format!("attempt {}", fields.text("plugin")?),
            kind: Kind::Consumer,
            began: monotonic(),
            start: SystemClock.now().as_millis().saturating_mul(1_000_000),
            calls: AtomicU64::new(0),
            attributes: Vec::new(),
            failure: None,
        };
        open.take(fields);
        Some(open)
    }

    /// Of a host call within another span; none, if there were too many.
    fn of_call(name: &str, above: &Self) -> Option<Self> {
        let number = above.calls.fetch_add(1, Ordering::Relaxed);
        if number >= CALLS_MAX {
            return None;
        }
        let kind = match name.split_once('.').map(|(of, _)| of) {
            Some("cache" | "http") => Kind::Client,
            Some("queue") => Kind::Producer,
            _ => Kind::Internal,
        };
        let began = monotonic();
        Some(Self {
            trace: above.trace,
            id: call_id(above.id, number),
            parent: Some(above.id),
            link: None,
            wanted: above.wanted,
            name: name.to_owned(),
            kind,
            began,
            start: above.at(began),
            calls: AtomicU64::new(0),
            attributes: Vec::new(),
            failure: None,
        })
    }

    /// In nanoseconds since the Unix epoch. Only the first of a trace's spans here asks the clock that can be set, so
    /// that what is within another is so by its times too.
    fn at(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.began).as_nanos();
        self.start.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// What is recorded of an attempt.
    fn take(&mut self, fields: Fields) {
        for (name, value) in fields.0 {
            match (name, &value) {
                ("trace_id", Value::Text(id)) => {
                    self.trace = hex(id).unwrap_or(self.trace);
                    self.wanted.get_or_insert(true);
                }
                ("parent_id", Value::Text(id)) => self.parent = hex(id),
                ("sampled", Value::Text(sampled)) => self.wanted = Some(sampled == "true"),
                ("job", _) => self.attributes.push(("gristmill.job.id", value)),
                ("plugin", _) => self.attributes.push(("gristmill.plugin", value)),
                ("function", _) => self.attributes.push(("gristmill.function", value)),
                ("attempt", _) => self.attributes.push(("gristmill.attempt", value)),
                ("outcome", _) => self.attributes.push(("gristmill.outcome", value)),
                ("code", Value::Text(code)) => {
                    self.failure = Some(code.clone());
                    self.attributes.push(("error.type", value));
                }
                _ => {}
            }
        }
    }

    fn ended(mut self) -> Span {
        let calls = self.calls.load(Ordering::Relaxed);
        if calls > CALLS_MAX {
            let more = Value::Number(calls - CALLS_MAX);
            self.attributes.push(("gristmill.calls.untold", more));
        }
        Span {
            end: self.at(monotonic()),
            trace: self.trace,
            id: self.id,
            parent: self.parent,
            link: self.link,
            name: self.name,
            kind: self.kind,
            start: self.start,
            attributes: self.attributes,
            failure: self.failure,
        }
    }
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let open = if is_attempt(attributes.metadata()) {
            Open::of_attempt(attributes)
        } else {
            span.parent().and_then(|above| {
                let extensions = above.extensions();
                let above = extensions.get::<Open>()?;
                let is_told = self.sampler.takes(above.trace, above.wanted);
                is_told.then(|| Open::of_call(attributes.metadata().name(), above)).flatten()
            })
        };
        if let Some(open) = open {
            span.extensions_mut().insert(open);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            let mut fields = Fields::default();
            record.record(&mut fields);
            open.take(fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let open = context.span(&id).and_then(|span| span.extensions_mut().remove::<Open>());
        if let Some(open) = open.filter(|open| self.sampler.takes(open.trace, open.wanted)) {
            self.send(open.ended());
        }
    }
}

/// What a span says of itself.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            Value::Number(_) => None,
        }
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), Value::Number(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), Value::Text(value.to_owned())));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        if write!(text, "{value:?}").is_ok() {
            self.0.push((field.name(), Value::Text(text)));
        }
    }
}

/// The id of a call's span: the attempt's, far enough from it and from the next. Spans of other attempts are as likely
/// to have it as any two ids by chance are to be the same.
fn call_id(above: SpanId, number: u64) -> SpanId {
    let step = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let id = u64::from_be_bytes(above).wrapping_add(step.rotate_left(29));
    // The format has no span 0.
    id.max(1).to_be_bytes()
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{Receiver, channel};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const JOB: &str = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";

    /// What comes of what is done meanwhile, and how much is lost, where so many spans have a place.
    fn spans(places: usize, done: impl FnOnce()) -> (Receiver<Span>, u64) {
        let (queue, spans) = channel(places);
        let lost = Arc::new(AtomicU64::new(0));
        let sampler = Sampler::named(None, None).unwrap();
        let layer = Spans::new(queue, Arc::clone(&lost), sampler).with_filter(filter());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), done);
        (spans, lost.load(Ordering::Relaxed))
    }

    fn attempt(number: u32) -> tracing::Span {
        tracing::debug_span!(
            target: "gristmill_worker::executor",
            "attempt",
            job = %JOB,
            plugin = %"echo",
            attempt = number,
        )
    }

    fn call() -> tracing::Span {
        tracing::trace_span!(target: "gristmill_runtime::capabilities::queue", "queue.enqueue")
    }

    #[test]
    fn a_full_queue_costs_spans_and_is_counted() {
        let (mut spans, lost) = spans(2, || (1..=5).for_each(|number| drop(attempt(number))));
        assert_eq!(lost, 3);
        let ids: Vec<SpanId> = std::iter::from_fn(|| spans.try_recv().ok()).map(|s| s.id).collect();
        let known: Option<Vec<SpanId>> = [1, 2]
            .map(|number| hex(&trace::span_id(JOB.parse().unwrap(), number)))
            .into_iter()
            .collect();
        assert_eq!(ids, known.unwrap(), "whoever knows the job knows the ids");
    }

    #[test]
    fn calls_are_told_of_within_attempts_alone() {
        let (mut spans, _) = spans(8, || {
            drop(call());
            attempt(1).in_scope(|| {
                tracing::info_span!("something else").in_scope(|| drop(call()));
                drop(call());
            });
        });
        let came: Vec<Span> = std::iter::from_fn(|| spans.try_recv().ok()).collect();
        let [first, second, attempt] = &came[..] else { panic!("{came:?}") };
        assert_eq!((first.name.as_str(), first.kind), ("queue.enqueue", Kind::Producer));
        assert_eq!((first.parent, second.parent), (Some(attempt.id), Some(attempt.id)));
        assert_ne!(first.id, second.id);
        assert_eq!(attempt.name, "attempt echo");
    }
}
