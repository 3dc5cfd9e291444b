//! The host's interfaces, as a component imports them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Found, Host};
use crate::{
    Commit, Ctx, Disposition, Entry, HostError, HttpRequest, HttpResponse, JobError, Level, NewJob,
    Payload, Verdict, Version,
    bindings::gristmill::job::{cache, config, context, http, log, queue, secrets, types},
    cache::Condition,
    job::{Function, dispatch},
};

/// The host of a component: there is one, and it knows which attempt is calling.
pub(crate) struct Component;

/// Answers the host's call of the exported handler.
pub fn handle(
    functions: &[Function],
    function: &str,
    input: types::Payload,
) -> Result<Option<types::Payload>, types::Failure> {
    log_panics();
    match dispatch(functions, &Ctx::new(Component), function, input.into()) {
        Ok(result) => Ok(result.map(Into::into)),
        Err(error) => Err(error.into()),
    }
}

/// A panic ends in a trap, which says nothing; so its message goes to the log first.
fn log_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("a payload that is no text");
            let location = panic.location().map(ToString::to_string).unwrap_or_default();
            Component.emit(
                Level::Error,
                &format!("panicked: {message}"),
                &[("location".to_owned(), location)],
            );
        }));
    });
}

impl Host for Component {
    type Reservation = cache::Reservation;

    fn job_id(&self) -> String {
        context::job_id()
    }

    fn queue(&self) -> String {
        context::queue_name()
    }

    fn attempt(&self) -> u32 {
        context::attempt()
    }

    fn max_attempts(&self) -> u32 {
        context::max_attempts()
    }

