//! A line of the log as a JSON object, for programs.
//!
//! Made here, since the package that could do it asks for features that the engine would have to be built again
//! with.

use std::fmt;

use gristmill::job::{Clock as _, SystemClock};
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Keeps what a span knows as an object each time that something is recorded, a line each.
pub(super) struct SpanFields;

impl<'writer> FormatFields<'writer> for SpanFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        writeln!(writer, "{}", recorded(|members| fields.record(members)))
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

/// Writes events: time, level, target, message, fields, and the spans that it is in, outermost first.
pub(super) struct Lines;

impl<S> FormatEvent<S, SpanFields> for Lines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, SpanFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Members(mut fields) = recorded(|members| event.record(members));
        let metadata = event.metadata();
        let mut line = json!({
            "timestamp": SystemClock.now().to_string(),
            "level": metadata.level().as_str(),
            "target": metadata.target(),
            "message": fields.remove("message").unwrap_or_default(),
        });
        if !fields.is_empty() {
            line["fields"] = Value::Object(fields);
        }
        let scope = context.event_scope().into_iter().flat_map(|scope| scope.from_root());
        let spans: Vec<Value> = scope
            .map(|span| {
                let mut known = Map::new();
                known.insert("name".to_owned(), span.name().into());
                let extensions = span.extensions();
                let kept = extensions.get::<FormattedFields<SpanFields>>();
                for line in kept.into_iter().flat_map(|kept| kept.fields.lines()) {
                    known.extend(serde_json::from_str::<Map<_, _>>(line).unwrap_or_default());
                }
                Value::Object(known)
            })
            .collect();
        if !spans.is_empty() {
            line["spans"] = Value::Array(spans);
        }
        writeln!(writer, "{line}")
    }
}

/// Fields as members of an object.
#[derive(Default)]
struct Members(Map<String, Value>);

fn recorded(record: impl FnOnce(&mut dyn Visit)) -> Members {
    let mut members = Members::default();
    record(&mut members);
    members
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl Members {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_message_fields_and_the_spans_around_it() {
        let shared = Shared::default();
        let writer = shared.clone();
        let lines = tracing_subscriber::fmt()
            .fmt_fields(SpanFields)
            .event_format(Lines)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(lines, || {
            let span = tracing::info_span!("attempt", attempt = 2, late = tracing::field::Empty);
            span.record("late", "here \"it\" is\n");
            let _inside = span.enter();
            tracing::warn!(code = %"E1", ready = true, "it {}", "broke\u{1b}[2J");
        });
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(&text).unwrap();
        assert!(line["timestamp"].take().as_str().unwrap().ends_with('Z'));
        line["target"].take();
        let span = json!({ "name": "attempt", "attempt": 2, "late": "here \"it\" is\n" });
        assert_eq!(
            line,
            json!({
                "timestamp": null,
                "level": "WARN",
                "target": null,
                "message": "it broke\u{1b}[2J",
                "fields": { "code": "E1", "ready": true },
                "spans": [span],
            })
        );
    }
}
