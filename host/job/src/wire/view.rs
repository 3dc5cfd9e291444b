//! A job as users read it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Digest, ErrorReport, Job, JobId, OutcomeKind, Payload, Priority, Progress, StateName,
    Timestamp, Usage, media,
};

/// A job as users read it. Keys stay in this order; what isn't known yet is `null`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobView {
    /// The job's id.
    pub id: JobId,
    /// The plugin it calls.
    pub plugin: String,
    /// The function it calls; `null`: the plugin's only one.
    pub function: Option<String>,
    /// The version of the plugin that ran it last, or must run it.
    pub digest: Option<Digest>,
    /// The queue it belongs to.
    pub queue: String,
    /// 0 (most urgent) to 3.
    pub priority: Priority,
    /// Where it is in its life.
    pub state: StateName,
    /// How often it was started.
    pub attempt: u32,
    /// How many outcomes count against its attempts.
    pub failures: u32,
    /// How often its worker died while it held the job.
    pub crashes: u32,
    /// Counted failures that end the job.
    pub max_attempts: u32,
    /// When it was enqueued.
    pub enqueued_at: Timestamp,
    /// The time before which it may not start.
    pub run_at: Timestamp,
    /// When its last attempt started.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub completed_at: Option<Timestamp>,
    /// What its last attempt came to.
    pub outcome: Option<OutcomeKind>,
    /// What it handed back: a JSON value, or text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Value, required = false))]
    pub result: Option<Value>,
    /// What it handed back, where it is neither.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result_base64: Option<String>,
    /// The result's media type, where `result` doesn't say it by its form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result_content_type: Option<String>,
    /// Why its last attempt failed.
    pub error: Option<ErrorView>,
    /// What its last attempt used.
    pub usage: Option<Usage>,
    /// How far its running attempt says it is.
    pub progress: Option<Progress>,
    /// Somebody asked for it to be cancelled, and its worker hasn't settled it yet.
    pub cancel_requested: bool,
    /// The job that enqueued it.
    pub parent_id: Option<JobId>,
    /// How many jobs stand above it in its chain.
    pub depth: u32,
    /// `false` in a reply to its producer whose daemon does without the queue that it was to use: the
    /// job ends with the daemon.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub durable: Option<bool>,
}

/// An error as users read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorView {
    /// For machines.
    pub code: String,
    /// One line for people.
    pub message: String,
    /// What the guest added.
    #[cfg_attr(feature = "openapi", schema(value_type = Value))]
    pub detail: Option<Value>,
    /// The limit that was hit.
    pub limit: Option<String>,
    /// The guest's frames, innermost first.
    pub backtrace: Vec<String>,
    /// The same for equal failures.
    pub fingerprint: String,
    /// The last lines of the guest's log.
    pub log_tail: Vec<String>,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        let result = Rendered::of(job.result.as_ref());
        let cancel_requested = job.state == crate::JobState::Running { cancel_requested: true };
        Self {
            id: job.spec.id,
            plugin: job.spec.plugin.to_string(),
            function: job.spec.function.as_ref().map(ToString::to_string),
            digest: job.digest.or(job.spec.digest),
            queue: job.spec.queue.to_string(),
            priority: job.spec.priority,
            state: job.state.name(),
            attempt: job.attempt,
            failures: job.failures,
            crashes: job.crashes,
            max_attempts: job.spec.retry_policy().attempts_max,
            enqueued_at: job.enqueued_at,
            run_at: job.run_at,
            started_at: job.started_at,
            completed_at: job.completed_at,
            outcome: job.outcome,
            result: result.value,
            result_base64: result.base64,
            result_content_type: result.content_type,
            error: job.error.as_ref().map(ErrorView::from),
            usage: job.usage,
            progress: job.progress.clone(),
            cancel_requested,
            parent_id: job.spec.parent,
            depth: job.spec.depth,
            durable: None,
        }
    }
}

impl From<&ErrorReport> for ErrorView {
    fn from(report: &ErrorReport) -> Self {
        let detail = Rendered::of(report.detail.as_ref());
        Self {
            code: report.code.clone(),
            message: report.message.clone(),
            detail: detail.value.or(detail.base64.map(Value::String)),
            limit: report.limit.clone(),
            backtrace: report.backtrace.clone(),
            fingerprint: report.fingerprint.clone(),
            log_tail: report.log_tail.clone(),
        }
    }
}

/// A payload in JSON: a value of its own where it is JSON, a string where it is text, else base64.
#[derive(Default)]
struct Rendered {
    value: Option<Value>,
    base64: Option<String>,
    content_type: Option<String>,
}

impl Rendered {
    fn of(payload: Option<&Payload>) -> Self {
        let Some(payload) = payload else { return Self::default() };
        let named =
            |usual: &str| (payload.content_type != usual).then(|| payload.content_type.clone());
        if media::is_json(&payload.content_type)
            && let Ok(value) = serde_json::from_slice(&payload.data)
        {
            return Self { value: Some(value), base64: None, content_type: named(media::JSON) };
        }
        if media::is_text(&payload.content_type)
            && let Ok(text) = std::str::from_utf8(&payload.data)
        {
            let value = Some(Value::String(text.to_owned()));
            return Self { value, base64: None, content_type: named(media::TEXT) };
        }
        Self {
            value: None,
            base64: Some(STANDARD.encode(&payload.data)),
            content_type: Some(payload.content_type.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{JobState, NewJob, PluginName};

    fn job(result: Option<Payload>) -> Job {
        let mut spec = NewJob::new(PluginName::new("echo").unwrap(), Payload::none());
        spec.id = "6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse().unwrap();
        Job {
            spec: Arc::new(spec),
            state: JobState::Completed,
            attempt: 1,
            failures: 0,
            crashes: 0,
            digest: None,
            enqueued_at: Timestamp::from_millis(1_777_636_800_000),
            run_at: Timestamp::from_millis(1_777_636_800_000),
            started_at: Some(Timestamp::from_millis(1_777_636_800_010)),
            completed_at: Some(Timestamp::from_millis(1_777_636_800_020)),
            outcome: Some(OutcomeKind::Completed),
            result,
            error: None,
            usage: Some(Usage::default()),
            progress: None,
            checkpoint: None,
        }
    }

    #[test]
    fn a_job_has_all_its_keys() {
        let mut job = job(Some(Payload::text("done")));
        job.error = Some(ErrorReport {
            detail: Some(Payload::json(&serde_json::json!({"status": 503}))),
            ..ErrorReport::new("http-503", "the service is away")
        });
        insta::assert_json_snapshot!(JobView::from(&job));
    }

    #[test]
    fn a_result_takes_the_form_of_its_media_type() {
        let view = |payload| serde_json::to_value(JobView::from(&job(Some(payload)))).unwrap();
        let json = view(Payload::json(&serde_json::json!([1])));
        assert_eq!((&json["result"][0], json.get("result_base64")), (&Value::from(1), None));
        let bytes = view(Payload::bytes(vec![0, 255]));
        assert_eq!((&bytes["result_base64"], bytes.get("result")), (&Value::from("AP8="), None));
        assert_eq!(bytes["result_content_type"], "application/octet-stream");
        // A guest may lie about its media type; the bytes must come through all the same.
        let lie = view(Payload { content_type: "application/json".to_owned(), data: "{".into() });
        assert_eq!(lie["result_base64"], "ew==");
    }
}
