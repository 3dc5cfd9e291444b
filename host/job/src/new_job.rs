//! A job as its producer gives it, and what becomes of the giving.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::{
    Digest, FunctionName, JobId, Payload, PluginName, QueueName, RetryPolicy, Timestamp, UniqueKey,
};

/// A job to be enqueued: parsed, and within the limits that hold for every job.
///
/// The producer makes the id, so that a repeated enqueue is harmless.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// The job's id.
    pub id: JobId,
    /// The plugin to call.
    pub plugin: PluginName,
    /// The version of the plugin that must run it; any, if not said.
    pub digest: Option<Digest>,
    /// Whether it runs on the version that serves when it starts, also where a door would pin it to the
    /// one that serves when it is enqueued.
    pub latest: bool,
    /// The function to call; the plugin's only one, if not said.
    pub function: Option<FunctionName>,
    /// What the function is given.
    pub input: Payload,
    /// The queue to wait in.
    pub queue: QueueName,
    /// Its class among the waiting.
    pub priority: Priority,
    /// When it may start.
    pub start: Start,
    /// What is tried again, how often and when; as the plugin's manifest says, if not said.
    pub retry: Option<RetryPolicy>,
    /// How long an attempt may take; the plugin's limit, if not said, and never more than that.
    pub timeout: Option<Duration>,
    /// While a job with this key is scheduled, queued or running, no other with it is enqueued.
    pub unique_key: Option<UniqueKey>,
    /// How long the job is kept once it is completed.
    pub result_ttl: Duration,
    /// What the producer tells the job beside its input.
    pub headers: Headers,
    /// The W3C trace context that the job belongs to.
    pub traceparent: Option<String>,
    /// The job that enqueued this one.
    pub parent: Option<JobId>,
    /// How many jobs stand above this one in its chain.
    pub depth: u32,
}

impl NewJob {
    /// A job with a random id and every option at its default.
    #[must_use]
    pub fn new(plugin: PluginName, input: Payload) -> Self {
        Self {
            id: JobId::random(),
            plugin,
            digest: None,
            latest: false,
            function: None,
            input,
            queue: QueueName::default(),
            priority: Priority::default(),
            start: Start::Now,
            retry: None,
            timeout: None,
            unique_key: None,
            result_ttl: limits::RESULT_TTL_DEFAULT,
            headers: Headers::default(),
            traceparent: None,
            parent: None,
            depth: 0,
        }
    }

    /// What is tried again, how often and when, as far as the job itself says.
    #[must_use]
    pub fn retry_policy(&self) -> RetryPolicy {
        self.retry.unwrap_or_default()
    }

    /// What the job weighs against a queue's bound on bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.input.data.len() + self.input.content_type.len() + self.headers.bytes()
    }
}

/// When a job may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// As soon as a worker is free.
    #[default]
    Now,
    /// Not before this long after it was enqueued, on the queue's clock.
    After(Duration),
    /// Not before this time.
    At(Timestamp),
}

impl Start {
    /// The time before which the job may not start.
    #[must_use]
    pub fn run_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::After(delay) => now.after(delay.min(limits::DELAY_MAX)),
            Self::At(time) => time.max(now),
        }
    }
}

/// A class of urgency: 0 is served first, 3 last, 1 is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = u8, minimum = 0, maximum = 3))]
pub struct Priority(u8);

impl Priority {
    /// How many classes there are.
    pub const CLASSES: usize = 4;

    /// The class as an index below [`Priority::CLASSES`].
    #[must_use]
    pub fn class(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<u8> for Priority {
    type Error = String;

    fn try_from(class: u8) -> Result<Self, Self::Error> {
        if usize::from(class) < Self::CLASSES {
            Ok(Self(class))
        } else {
            Err(format!("{class} is no priority: 0 (most urgent) to 3"))
        }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// Names and values that travel with a job; names are kept in lower case and compare without
/// regard to ASCII case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Checks the bounds and takes the headers over.
    ///
    /// # Errors
    /// A message that names the header or the bound.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let mut kept: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if name.is_empty() || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
                return Err(format!("{name:?} is no header name"));
            }
            if kept.iter().any(|(taken, _)| *taken == name) {
                return Err(format!("the header {name:?} is given twice"));
            }
            kept.push((name, value));
            if kept.len() > limits::HEADERS_MAX {
                return Err(format!("more than {} headers", limits::HEADERS_MAX));
            }
        }
        let headers = Self(kept);
        if headers.bytes() > limits::HEADERS_BYTES_MAX {
            return Err(format!("more than {} bytes of headers", limits::HEADERS_BYTES_MAX));
        }
        Ok(headers)
    }

    /// The value of a header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

/// What became of one enqueued job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is there now.
    Created,
    /// It was there already: a job with this id, as long as its record is kept.
    Duplicate,
    /// Its unique key is held by this job.
    UniqueConflict(JobId),
    /// It was refused.
    Rejected(Rejection),
}

/// Why a job was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// For machines.
    pub code: RejectionCode,
    /// For people.
    pub message: String,
}

/// Why a job was refused, for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RejectionCode {
    /// The queue holds as many jobs or bytes as it may.
    QueueFull,
    /// The plugin has no such function, or several where none was named.
    UnknownFunction,
    /// No plugin of that name is known here.
    UnknownPlugin,
    /// The input is not what the function takes.
    InvalidInput,
    /// The plugin's manifest doesn't grant it.
    AccessDenied,
    /// An option is out of its bounds.
    Invalid,
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QueueFull => "queue-full",
            Self::UnknownFunction => "unknown-function",
            Self::UnknownPlugin => "unknown-plugin",
            Self::InvalidInput => "invalid-input",
            Self::AccessDenied => "access-denied",
            Self::Invalid => "invalid",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn headers_are_found_in_any_case_and_bounded() {
        let headers = Headers::new([pair("Tenant", "acme")]).unwrap();
        assert_eq!(headers.get("tenant"), Some("acme"));
        assert_eq!(headers.get("other"), None);
        assert!(Headers::new([pair("a", "1"), pair("A", "2")]).unwrap_err().contains("twice"));
        assert!(Headers::new([pair("", "1")]).is_err());
        assert!(Headers::new((0..33).map(|i| pair(&i.to_string(), ""))).is_err());
        assert!(Headers::new([pair("big", &"x".repeat(9_000))]).is_err());
    }

    #[test]
    fn a_start_in_the_past_is_now() {
        let now = Timestamp::from_millis(1_000);
        assert_eq!(Start::At(Timestamp::from_millis(1)).run_at(now), now);
        assert_eq!(Start::After(Duration::from_secs(1)).run_at(now), Timestamp::from_millis(2_000));
        assert_eq!(Start::After(Duration::MAX).run_at(now), now.after(limits::DELAY_MAX));
    }
}
