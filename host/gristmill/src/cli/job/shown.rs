//! A job with all that is known of it, for people.

use gristmill::job::Usage;
use gristmill::job::wire::JobView;
use serde_json::Value;

use super::super::report::{aligned, bytes, micros};

/// Characters of a result that are shown among a job's other facts.
const RESULT_SHOWN_CHARS: usize = 200;

/// A job's state, and whether somebody wants it to end.
pub(super) fn state(job: &JobView) -> String {
    match job.cancel_requested {
        true => format!("{}, to be cancelled", job.state),
        false => job.state.to_string(),
    }
}

/// Its facts, one a line.
pub(super) fn shown(job: &JobView) -> String {
    let attempts = format!(
        "{} started, {} failed of {}, {} crashed",
        job.attempt, job.failures, job.max_attempts, job.crashes
    );
    let function = job.function.clone().unwrap_or_else(|| "(the only one)".to_owned());
    let mut rows = vec![
        ("job", job.id.to_string()),
        ("plugin", job.plugin.clone()),
        ("function", function),
        ("state", state(job)),
        ("attempts", attempts),
        ("queue", format!("{}, priority {}", job.queue, u8::from(job.priority))),
        ("enqueued", job.enqueued_at.to_string()),
    ];
    if job.started_at.is_none() && job.run_at > job.enqueued_at {
        rows.push(("due", job.run_at.to_string()));
    }
    rows.extend(job.started_at.map(|at| ("started", at.to_string())));
    rows.extend(job.completed_at.map(|at| ("ended", at.to_string())));
    rows.extend(job.digest.map(|digest| ("digest", digest.to_string())));
    rows.extend(job.parent_id.map(|id| ("parent", format!("{id}, depth {}", job.depth))));
    rows.extend(job.outcome.map(|outcome| ("outcome", outcome.to_string())));
    if let Some(error) = &job.error {
        rows.push(("error", format!("{} ({})", error.message, error.code)));
        rows.extend(error.backtrace.iter().map(|frame| ("", format!("at {frame}"))));
        rows.extend(error.log_tail.iter().map(|line| ("log", line.clone())));
    }
    rows.extend(result(job).map(|result| ("result", result)));
    rows.extend(job.usage.iter().flat_map(used));
    aligned(&rows)
}

fn result(job: &JobView) -> Option<String> {
    let text = match (&job.result, &job.result_base64) {
        (Some(Value::String(text)), _) => text.clone(),
        (Some(value), _) => value.to_string(),
        (None, Some(base64)) => {
            let kind = job.result_content_type.as_deref().unwrap_or("bytes");
            return Some(format!("{kind}, about {}", bytes(base64.len() as u64 / 4 * 3)));
        }
        (None, None) => return None,
    };
    let one_line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = one_line.chars().take(RESULT_SHOWN_CHARS).collect();
    if shown.len() < one_line.len() {
        shown.push('…');
    }
    Some(shown)
}

fn used(usage: &Usage) -> Vec<(&'static str, String)> {
    let of = |used: String, allowed: String| format!("{used} of {allowed}");
    let times = [("cpu", usage.cpu_us), ("wall", usage.wall_us)];
    let sizes = [
        ("memory", usage.memory_peak_bytes),
        ("cache", usage.cache_bytes),
        ("log", usage.log_bytes),
    ];
    let counts = [("host calls", usage.host_calls), ("cache ops", usage.cache_ops)];
    let times = times.map(|(name, gauge)| (name, of(micros(gauge.used), micros(gauge.allowed))));
    let sizes = sizes.map(|(name, gauge)| (name, of(bytes(gauge.used), bytes(gauge.allowed))));
    let counts =
        counts.map(|(name, gauge)| (name, of(gauge.used.to_string(), gauge.allowed.to_string())));
    times.into_iter().chain(sizes).chain(counts).collect()
}
