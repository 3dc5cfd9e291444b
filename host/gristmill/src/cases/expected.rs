//! What a case expects: what isn't said isn't compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use gristmill_job::limits::{DELAY_MAX, TIMEOUT_MAX};
use gristmill_job::{BucketName, FunctionName, OutcomeKind, PluginName, QueueName, Usage};
use gristmill_runtime::{Item, Section};

use super::content::{self, Content, RESULT};
use super::observed::CacheKey;

/// Bytes of a text that is compared with a code, a message or a line of log.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// What a case expects.
#[derive(Debug, Clone)]
pub struct Expected {
    /// What the attempt comes to.
    pub outcome: OutcomeKind,
    /// The result; [`None`]: any.
    pub result: Option<Content>,
    /// That there is no result.
    pub no_result: bool,
    /// The result's media type.
    pub content_type: Option<String>,
    /// The failure.
    pub error: ExpectedError,
    /// What the cache holds afterwards under these keys.
    pub cache: Vec<(CacheKey, Content)>,
    /// Keys that the cache doesn't hold afterwards.
    pub absent: Vec<CacheKey>,
    /// The jobs that were enqueued: these, and no others.
    pub jobs: Option<Vec<ExpectedJob>>,
    /// What lines of the log say, in this order.
    pub log: Vec<String>,
    /// The last progress.
    pub progress: Option<ExpectedProgress>,
    /// The last checkpoint that was saved.
    pub checkpoint: Option<Content>,
    /// What the attempt may have used at most.
    pub within: Vec<(&'static Measure, u64)>,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            outcome: OutcomeKind::Completed,
            result: None,
            no_result: false,
            content_type: None,
            error: ExpectedError::default(),
            cache: Vec::new(),
            absent: Vec::new(),
            jobs: None,
            log: Vec::new(),
            progress: None,
            checkpoint: None,
            within: Vec::new(),
        }
    }
}

/// What is expected of a failure.
#[derive(Debug, Clone, Default)]
pub struct ExpectedError {
    /// Its code.
    pub code: Option<String>,
    /// What its message says, or a part of it.
    pub message: Option<String>,
    /// What the guest added.
    pub detail: Option<Content>,
    /// What is to be done about it.
    pub retry: Option<RetryWord>,
    /// When at the earliest.
    pub after: Option<Duration>,
    /// The limit that was hit.
    pub limit: Option<String>,
}

/// What is to be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryWord {
    /// Nothing.
    Fatal,
    /// Try again.
    Retry,
    /// Try again later.
    RetryAfter,
}

impl RetryWord {
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("fatal", Self::Fatal), ("retry", Self::Retry), ("retry_after", Self::RetryAfter)];

    /// How a file of cases writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, word)| *word == self).map_or("", |(text, _)| text)
    }
}

/// What is expected of a job that was enqueued.
#[derive(Debug, Clone, Default)]
pub struct ExpectedJob {
    /// Its plugin; the one that is tested, if not said.
    pub plugin: Option<PluginName>,
    /// Its function.
    pub function: Option<FunctionName>,
    /// Its input.
    pub input: Option<Content>,
    /// The input's media type.
    pub content_type: Option<String>,
    /// Its queue.
    pub queue: Option<QueueName>,
    /// Its class.
    pub priority: Option<u8>,
    /// How long it waits.
    pub delay: Option<Duration>,
    /// Its attempts.
    pub max_attempts: Option<u32>,
    /// How long an attempt of it may take.
    pub timeout: Option<Duration>,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// Headers among those that it has.
    pub headers: BTreeMap<String, String>,
}

/// What is expected of the last progress.
#[derive(Debug, Clone, Default)]
pub struct ExpectedProgress {
    /// Units done.
    pub done: Option<u64>,
    /// Units in all.
    pub total: Option<u64>,
    /// What was being done.
    pub note: Option<String>,
}

