//! Jobs and what came of them as bytes, which workers of two versions must be able to read.
//!
//! MessagePack maps with short names, of which whatever is at its default is left out: a reader passes
//! over names that it doesn't know and takes the default for those that it misses. So names may be
//! added, and never be given another meaning.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Context as _;
use gristmill_job::{
    Backoff, BackoffKind, Digest, ErrorReport, Gauge, Headers, JobId, LogLine, NewJob, OutcomeKind,
    Payload, Priority, Progress, RetryOn, RetryPolicy, Start, Timestamp, UniqueKey, Usage, limits,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use uuid::Uuid;

/// What can't be decoded was written by nobody we know.
pub(super) type Decoded<T> = anyhow::Result<T>;

pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

fn write<T: Serialize>(value: &T, bytes: &mut Vec<u8>) {
    // Writing into memory fails for types alone that have no form in this format; ours all have one,
    // and what would be lost otherwise is seen by whoever reads it.
    drop(rmp_serde::encode::write_named(bytes, value));
}

pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Decoded<T> {
    rmp_serde::from_slice(bytes).context("the queue holds a value that can't be read")
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn millis(duration: Duration) -> u64 {
    /// Scripts count in floating point: exact below this, and 35,000 years from now.
    const MILLIS_MAX: u64 = 1 << 50;
    u64::try_from(duration.as_millis()).map_or(MILLIS_MAX, |millis| millis.min(MILLIS_MAX))
}

/// What a producer gave, but for the id, which it is kept under.
#[derive(Serialize, Deserialize)]
struct Spec<'a> {
    #[serde(rename = "p", borrow)]
    plugin: Cow<'a, str>,
    #[serde(rename = "q", borrow)]
    queue: Cow<'a, str>,
    #[serde(rename = "f", borrow, skip_serializing_if = "Option::is_none", default)]
    function: Option<Cow<'a, str>>,
    #[serde(rename = "v", skip_serializing_if = "Option::is_none", default)]
    digest: Option<Digest>,
    #[serde(rename = "t", borrow, skip_serializing_if = "is_default", default)]
    content_type: Cow<'a, str>,
    #[serde(
        rename = "i",
        borrow,
        with = "serde_bytes",
        skip_serializing_if = "is_default",
        default
    )]
    input: Cow<'a, [u8]>,
    #[serde(rename = "c", skip_serializing_if = "is_default", default)]
    priority: Priority,
    #[serde(rename = "a", skip_serializing_if = "Option::is_none", default)]
    start_after: Option<u64>,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    start_at: Option<u64>,
    #[serde(rename = "r", skip_serializing_if = "Option::is_none", default)]
    retry: Option<Retry>,
    #[serde(rename = "o", skip_serializing_if = "Option::is_none", default)]
    timeout: Option<u64>,
    #[serde(rename = "u", skip_serializing_if = "Option::is_none", default)]
    unique_key: Option<String>,
    #[serde(rename = "k", skip_serializing_if = "Option::is_none", default)]
    result_ttl: Option<u64>,
    #[serde(rename = "h", skip_serializing_if = "is_default", default)]
    headers: Vec<(String, String)>,
    #[serde(rename = "x", skip_serializing_if = "Option::is_none", default)]
    traceparent: Option<String>,
    #[serde(rename = "g", skip_serializing_if = "Option::is_none", default)]
    parent: Option<ByteBuf>,
    #[serde(rename = "d", skip_serializing_if = "is_default", default)]
    depth: u32,
}

#[derive(Serialize, Deserialize)]
struct Retry {
    #[serde(rename = "m")]
    attempts_max: u32,
    #[serde(rename = "k")]
    kind: BackoffKind,
    #[serde(rename = "b")]
    base: u64,
    #[serde(rename = "l")]
    max: u64,
    #[serde(rename = "j")]
    jitter: f64,
    /// Which outcomes are tried again, as bits: trapped, limit exceeded, timed out.
    #[serde(rename = "o")]
    on: u8,
}

/// What a producer gave.
pub(super) fn spec(job: &NewJob) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_spec(job, &mut bytes);
    bytes
}

