//! What happens, as log lines.

use gristmill_job::{LogLevel, LogLine, OutcomeKind};
use gristmill_worker::{Event, Observer};

/// Logs events through `tracing`: failures as warnings, what goes well as debug messages, since
/// there may be thousands of those a second.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogObserver;

impl Observer for LogObserver {
    fn observe(&self, event: &Event) {
        match event {
            Event::WorkerStarted { worker } => tracing::info!(%worker, "the worker has begun"),
            Event::WorkerStopped { worker } => tracing::info!(%worker, "the worker has ended"),
            Event::AttemptStarted { job, attempt } => {
                tracing::debug!(job = %job.id, plugin = %job.plugin, attempt, "an attempt begins");
            }
            Event::Logged { job, line } => {
                tracing::debug!(%job, attempt = line.attempt, level = ?line.level, "{}", line.message);
            }
            Event::Progressed { job, progress } => {
                tracing::debug!(%job, done = progress.done, total = progress.total, "progress");
            }
            Event::Settled { .. } => settled(event),
            Event::Released { job, attempt, reason } => {
                tracing::info!(job = %job.id, plugin = %job.plugin, attempt, reason, "a job was given back");
            }
            Event::Deferred { job, attempt } => {
                tracing::debug!(%job, attempt, "a job waits: as many of its plugin run as may");
            }
            Event::Stopped { job, attempt } => {
                tracing::warn!(%job, attempt, "an attempt is stopped: its lease was not renewed in time");
            }
            Event::LeaseLost { job, attempt } => {
                tracing::warn!(%job, attempt, "an attempt was in vain: the job is another worker's by now");
            }
            Event::QueueUnavailable { queue, error } => {
                tracing::error!(%queue, error, "the queue can't be reached");
            }
            Event::QueueAvailable { queue } => {
                tracing::info!(%queue, "the queue can be reached again");
            }
            other => tracing::debug!(event = ?other, "an event"),
        }
    }
}

/// A line of a guest's log for people, such as `warn: a cue is malformed line=7`.
#[must_use]
pub fn shown_line(line: &LogLine) -> String {
    let level = match line.level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    };
    let mut text = format!("{level}: {}", line.message);
    for (name, value) in &line.fields {
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

fn settled(event: &Event) {
    let Event::Settled { job, attempt, outcome, state, error, usage, .. } = event else { return };
    let (id, plugin, wall_us) = (job.id, &job.plugin, usage.wall_us.used);
    let function = job.function.as_ref().map(tracing::field::display);
    match (outcome, error) {
        (OutcomeKind::Completed | OutcomeKind::Cancelled, _) | (_, None) => {
            tracing::debug!(
                job = %id, %plugin, function, attempt, %outcome, %state, wall_us, "settled"
            );
        }
        (_, Some(error)) => {
            tracing::warn!(
                job = %id, %plugin, function, attempt, %outcome, %state, code = error.code,
                "{}", error.message
            );
        }
    }
}