/// Something that an attempt uses.
#[derive(Debug)]
pub struct Measure {
    /// Its name in a file of cases.
    pub name: &'static str,
    unit: Unit,
    of: fn(&Usage) -> u64,
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    Micros,
    Bytes,
    Count,
}

impl Measure {
    /// Everything that is measured.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &MEASURES
    }

    /// How much of it was used.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> u64 {
        (self.of)(usage)
    }

    /// So much of it, for people.
    #[must_use]
    pub fn shown(&self, amount: u64) -> String {
        match self.unit {
            Unit::Micros => format!("{:?}", Duration::from_micros(amount)),
            Unit::Bytes => format!("{amount} bytes"),
            Unit::Count => amount.to_string(),
        }
    }

    fn read(&self, item: &Item<'_>) -> Option<u64> {
        match self.unit {
            Unit::Micros => {
                let duration = item.duration(TIMEOUT_MAX)?;
                Some(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
            }
            Unit::Bytes => item.bytes(),
            Unit::Count => item.number(0, u64::MAX),
        }
    }
}

static MEASURES: [Measure; 7] = [
    Measure { name: "cpu", unit: Unit::Micros, of: |usage| usage.cpu_us.used },
    Measure { name: "wall", unit: Unit::Micros, of: |usage| usage.wall_us.used },
    Measure { name: "memory", unit: Unit::Bytes, of: |usage| usage.memory_peak_bytes.used },
    Measure { name: "host_calls", unit: Unit::Count, of: |usage| usage.host_calls.used },
    Measure { name: "cache_ops", unit: Unit::Count, of: |usage| usage.cache_ops.used },
    Measure { name: "cache_bytes", unit: Unit::Bytes, of: |usage| usage.cache_bytes.used },
    Measure { name: "log_bytes", unit: Unit::Bytes, of: |usage| usage.log_bytes.used },
];

const OUTCOMES: [(&str, OutcomeKind); 6] = [
    ("completed", OutcomeKind::Completed),
    ("failed", OutcomeKind::Failed),
    ("trapped", OutcomeKind::Trapped),
    ("limit_exceeded", OutcomeKind::LimitExceeded),
    ("timed_out", OutcomeKind::TimedOut),
    ("cancelled", OutcomeKind::Cancelled),
];

pub(super) fn text(item: Option<Item<'_>>) -> Option<String> {
    item?.text(TEXT_BYTES_MAX)
}

/// Names with values that are texts.
pub(super) fn texts(table: Option<Section<'_>>) -> BTreeMap<String, String> {
    let pair = |item: Item<'_>| Some((item.key.to_owned(), item.text(TEXT_BYTES_MAX)?));
    table.map(|table| table.items().filter_map(pair).collect()).unwrap_or_default()
}

pub(super) fn read(mut table: Section<'_>, dir: &Path) -> Expected {
    let outcome = table.take("outcome").and_then(|item| item.word(&OUTCOMES));
    let has_error = table.take("error");
    // A failure is expected where something is expected of it.
    let usual = if has_error.is_some() { OutcomeKind::Failed } else { OutcomeKind::Completed };
    let lines = table.take("log").map(|item| item.list()).unwrap_or_default();
    let expected = Expected {
        outcome: outcome.unwrap_or(usual),
        result: content::take(&mut table, &RESULT, dir),
        no_result: table.take("no_result").and_then(|item| truth(&item)).unwrap_or_default(),
        content_type: text(table.take("content_type")),
        error: has_error.and_then(|item| item.table()).map(|t| error(t, dir)).unwrap_or_default(),
        cache: cached(&mut table, |item| Some(content::in_one(item, dir)?.0)),
        absent: absent(table.take("absent")),
        jobs: table
            .take("jobs")
            .map(|item| item.list().iter().filter_map(|item| job(item.table()?, dir)).collect()),
        log: lines.iter().filter_map(|item| item.text(TEXT_BYTES_MAX)).collect(),
        progress: table.table("progress").map(progress),
        checkpoint: table
            .take("checkpoint")
            .and_then(|item| content::in_one(&item, dir))
            .map(|c| c.0),
        within: table.table("within").map(within).unwrap_or_default(),
    };
    table.end();
    expected
}