/// What a producer gave, behind other bytes.
pub(super) fn write_spec(job: &NewJob, bytes: &mut Vec<u8>) {
    let (start_after, start_at) = match job.start {
        Start::Now => (None, None),
        Start::After(delay) => (Some(millis(delay)), None),
        Start::At(time) => (None, Some(time.as_millis())),
    };
    let headers = job.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let spec = Spec {
        plugin: job.plugin.as_str().into(),
        queue: job.queue.as_str().into(),
        function: job.function.as_ref().map(|name| name.as_str().into()),
        digest: job.digest,
        content_type: job.input.content_type.as_str().into(),
        input: job.input.data.as_ref().into(),
        priority: job.priority,
        start_after,
        start_at,
        retry: job.retry.as_ref().map(Retry::of),
        timeout: job.timeout.map(millis),
        unique_key: job.unique_key.as_ref().map(ToString::to_string),
        result_ttl: (job.result_ttl != limits::RESULT_TTL_DEFAULT).then(|| millis(job.result_ttl)),
        headers: headers.collect(),
        traceparent: job.traceparent.clone(),
        parent: job.parent.map(|id| ByteBuf::from(id.as_uuid().as_bytes())),
        depth: job.depth,
    };
    write(&spec, bytes);
}

/// The job of an id and what [`spec`] made.
pub(super) fn job(id: JobId, bytes: &[u8]) -> Decoded<NewJob> {
    let spec: Spec<'_> = decode(bytes)?;
    let start = match (spec.start_after, spec.start_at) {
        (Some(delay), _) => Start::After(Duration::from_millis(delay)),
        (None, Some(time)) => Start::At(Timestamp::from_millis(time)),
        (None, None) => Start::Now,
    };
    let parent = spec.parent.map(|bytes| Uuid::from_slice(&bytes)).transpose()?;
    Ok(NewJob {
        id,
        plugin: spec.plugin.parse()?,
        digest: spec.digest,
        // What a door does; behind it there is a digest or none.
        latest: false,
        function: spec.function.map(|name| name.parse()).transpose()?,
        input: Payload {
            content_type: spec.content_type.into_owned(),
            data: spec.input.into_owned().into(),
        },
        queue: spec.queue.parse()?,
        priority: spec.priority,
        start,
        retry: spec.retry.map(RetryPolicy::from),
        timeout: spec.timeout.map(Duration::from_millis),
        unique_key: spec.unique_key.as_deref().map(UniqueKey::new).transpose()?,
        result_ttl: spec.result_ttl.map_or(limits::RESULT_TTL_DEFAULT, Duration::from_millis),
        headers: Headers::new(spec.headers).map_err(anyhow::Error::msg)?,
        traceparent: spec.traceparent,
        parent: parent.map(JobId::from),
        depth: spec.depth,
    })
}

impl Retry {
    fn of(policy: &RetryPolicy) -> Self {
        let on = policy.retry_on;
        let bits = [on.trapped, on.limit_exceeded, on.timed_out];
        Self {
            attempts_max: policy.attempts_max,
            kind: policy.backoff.kind,
            base: millis(policy.backoff.base),
            max: millis(policy.backoff.max),
            jitter: policy.backoff.jitter,
            on: bits.iter().enumerate().map(|(bit, &set)| u8::from(set) << bit).sum(),
        }
    }
}

impl From<Retry> for RetryPolicy {
    fn from(retry: Retry) -> Self {
        let bit = |bit: u8| retry.on & (1 << bit) != 0;
        Self {
            attempts_max: retry.attempts_max,
            backoff: Backoff {
                kind: retry.kind,
                base: Duration::from_millis(retry.base),
                max: Duration::from_millis(retry.max),
                jitter: retry.jitter,
            },
            retry_on: RetryOn { trapped: bit(0), limit_exceeded: bit(1), timed_out: bit(2) },
        }
    }
}

/// A payload.
#[derive(Serialize, Deserialize)]
pub(super) struct Package<'a> {
    #[serde(rename = "t", borrow)]
    content_type: Cow<'a, str>,
    #[serde(rename = "i", borrow, with = "serde_bytes")]
    data: Cow<'a, [u8]>,
}

impl<'a> From<&'a Payload> for Package<'a> {
    fn from(payload: &'a Payload) -> Self {
        let content_type = payload.content_type.as_str().into();
        Self { content_type, data: payload.data.as_ref().into() }
    }
}

impl From<Package<'_>> for Payload {
    fn from(package: Package<'_>) -> Self {
        let content_type = package.content_type.into_owned();
        Self { content_type, data: package.data.into_owned().into() }
    }
}

/// About what an outcome takes beside its result.
const OUTCOME_BYTES: usize = 160;

