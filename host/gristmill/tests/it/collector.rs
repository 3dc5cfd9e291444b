//! A collector of spans, as far as a test needs one, and what it reads out of a request of OTLP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a test waits for spans before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A collector on a free port.
pub(crate) struct Collector {
    pub(crate) url: String,
    requests: Receiver<Request>,
}

struct Request {
    head: String,
    body: Vec<u8>,
}

/// A span that came, with ids in hexadecimal digits.
#[derive(Debug, Default)]
pub(crate) struct Came {
    pub(crate) service: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) link: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) status: u64,
    attributes: Vec<(String, String)>,
}

impl Came {
    pub(crate) fn said(&self, wanted: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (came, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // The test may have ended by then.
                if came.send(take(stream.unwrap())).is_err() {
                    return;
                }
            }
        });
        Self { url, requests }
    }

    /// The spans that come until these are enough.
    #[track_caller]
    pub(crate) fn until(&self, is_enough: impl Fn(&[Came]) -> bool) -> Vec<Came> {
        let mut spans = Vec::new();
        while !is_enough(&spans) {
            let request = self.requests.recv_timeout(PATIENCE);
            let request = request.unwrap_or_else(|_| panic!("no more than {spans:?}"));
            assert!(request.head.starts_with("POST /v1/traces HTTP/1.1"), "{}", request.head);
            assert!(request.head.contains("application/x-protobuf"), "{}", request.head);
            spans.extend(spans_of(&request.body));
        }
        spans
    }
}

fn take(stream: TcpStream) -> Request {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let length = head.to_lowercase();
    let length = length.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.get_mut().write_all(answer.as_bytes()).unwrap();
    Request { head, body }
}

fn spans_of(request: &[u8]) -> Vec<Came> {
    let mut spans = Vec::new();
    for of_process in messages(request, 1) {
        let about = messages(of_process, 1).flat_map(|about| messages(about, 1)).map(attribute);
        let service = about.filter(|(key, _)| key == "service.name").map(|(_, value)| value);
        let service: String = service.collect();
        for span in messages(of_process, 2).flat_map(|scope| messages(scope, 2)) {
            spans.push(Came { service: service.clone(), ..came(span) });
        }
    }
    spans
}

fn came(span: &[u8]) -> Came {
    let mut came = Came::default();
    for (field, value) in fields(span) {
        match (field, value) {
            (1, Field::Bytes(id)) => came.trace = hex(id),
            (2, Field::Bytes(id)) => came.id = hex(id),
            (4, Field::Bytes(id)) => came.parent = hex(id),
            (5, Field::Bytes(name)) => came.name = text(name),
            (6, Field::Number(kind)) => came.kind = kind,
            (7, Field::Number(start)) => came.start = start,
            (8, Field::Number(end)) => came.end = end,
            (9, Field::Bytes(pair)) => came.attributes.push(attribute(pair)),
            (13, Field::Bytes(link)) => came.link = messages(link, 2).map(hex).collect(),
            (15, Field::Bytes(status)) => came.status = number(status, 3),
            other => panic!("nobody sends {other:?}"),
        }
    }
    came
}

fn attribute(pair: &[u8]) -> (String, String) {
    let key = messages(pair, 1).map(text).collect();
    let value = messages(pair, 2)
        .map(|any| messages(any, 1).map(text).next().unwrap_or_else(|| number(any, 3).to_string()));
    (key, value.collect())
}

#[derive(Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message of protobuf.
fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = match key & 7 {
            0 => Field::Number(varint(&mut message)),
            1 => Field::Number(u64::from_le_bytes(cut(&mut message, 8).try_into().unwrap())),
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                Field::Bytes(cut(&mut message, length))
            }
            other => panic!("nobody writes fields of kind {other}"),
        };
        fields.push((key >> 3, value));
    }
    fields
}

fn cut<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (value, rest) = message.split_at(length);
    *message = rest;
    value
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut number = 0;
    for place in 0.. {
        let byte = cut(message, 1)[0];
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte < 0x80 {
            break;
        }
    }
    number
}

fn messages(message: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).into_iter().filter_map(move |(field, value)| match value {
        Field::Bytes(bytes) if field == wanted => Some(bytes),
        _ => None,
    })
}

fn number(message: &[u8], wanted: u64) -> u64 {
    let mut numbers = fields(message).into_iter().filter_map(|(field, value)| match value {
        Field::Number(number) if field == wanted => Some(number),
        _ => None,
    });
    numbers.next().unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