fn truth(item: &Item<'_>) -> Option<bool> {
    item.value().as_bool().or_else(|| item.expected("true or false"))
}

/// Values under `cache`, the plugin's own, and under `buckets`.
pub(super) fn cached<T>(
    table: &mut Section<'_>,
    read: impl Fn(&Item<'_>) -> Option<T>,
) -> Vec<(CacheKey, T)> {
    let mut all = Vec::new();
    let mut add = |bucket: Option<&BucketName>, table: Section<'_>| {
        for item in table.items() {
            if let Some(value) = read(&item) {
                let key = CacheKey { bucket: bucket.cloned(), key: item.key.to_owned() };
                all.push((key, value));
            }
        }
    };
    if let Some(own) = table.table("cache") {
        add(None, own);
    }
    if let Some(buckets) = table.table("buckets") {
        for item in buckets.items() {
            if let (Some(bucket), Some(table)) = (item.name::<BucketName>(), item.table()) {
                add(Some(&bucket), table);
            }
        }
    }
    all
}

fn absent(item: Option<Item<'_>>) -> Vec<CacheKey> {
    let keys = item.map(|item| item.list()).unwrap_or_default();
    let keys = keys.iter().filter_map(|item| item.text(TEXT_BYTES_MAX));
    keys.map(|key| CacheKey { bucket: None, key }).collect()
}

fn error(mut table: Section<'_>, dir: &Path) -> ExpectedError {
    let error = ExpectedError {
        code: text(table.take("code")),
        message: text(table.take("message")),
        detail: table.take("detail").and_then(|item| content::in_one(&item, dir)).map(|c| c.0),
        retry: table.take("retry").and_then(|item| item.word(&RetryWord::ALL)),
        after: table.take("after").and_then(|item| item.duration(DELAY_MAX)),
        limit: text(table.take("limit")),
    };
    table.end();
    error
}

fn job(mut table: Section<'_>, dir: &Path) -> Option<ExpectedJob> {
    let number = |item: Option<Item<'_>>, max: u32| {
        item.and_then(|item| item.number(0, max.into())).and_then(|n| u32::try_from(n).ok())
    };
    let job = ExpectedJob {
        plugin: table.take("plugin").and_then(|item| item.parsed()),
        function: table.take("function").and_then(|item| item.parsed()),
        input: content::take(&mut table, &content::INPUT, dir),
        content_type: text(table.take("content_type")),
        queue: table.take("queue").and_then(|item| item.parsed()),
        priority: number(table.take("priority"), 3).and_then(|class| u8::try_from(class).ok()),
        delay: table.take("delay").and_then(|item| item.duration(DELAY_MAX)),
        max_attempts: number(table.take("max_attempts"), u32::MAX),
        timeout: table.take("timeout").and_then(|item| item.duration(TIMEOUT_MAX)),
        unique_key: text(table.take("unique_key")),
        headers: texts(table.table("headers")),
    };
    table.end();
    Some(job)
}

fn progress(mut table: Section<'_>) -> ExpectedProgress {
    let progress = ExpectedProgress {
        done: table.take("done").and_then(|item| item.number(0, u64::MAX)),
        total: table.take("total").and_then(|item| item.number(0, u64::MAX)),
        note: text(table.take("note")),
    };
    table.end();
    progress
}

fn within(mut table: Section<'_>) -> Vec<(&'static Measure, u64)> {
    let mut within = Vec::new();
    for measure in &MEASURES {
        let item = table.take(measure.name);
        if let Some(amount) = item.and_then(|item| measure.read(&item)) {
            within.push((measure, amount));
        }
    }
    table.end();
    within
}
