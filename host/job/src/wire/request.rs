//! A job as a producer writes it, and the door through which it becomes a [`NewJob`].

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Backoff, BackoffKind, Digest, FunctionName, Headers, JobId, NewJob, Payload, PluginName,
    Priority, QueueName, RetryPolicy, Start, Timestamp, UniqueKey, limits, media,
};

/// What stands for a digest where any version will do.
pub const LATEST: &str = "latest";

/// A job as a producer writes it. Keys that are not known are errors that name the key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobRequest {
    /// The plugin to call.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z][a-z0-9-]{0,62}$"))]
    pub plugin: String,
    /// The function to call; may be left out where the plugin has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[!-~]{1,255}$"))]
    pub function: Option<String>,
    /// A string is text, any other value JSON.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Value, required = false))]
    pub input: Option<Value>,
    /// Bytes, instead of `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = "byte"))]
    pub input_base64: Option<String>,
    /// The input's media type, where it isn't the one that its form says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z]+/[a-z0-9.+-]{1,120}$"))]
    pub content_type: Option<String>,
    /// The queue to wait in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"))]
    pub queue: Option<String>,
    /// 0 (most urgent) to 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3))]
    pub priority: Option<u8>,
    /// Not before this many milliseconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 31_622_400_000i64))]
    pub delay_ms: Option<u64>,
    /// Not before this time, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = "date-time"))]
    pub run_at: Option<String>,
    /// Counted failures that end the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub max_attempts: Option<u32>,
    /// How long to wait before another attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<BackoffRequest>,
    /// How long an attempt may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 86400000))]
    pub timeout_ms: Option<u64>,
    /// One job at a time with this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[ -~]{1,255}$"))]
    pub unique_key: Option<String>,
    /// How long the completed job is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 31_622_400_000i64))]
    pub result_ttl_ms: Option<u64>,
    /// Names and values for the job to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(pattern = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
    )]
    pub traceparent: Option<String>,
    /// The version of the plugin that must run the job, or `latest` for the one that serves when it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^(sha256:[0-9a-fA-F]{64}|latest)$"))]
    pub digest: Option<String>,
    /// The job's id, a UUID; a random one if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub id: Option<String>,
}

/// Keeps `"input": null` apart from no input at all: JSON's null is a value.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// A backoff as a producer writes it; what is left out is the default.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackoffRequest {
    /// `fixed`, `exponential` or `polynomial`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<BackoffKind>,
    /// The first wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 31_622_400_000i64))]
    pub base_ms: Option<u64>,
    /// The longest wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 31_622_400_000i64))]
    pub max_ms: Option<u64>,
    /// The share of a wait, from 0 to 1, that chance may take away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 1.0))]
    pub jitter: Option<f64>,
}

/// A field that doesn't hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct WireError {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

fn wrong(field: &'static str) -> impl Fn(String) -> WireError {
    move |problem| WireError { field, problem }
}

