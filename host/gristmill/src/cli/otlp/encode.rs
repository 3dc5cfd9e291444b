//! A request of OTLP: `ExportTraceServiceRequest` of `opentelemetry/proto/collector/trace/v1`, in protobuf.

/// The id of a trace.
pub(super) type TraceId = [u8; 16];
/// The id of a span.
pub(super) type SpanId = [u8; 8];

/// What a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Work inside the process.
    Internal = 1,
    /// A question to another system.
    Client = 3,
    /// A job that is enqueued.
    Producer = 4,
    /// A job that is run.
    Consumer = 5,
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) trace: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    /// A span of the same trace that it goes on from.
    pub(super) link: Option<SpanId>,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// In nanoseconds since the Unix epoch.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// What went wrong.
    pub(super) failure: Option<String>,
}

/// `STATUS_CODE_ERROR`.
const FAILED: u64 = 2;
/// Who made the spans, as an instrumentation scope.
const SCOPE: &str = "gristmill";

/// A request with these spans of one process.
pub(super) fn request(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let mut about = Message::default();
    for (key, value) in resource {
        about.message(1, &attribute(key, &Value::Text(value.clone())));
    }
    let mut scope = Message::default();
    scope.text(1, SCOPE);
    let mut of_scope = Message::default();
    of_scope.message(1, &scope);
    for span in spans {
        of_scope.message(2, &self::span(span));
    }
    let mut of_resource = Message::default();
    of_resource.message(1, &about);
    of_resource.message(2, &of_scope);
    let mut request = Message::default();
    request.message(1, &of_resource);
    request.0
}

fn span(span: &Span) -> Message {
    let mut message = Message::default();
    message.bytes(1, &span.trace);
    message.bytes(2, &span.id);
    if let Some(parent) = &span.parent {
        message.bytes(4, parent);
    }
    message.text(5, &span.name);
    message.number(6, span.kind as u64);
    message.fixed(7, span.start);
    message.fixed(8, span.end);
    for (key, value) in &span.attributes {
        message.message(9, &attribute(key, value));
    }
    if let Some(earlier) = &span.link {
        let mut link = Message::default();
        link.bytes(1, &span.trace);
        link.bytes(2, earlier);
        message.message(13, &link);
    }
    if let Some(failure) = &span.failure {
        let mut status = Message::default();
        status.text(2, failure);
        status.number(3, FAILED);
        message.message(15, &status);
    }
    message
}

fn attribute(key: &str, value: &Value) -> Message {
    let mut any = Message::default();
    match value {
        Value::Text(text) => any.text(1, text),
        Value::Number(number) => any.number(3, *number),
    }
    let mut pair = Message::default();
    pair.text(1, key);
    pair.message(2, &any);
    pair
}

/// A message of protobuf, as far as it is written.
#[derive(Default)]
struct Message(Vec<u8>);

/// How a field's value is written.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3 | VARINT);
        self.varint(number);
    }

    fn fixed(&mut self, field: u64, number: u64) {
        self.varint(field << 3 | FIXED64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the generated code of opentelemetry-proto 1.45 for Python makes of the same span.
    const AS_OTHERS_WRITE_IT: &str = concat!(
        "0adb010a1d0a1b0a0c736572766963652e6e616d65120b0a0967726973746d696c6c12b9010a0b0a09677269",
        "73746d696c6c12a9010a100af7651916cd43dd8448eb211c80319c120801020304050607082208b7ad6b7169",
        "2033312a0c617474656d7074206563686f30053901002a36fe9c97174180b21045fe9c97174a1a0a10677269",
        "73746d696c6c2e706c7567696e12060a046563686f4a180a1167726973746d696c6c2e617474656d70741203",
        "18ac026a1c0a100af7651916cd43dd8448eb211c80319c120809090909090909097a0b120774726170706564",
        "1802",
    );

    fn a_span() -> Span {
        Span {
            trace: *b"\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c",
            id: [1, 2, 3, 4, 5, 6, 7, 8],
            parent: Some([0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]),
            link: Some([9; 8]),
            name: "attempt echo".to_owned(),
            kind: Kind::Consumer,
            start: 1_700_000_000_000_000_001,
            end: 1_700_000_000_250_000_000,
            attributes: vec![
                ("gristmill.plugin", Value::Text("echo".to_owned())),
                ("gristmill.attempt", Value::Number(300)),
            ],
            failure: Some("trapped".to_owned()),
        }
    }

    #[test]
    fn a_request_is_what_others_write_for_the_same_span() {
        let resource = [("service.name".to_owned(), "gristmill".to_owned())];
        let written = request(&resource, &[a_span()]);
        let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, AS_OTHERS_WRITE_IT);
    }
}
