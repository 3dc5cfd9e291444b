//! From a job to the request that makes the same job of itself.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gristmill_job::wire::{BackoffRequest, JobRequest, LATEST};
use gristmill_job::{NewJob, Payload, Start, media};
use serde_json::Value;

/// The job on the wire: the request from which [`NewJob::try_from`] makes the same job again.
#[must_use]
pub fn request(job: &NewJob) -> JobRequest {
    let headers = job.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (delay, run_at) = match job.start {
        Start::Now => (None, None),
        Start::After(delay) => (Some(delay), None),
        Start::At(time) => (None, Some(time)),
    };
    let text = ToString::to_string;
    let (input, input_base64, content_type) = input(&job.input);
    JobRequest {
        plugin: text(&job.plugin),
        function: job.function.as_ref().map(ToString::to_string),
        input,
        input_base64,
        content_type,
        queue: Some(job.queue.to_string()),
        priority: Some(job.priority.into()),
        delay_ms: delay.map(millis),
        run_at: run_at.map(|time| time.to_string()),
        max_attempts: job.retry.map(|retry| retry.attempts_max),
        backoff: job.retry.map(|retry| BackoffRequest {
            kind: Some(retry.backoff.kind),
            base_ms: Some(millis(retry.backoff.base)),
            max_ms: Some(millis(retry.backoff.max)),
            jitter: Some(retry.backoff.jitter),
        }),
        timeout_ms: job.timeout.map(millis),
        unique_key: job.unique_key.as_ref().map(ToString::to_string),
        result_ttl_ms: Some(millis(job.result_ttl)),
        headers: Some(headers.collect()),
        traceparent: job.traceparent.clone(),
        digest: match job.digest {
            Some(digest) => Some(digest.to_string()),
            None => job.latest.then(|| LATEST.to_owned()),
        },
        id: Some(job.id.to_string()),
    }
}

/// The input byte for byte: JSON would come out with its spaces and digits changed, so that only
/// text goes as itself.
fn input(payload: &Payload) -> (Option<Value>, Option<String>, Option<String>) {
    if payload.is_none() {
        return (None, None, None);
    }
    let content_type = Some(payload.content_type.clone());
    match std::str::from_utf8(&payload.data) {
        Ok(text) if media::is_text(&payload.content_type) => {
            (Some(Value::String(text.to_owned())), None, content_type)
        }
        _ => (None, Some(STANDARD.encode(&payload.data)), content_type),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use gristmill_job::{Headers, RetryPolicy, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn job(input: Payload) -> NewJob {
        NewJob::new("echo".parse().unwrap(), input)
    }

    #[track_caller]
    fn check_survives(job: NewJob) {
        let json = serde_json::to_string(&request(&job)).unwrap();
        let read: JobRequest = serde_json::from_str(&json).unwrap();
        assert_eq!(NewJob::try_from(read), Ok(job));
    }

    #[test]
    fn a_job_survives_the_wire_with_all_its_options() {
        let mut full = job(Payload::json(&serde_json::json!({"a": 1})));
        full.function = Some("run".parse().unwrap());
        full.digest = Some(gristmill_job::Digest::of(b"x"));
        full.queue = "bulk".parse().unwrap();
        full.priority = 3.try_into().unwrap();
        full.start = Start::At(Timestamp::from_millis(1_777_636_800_250));
        let mut retry = RetryPolicy { attempts_max: 7, ..RetryPolicy::default() };
        retry.backoff.jitter = 0.5;
        full.retry = Some(retry);
        full.timeout = Some(Duration::from_millis(1_500));
        full.unique_key = Some(gristmill_job::UniqueKey::new("k").unwrap());
        full.result_ttl = Duration::from_secs(60);
        full.headers = Headers::new([("tenant".to_owned(), "acme".to_owned())]).unwrap();
        full.traceparent =
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
        check_survives(full);
        let mut delayed = job(Payload::none());
        delayed.start = Start::After(Duration::from_secs(5));
        check_survives(delayed);
    }

    proptest! {
        #[test]
        fn an_input_survives_the_wire_byte_for_byte(
            content_type in "text/plain|text/vtt|application/json|application/octet-stream",
            data in prop_oneof![
                any::<String>().prop_map(String::into_bytes),
                proptest::collection::vec(any::<u8>(), 0..64),
            ],
        ) {
            check_survives(job(Payload { content_type, data: data.into() }));
        }
    }
}