/// What a settled attempt left.
#[derive(Serialize, Deserialize)]
pub(super) struct Left<'a> {
    #[serde(rename = "o")]
    pub(super) outcome: OutcomeKind,
    #[serde(rename = "r", borrow, skip_serializing_if = "Option::is_none", default)]
    result: Option<Package<'a>>,
    #[serde(rename = "e", borrow, skip_serializing_if = "Option::is_none", default)]
    error: Option<Fault<'a>>,
    /// Used and allowed, in the order of [`gauges`].
    #[serde(rename = "u", skip_serializing_if = "Option::is_none", default)]
    usage: Option<Vec<(u64, u64)>>,
}

#[derive(Serialize, Deserialize)]
struct Fault<'a> {
    #[serde(rename = "c")]
    code: String,
    #[serde(rename = "m")]
    message: String,
    #[serde(rename = "d", borrow, skip_serializing_if = "Option::is_none", default)]
    detail: Option<Package<'a>>,
    #[serde(rename = "l", skip_serializing_if = "Option::is_none", default)]
    limit: Option<String>,
    #[serde(rename = "b", skip_serializing_if = "is_default", default)]
    backtrace: Vec<String>,
    #[serde(rename = "f", skip_serializing_if = "is_default", default)]
    fingerprint: String,
    #[serde(rename = "t", skip_serializing_if = "is_default", default)]
    log_tail: Vec<String>,
}

impl<'a> Left<'a> {
    pub(super) fn new(
        outcome: OutcomeKind,
        result: Option<&'a Payload>,
        error: Option<&'a ErrorReport>,
        usage: Option<Usage>,
    ) -> Self {
        let error = error.map(|error| Fault {
            code: error.code.clone(),
            message: error.message.clone(),
            detail: error.detail.as_ref().map(Package::from),
            limit: error.limit.clone(),
            backtrace: error.backtrace.clone(),
            fingerprint: error.fingerprint.clone(),
            log_tail: error.log_tail.clone(),
        });
        let usage = usage
            .map(|mut usage| gauges(&mut usage).map(|gauge| (gauge.used, gauge.allowed)).into());
        Self { outcome, result: result.map(Package::from), error, usage }
    }

    /// As it is stored: the version that ran ahead of the rest, where scripts find it.
    pub(super) fn stored(&self, digest: Option<&Digest>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(OUTCOME_BYTES + self.result_bytes());
        match digest {
            Some(digest) => {
                bytes.push(1);
                bytes.extend_from_slice(digest.as_bytes());
            }
            None => bytes.push(0),
        }
        write(self, &mut bytes);
        bytes
    }

    fn result_bytes(&self) -> usize {
        self.result.as_ref().map_or(0, |result| result.data.len())
    }

    /// What [`Left::stored`] made.
    pub(super) fn read(bytes: &'a [u8]) -> Decoded<(Option<Digest>, Self)> {
        let (digest, rest) = match bytes.split_first().context("an outcome is empty")? {
            (1, rest) => {
                let (digest, rest) =
                    rest.split_first_chunk::<32>().context("an outcome is cut off")?;
                (Some(Digest::from(*digest)), rest)
            }
            (_, rest) => (None, rest),
        };
        Ok((digest, decode(rest)?))
    }

    pub(super) fn result(&mut self) -> Option<Payload> {
        self.result.take().map(Payload::from)
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        let mut usage = Usage::default();
        for (gauge, &(used, allowed)) in gauges(&mut usage).into_iter().zip(self.usage.as_ref()?) {
            *gauge = Gauge { used, allowed };
        }
        Some(usage)
    }

    pub(super) fn error(&mut self) -> Option<ErrorReport> {
        self.error.take().map(|fault| ErrorReport {
            code: fault.code,
            message: fault.message,
            detail: fault.detail.map(Payload::from),
            limit: fault.limit,
            backtrace: fault.backtrace,
            fingerprint: fault.fingerprint,
            log_tail: fault.log_tail,
        })
    }
}

/// What an attempt used, in an order to which more may be added at the end.
fn gauges(usage: &mut Usage) -> [&mut Gauge; 7] {
    [
        &mut usage.cpu_us,
        &mut usage.wall_us,
        &mut usage.memory_peak_bytes,
        &mut usage.host_calls,
        &mut usage.cache_ops,
        &mut usage.cache_bytes,
        &mut usage.log_bytes,
    ]
}

pub(super) fn checkpoint(bytes: &[u8]) -> Decoded<Payload> {
    decode::<Package<'_>>(bytes).map(Payload::from)
}

pub(super) fn progress(bytes: &[u8]) -> Decoded<Progress> {
    decode(bytes)
}

pub(super) fn log_lines(bytes: &[u8]) -> Decoded<Vec<LogLine>> {
    decode(bytes)
}

#[cfg(test)]
mod tests;
