//! Sends what it is told to by `wasi:http`, as a guest does that was written for no host in particular.

use gristmill_guest::prelude::*;
use serde::{Deserialize, Serialize};
use wasip2::{
    http::{
        outgoing_handler::handle,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, IncomingBody, Method, OutgoingBody,
            OutgoingRequest, RequestOptions, Scheme, http_error_code,
        },
    },
    io::{
        poll,
        streams::{InputStream, OutputStream, StreamError},
    },
};

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    method: Option<String>,
    #[serde(default = "http")]
    scheme: String,
    authority: String,
    #[serde(default = "root")]
    path: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    /// How often the body is written.
    #[serde(default = "once")]
    times: usize,
    /// The request is handed over before its body is written.
    #[serde(default)]
    early: bool,
    /// Nothing is finished.
    #[serde(default)]
    unfinished: bool,
    first_byte_ms: Option<u64>,
    between_bytes_ms: Option<u64>,
}

fn http() -> String {
    "http".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

fn once() -> usize {
    1
}

#[derive(Serialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The code of what went wrong, in words.
type Came<T> = Result<T, String>;

/// Sends requests one after another, and gives the responses, or the codes of errors.
#[job]
fn one_by_one(input: Vec<Call>) -> JobResult<Vec<Came<Answer>>> {
    Ok(input.iter().map(|call| received(sent(call)?)).collect())
}

/// Sends requests all at once, and gives the responses, or the codes of errors.
#[job]
fn all_at_once(input: Vec<Call>) -> JobResult<Vec<Came<Answer>>> {
    let sent: Vec<_> = input.iter().map(sent).collect();
    Ok(sent.into_iter().map(|sent| received(sent?)).collect())
}

/// Asks again and again for the response instead of waiting for it.
#[job]
fn busily(input: Call) -> JobResult<u16> {
    let exchange = sent(&input).map_err(JobError::fatal)?;
    loop {
        if let Some(came) = exchange.get() {
            let came = came.map_err(|()| JobError::fatal("taken"))?;
            return Ok(came.map_err(|code| JobError::fatal(format!("{code:?}")))?.status());
        }
    }
}

/// Holds on to as many bytes of headers as it is told to.
#[job]
fn hoard(input: usize) -> JobResult<usize> {
    let mut held = Vec::new();
    for _ in 0..input / 1024 {
        let fields = Fields::new();
        fields.append("x", &[b'x'; 1024]).map_err(|error| JobError::fatal(error.to_string()))?;
        held.push(fields);
    }
    Ok(held.len())
}

fn sent(call: &Call) -> Came<FutureIncomingResponse> {
    let fields = Fields::new();
    for (name, value) in &call.headers {
        fields.append(name, value.as_bytes()).map_err(|error| format!("{error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    if let Some(method) = &call.method {
        let method = match method.as_str() {
            "POST" => Method::Post,
            "CONNECT" => Method::Connect,
            other => Method::Other(other.to_owned()),
        };
        request.set_method(&method).map_err(|()| "method")?;
    }
    let scheme = match call.scheme.as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request.set_authority(Some(&call.authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(&call.path)).map_err(|()| "path")?;
    let options = RequestOptions::new();
    let nanos = |millis: Option<u64>| millis.map(|millis| millis * 1_000_000);
    options.set_first_byte_timeout(nanos(call.first_byte_ms)).map_err(|()| "timeout")?;
    options.set_between_bytes_timeout(nanos(call.between_bytes_ms)).map_err(|()| "timeout")?;
    let Some(text) = &call.body else { return handled(request, options) };
    let body = request.body().map_err(|()| "body")?;
    if call.early {
        let exchange = handled(request, options)?;
        written(body, call, text)?;
        return Ok(exchange);
    }
    written(body, call, text)?;
    handled(request, options)
}

fn handled(request: OutgoingRequest, options: RequestOptions) -> Came<FutureIncomingResponse> {
    handle(request, Some(options)).map_err(|code| format!("{code:?}"))
}

fn written(body: OutgoingBody, call: &Call, text: &str) -> Came<()> {
    let stream = body.write().map_err(|()| "written before")?;
    for _ in 0..call.times {
        write(&stream, text.as_bytes()).map_err(said)?;
    }
    drop(stream);
    if call.unfinished {
        return Ok(());
    }
    OutgoingBody::finish(body, None).map_err(|code| format!("{code:?}"))
}

fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        let (now, later) = bytes.split_at(bytes.len().min(room));
        stream.write(now)?;
        bytes = later;
    }
    stream.flush()
}

fn said(error: StreamError) -> String {
    let StreamError::LastOperationFailed(error) = error else { return "closed".to_owned() };
    let code: Option<ErrorCode> = http_error_code(&error);
    format!("{code:?}")
}

fn received(exchange: FutureIncomingResponse) -> Came<Answer> {
    poll::poll(&[&exchange.subscribe()]);
    let came = exchange.get().ok_or("not here")?.map_err(|()| "taken before")?;
    let response = came.map_err(|code| format!("{code:?}"))?;
    if exchange.get().is_none_or(|again| again.is_ok()) {
        return Err("taken twice".to_owned());
    }
    let pairs = response.headers().entries();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = pairs.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let body = response.consume().map_err(|()| "consumed before")?;
    let stream = body.stream().map_err(|()| "streamed before")?;
    let bytes = read(&stream)?;
    drop(stream);
    let trailers = IncomingBody::finish(body);
    poll::poll(&[&trailers.subscribe()]);
    if !matches!(trailers.get(), Some(Ok(Ok(None)))) {
        return Err("trailers".to_owned());
    }
    Ok(Answer { status: response.status(), headers, body: text(&bytes) })
}

fn read(stream: &InputStream) -> Came<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(said(error)),
        }
    }
}

gristmill_guest::export!(one_by_one, all_at_once, busily, hoard);