    fn enqueued_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(context::enqueued_at())
    }

    fn parent_id(&self) -> Option<String> {
        context::parent_id()
    }

    fn header(&self, name: &str) -> Option<String> {
        context::header(name)
    }

    fn remaining(&self) -> Duration {
        Duration::from_millis(context::remaining())
    }

    fn cancelled(&self) -> bool {
        context::cancelled()
    }

    fn report(&self, done: u64, total: Option<u64>, note: Option<&str>) {
        context::progress(done, total, note);
    }

    fn save_checkpoint(&self, state: Payload) -> Result<(), HostError> {
        Ok(context::save_checkpoint(&state.into())?)
    }

    fn saved_checkpoint(&self) -> Option<Payload> {
        context::checkpoint().map(Into::into)
    }

    fn log_enabled(&self, level: Level) -> bool {
        log::enabled(level.into())
    }

    fn emit(&self, level: Level, message: &str, fields: &[(String, String)]) {
        log::emit(level.into(), message, fields);
    }

    fn config(&self, key: &str) -> Option<String> {
        config::get(key)
    }

    fn config_all(&self) -> Vec<(String, String)> {
        config::all()
    }

    fn secret(&self, name: &str) -> Result<String, HostError> {
        Ok(secrets::get(name)?)
    }

    fn enqueue(&self, jobs: Vec<NewJob>, commit: Commit) -> Result<Vec<Verdict>, HostError> {
        let commit = match commit {
            Commit::OnSuccess => queue::Commit::OnSuccess,
            Commit::Immediately => queue::Commit::Immediately,
        };
        let verdicts = queue::enqueue(jobs.into_iter().map(new_job).collect(), commit)?;
        Ok(verdicts.into_iter().map(Into::into).collect())
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HostError> {
        let response = http::send(&http::Request {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            timeout: request.timeout.map(millis),
        })?;
        Ok(HttpResponse { status: response.status, headers: response.headers, body: response.body })
    }

    fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, HostError> {
        Ok(cache::get(bucket, key)?)
    }

    fn get_entry(&self, bucket: &str, key: &str) -> Result<Option<Entry<Vec<u8>>>, HostError> {
        Ok(cache::get_entry(bucket, key)?.map(|entry| Entry {
            value: entry.value,
            version: Version(entry.version),
            ttl: entry.ttl.map(Duration::from_millis),
        }))
    }

    fn exists(&self, bucket: &str, key: &str) -> Result<bool, HostError> {
        Ok(cache::exists(bucket, key)?)
    }

    fn set(
        &self,
        bucket: &str,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        condition: Condition,
    ) -> Result<bool, HostError> {
        let condition = match condition {
            Condition::Always => cache::Condition::Always,
            Condition::IfAbsent => cache::Condition::IfAbsent,
            Condition::IfPresent => cache::Condition::IfPresent,
        };
        Ok(cache::set(bucket, key, value, ttl.map(millis), condition)?)
    }

    fn compare_and_set(
        &self,
        bucket: &str,
        key: &str,
        version: Option<Version>,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, HostError> {
        let version = version.map(|version| version.0);
        Ok(cache::compare_and_set(bucket, key, version, value, ttl.map(millis))?)
    }

    fn delete(&self, bucket: &str, key: &str) -> Result<bool, HostError> {
        Ok(cache::delete(bucket, key)?)
    }

    fn touch(&self, bucket: &str, key: &str, ttl: Option<Duration>) -> Result<bool, HostError> {
        Ok(cache::touch(bucket, key, ttl.map(millis))?)
    }

    fn increment(
        &self,
        bucket: &str,
        key: &str,
        delta: i64,
        ttl_on_create: Option<Duration>,
    ) -> Result<i64, HostError> {
        Ok(cache::increment(bucket, key, delta, ttl_on_create.map(millis))?)
    }

    fn get_many(&self, bucket: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, HostError> {
        Ok(cache::get_many(bucket, keys)?)
    }

    fn set_many(
        &self,
        bucket: &str,
        entries: &[(String, Vec<u8>)],
        ttl: Option<Duration>,
    ) -> Result<(), HostError> {
        Ok(cache::set_many(bucket, entries, ttl.map(millis))?)
    }

    fn delete_many(&self, bucket: &str, keys: &[String]) -> Result<u64, HostError> {
        Ok(cache::delete_many(bucket, keys)?)
    }

    fn clear(&self, bucket: &str, prefix: &str) -> Result<u64, HostError> {
        Ok(cache::clear(bucket, prefix)?)
    }

    fn scan(
        &self,
        bucket: &str,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<String>, Option<String>), HostError> {
        let page = cache::scan(bucket, prefix, cursor, limit)?;
        Ok((page.keys, page.cursor))
    }

    fn get_or_reserve(
        &self,
        bucket: &str,
        key: &str,
        wait: Duration,
    ) -> Result<Found<cache::Reservation>, HostError> {
        Ok(match cache::get_or_reserve(bucket, key, millis(wait))? {
            cache::Lookup::Hit(value) => Found::Hit(value),
            cache::Lookup::Reserved(reservation) => Found::Reserved(reservation),
            cache::Lookup::Busy => Found::Busy,
        })
    }

    fn fill(
        &self,
        reservation: cache::Reservation,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, HostError> {
        Ok(cache::Reservation::fill(reservation, value, ttl.map(millis))?)
    }
}

/// Whole milliseconds, rounded up: what is short doesn't become nothing.
fn millis(duration: Duration) -> u64 {
    let parts = u64::from(duration.subsec_nanos().div_ceil(1_000_000));
    duration.as_secs().saturating_mul(1000).saturating_add(parts)
}

fn new_job(job: NewJob) -> queue::NewJob {
    let new = queue::NewJob::new(&job.function, &job.input.into());
    if let Some(name) = job.queue {
        new.set_queue(&name);
    }
    if let Some(priority) = job.priority {
        new.set_priority(priority);
    }
    if let Some(delay) = job.delay {
        new.set_delay(millis(delay));
    }
    if let Some(attempts) = job.max_attempts {
        new.set_max_attempts(attempts);
    }
    if let Some(timeout) = job.timeout {
        new.set_timeout(millis(timeout));
    }
    if let Some(key) = job.unique_key {
        new.set_unique_key(&key);
    }
    for (name, value) in job.headers {
        new.set_header(&name, &value);
    }
    new
}

impl From<types::Payload> for Payload {
    fn from(payload: types::Payload) -> Payload {
        Payload { content_type: payload.content_type, data: payload.data }
    }
}

impl From<Payload> for types::Payload {
    fn from(payload: Payload) -> types::Payload {
        types::Payload { content_type: payload.content_type, data: payload.data }
    }
}

impl From<JobError> for types::Failure {
    fn from(error: JobError) -> types::Failure {
        types::Failure {
            message: error.message,
            code: error.code,
            detail: error.detail.map(Into::into),
            disposition: match error.disposition {
                Disposition::Retry => types::Disposition::Retry,
                Disposition::RetryAfter(delay) => types::Disposition::RetryAfter(millis(delay)),
                Disposition::Fatal => types::Disposition::Fatal,
            },
        }
    }
}

impl From<types::Error> for HostError {
    fn from(error: types::Error) -> HostError {
        match error {
            types::Error::AccessDenied(grant) => HostError::AccessDenied(grant),
            types::Error::Invalid(reason) => HostError::Invalid(reason),
            types::Error::TooLarge(limit) => HostError::TooLarge(limit),
            types::Error::QuotaExceeded(budget) => HostError::QuotaExceeded(budget),
            types::Error::Unavailable(service) => HostError::Unavailable(service),
            types::Error::Other((code, message)) => HostError::Other { code, message },
        }
    }
}

impl From<queue::Verdict> for Verdict {
    fn from(verdict: queue::Verdict) -> Verdict {
        match verdict {
            queue::Verdict::Accepted(id) => Verdict::Accepted(id),
            queue::Verdict::UniqueConflict(id) => Verdict::UniqueConflict(id),
            queue::Verdict::Rejected(reason) => Verdict::Rejected(reason),
        }
    }
}

impl From<Level> for log::Level {
    fn from(level: Level) -> log::Level {
        match level {
            Level::Trace => log::Level::Trace,
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        }
    }
}