/// Reads a field that may be left out.
fn read<T, E: ToString>(
    field: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, WireError> {
    text.map(|text| parse(text).map_err(|e| wrong(field)(e.to_string()))).transpose()
}

fn millis(
    field: &'static str,
    value: Option<u64>,
    max: Duration,
) -> Result<Option<Duration>, WireError> {
    let Some(value) = value else { return Ok(None) };
    let duration = Duration::from_millis(value);
    if duration > max {
        return Err(wrong(field)(format!("{value} is more than {} ms", max.as_millis())));
    }
    Ok(Some(duration))
}

impl TryFrom<JobRequest> for NewJob {
    type Error = WireError;

    fn try_from(request: JobRequest) -> Result<Self, WireError> {
        let plugin =
            PluginName::new(&request.plugin).map_err(|e| wrong("plugin")(e.to_string()))?;
        let start = start(&request)?;
        let retry = retry(&request)?;
        let timeout = millis("timeout_ms", request.timeout_ms, limits::TIMEOUT_MAX)?;
        if timeout == Some(Duration::ZERO) {
            return Err(wrong("timeout_ms")("0 leaves no time to run".to_owned()));
        }
        let id = read("id", request.id.as_deref(), str::parse::<Uuid>)?.map(JobId::from);
        let priority = request.priority.map(Priority::try_from).transpose();
        let headers = Headers::new(request.headers.clone().unwrap_or_default());
        let latest = request.digest.as_deref() == Some(LATEST);
        let digest = request.digest.as_deref().filter(|_| !latest);
        Ok(Self {
            id: id.unwrap_or_else(JobId::random),
            digest: read("digest", digest, str::parse::<Digest>)?,
            latest,
            function: read("function", request.function.as_deref(), FunctionName::new)?,
            queue: read("queue", request.queue.as_deref(), QueueName::new)?.unwrap_or_default(),
            priority: priority.map_err(wrong("priority"))?.unwrap_or_default(),
            start,
            retry,
            timeout,
            unique_key: read("unique_key", request.unique_key.as_deref(), UniqueKey::new)?,
            result_ttl: millis("result_ttl_ms", request.result_ttl_ms, limits::DELAY_MAX)?
                .unwrap_or(limits::RESULT_TTL_DEFAULT),
            headers: headers.map_err(wrong("headers"))?,
            traceparent: read("traceparent", request.traceparent.as_deref(), traceparent)?,
            ..Self::new(plugin, input(request)?)
        })
    }
}

fn start(request: &JobRequest) -> Result<Start, WireError> {
    let delay = millis("delay_ms", request.delay_ms, limits::DELAY_MAX)?;
    let run_at = read("run_at", request.run_at.as_deref(), str::parse::<Timestamp>)?;
    match (delay, run_at) {
        (Some(_), Some(_)) => Err(wrong("run_at")("delay_ms is given too; give one".to_owned())),
        (Some(delay), None) => Ok(Start::After(delay)),
        (None, Some(time)) => Ok(Start::At(time)),
        (None, None) => Ok(Start::Now),
    }
}

fn retry(request: &JobRequest) -> Result<Option<RetryPolicy>, WireError> {
    if request.max_attempts.is_none() && request.backoff.is_none() {
        return Ok(None);
    }
    let defaults = RetryPolicy::default();
    let attempts_max = request.max_attempts.unwrap_or(defaults.attempts_max);
    if !(1..=limits::ATTEMPTS_MAX).contains(&attempts_max) {
        let problem = format!("{attempts_max} is not within 1 to {}", limits::ATTEMPTS_MAX);
        return Err(wrong("max_attempts")(problem));
    }
    let Some(asked) = &request.backoff else {
        return Ok(Some(RetryPolicy { attempts_max, ..defaults }));
    };
    let jitter = asked.jitter.unwrap_or(defaults.backoff.jitter);
    if !(0.0..=1.0).contains(&jitter) {
        return Err(wrong("backoff.jitter")(format!("{jitter} is not within 0 to 1")));
    }
    let base = millis("backoff.base_ms", asked.base_ms, limits::DELAY_MAX)?;
    let max = millis("backoff.max_ms", asked.max_ms, limits::DELAY_MAX)?;
    let backoff = Backoff {
        kind: asked.kind.unwrap_or(defaults.backoff.kind),
        base: base.unwrap_or(defaults.backoff.base),
        max: max.unwrap_or(defaults.backoff.max),
        jitter,
    };
    Ok(Some(RetryPolicy { attempts_max, backoff, ..defaults }))
}

/// Version, trace id, parent id and flags in lower-case hexadecimal digits.
fn traceparent(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let lengths = [2, 32, 16, 2];
    let fits = parts.len() == 4 && parts.iter().zip(lengths).all(|(part, n)| hex(part, n));
    if fits { Ok(text.to_owned()) } else { Err(format!("{text:?} is no W3C traceparent")) }
}

fn input(request: JobRequest) -> Result<Payload, WireError> {
    let mut payload = match (request.input, request.input_base64) {
        (Some(_), Some(_)) => {
            return Err(wrong("input_base64")("input is given too; give one".to_owned()));
        }
        (Some(Value::String(text)), None) => match &request.content_type {
            // Somebody who says JSON means the string with its quotes.
            Some(given) if media::is_json(given) => Payload::json(&Value::String(text)),
            _ => Payload::text(text),
        },
        (Some(value), None) => Payload::json(&value),
        (None, Some(text)) => {
            let data = STANDARD.decode(text).map_err(|e| wrong("input_base64")(e.to_string()))?;
            Payload::bytes(data)
        }
        (None, None) if request.content_type.is_some() => {
            return Err(wrong("content_type")("there is no input that it could be of".to_owned()));
        }
        (None, None) => Payload::none(),
    };
    if let Some(content_type) = request.content_type {
        payload.content_type = checked_content_type(content_type)?;
    }
    if payload.data.len() > limits::PAYLOAD_BYTES_MAX {
        let (size, max) = (payload.data.len(), limits::PAYLOAD_BYTES_MAX);
        let problem = format!("{size} bytes are more than {max}; enqueue a reference to the data");
        return Err(wrong("input")(problem));
    }
    Ok(payload)
}

fn checked_content_type(text: String) -> Result<String, WireError> {
    let two_parts = text.split_once('/').is_some_and(|(kind, rest)| {
        !kind.is_empty() && !rest.is_empty() && !text.contains(|c: char| c.is_control())
    });
    if two_parts && text.len() <= limits::CONTENT_TYPE_BYTES_MAX {
        Ok(text)
    } else {
        Err(wrong("content_type")("not a media type such as text/plain".to_owned()))
    }
}

#[cfg(test)]
mod tests;
