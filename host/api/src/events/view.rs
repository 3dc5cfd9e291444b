//! An event, as users read it.

use std::fmt;
use std::str::FromStr;

use gristmill_job::{
    FunctionName, JobId, LogLevel, OutcomeKind, PluginName, QueueName, StateName, Timestamp,
    WorkerId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What happened; keys that don't belong to an event's kind are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// What kind of event it is.
    pub kind: EventKind,
    /// When it was told.
    pub at: Timestamp,
    /// The worker that it is about, where it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worker: Option<WorkerId>,
    /// The queue.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue: Option<QueueName>,
    /// The plugin.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plugin: Option<PluginName>,
    /// The function that is called.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub function: Option<FunctionName>,
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<JobId>,
    /// Which attempt of the job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<u32>,
    /// What the attempt came to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<OutcomeKind>,
    /// What that led to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<StateName>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<EventError>,
    /// How long the attempt took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wall_us: Option<u64>,
    /// How much a line of the log matters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<LogLevel>,
    /// What a line of the log says, what is being done, or why something happened. Long ones are cut.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// Units done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub done: Option<u64>,
    /// Units in all, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<u64>,
    /// How many events at least this listener will not see.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missed: Option<u64>,
}

/// Why an attempt failed, in short; the job has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventError {
    /// For machines.
    pub code: String,
    /// One line for people.
    pub message: String,
}

/// What kinds of events there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The worker has begun, or goes on under a new id.
    WorkerStarted,
    /// An attempt begins.
    AttemptStarted,
    /// A guest logged a line.
    Logged,
    /// A guest said how far it is.
    Progressed,
    /// An attempt's outcome is recorded.
    Settled,
    /// A job was given back untouched.
    Released,
    /// A job was sent back for a moment: as many of its function run as may.
    Deferred,
    /// An attempt is interrupted: its lease wasn't renewed in time.
    Stopped,
    /// An attempt was in vain: the job is another worker's by now.
    LeaseLost,
    /// The queue can't be reached.
    QueueUnavailable,
    /// The queue can be reached again.
    QueueAvailable,
    /// The worker has come to its end.
    WorkerStopped,
    /// For this listener alone: events came and went before it came back.
    Missed,
    /// For this listener alone, and its last: it reads more slowly than things happen.
    Lagged,
}

/// The kinds that can be asked for.
const KINDS: [(EventKind, &str); 14] = [
    (EventKind::WorkerStarted, "worker_started"),
    (EventKind::AttemptStarted, "attempt_started"),
    (EventKind::Logged, "logged"),
    (EventKind::Progressed, "progressed"),
    (EventKind::Settled, "settled"),
    (EventKind::Released, "released"),
    (EventKind::Deferred, "deferred"),
    (EventKind::Stopped, "stopped"),
    (EventKind::LeaseLost, "lease_lost"),
    (EventKind::QueueUnavailable, "queue_unavailable"),
    (EventKind::QueueAvailable, "queue_available"),
    (EventKind::WorkerStopped, "worker_stopped"),
    (EventKind::Missed, "missed"),
    (EventKind::Lagged, "lagged"),
];

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KINDS[*self as usize].1)
    }
}

impl FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = KINDS.iter().find(|(_, name)| *name == text);
        found.map(|(kind, _)| *kind).ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|(_, name)| *name).collect();
            let shown: String = text.chars().take(32).collect();
            format!("{shown:?} is no kind of event; there are {}", names.join(", "))
        })
    }
}

impl EventView {
    pub(super) fn new(kind: EventKind, at: Timestamp) -> Self {
        Self {
            kind,
            at,
            worker: None,
            queue: None,
            plugin: None,
            function: None,
            job: None,
            attempt: None,
            outcome: None,
            state: None,
            error: None,
            wall_us: None,
            level: None,
            message: None,
            done: None,
            total: None,
            missed: None,
        }
    }

    /// What its texts weigh.
    pub(super) fn bytes(&self) -> usize {
        let error = self.error.as_ref().map_or(0, |e| e.code.len() + e.message.len());
        self.message.as_ref().map_or(0, String::len) + error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_it_is_read() {
        for (place, (kind, name)) in KINDS.iter().enumerate() {
            assert_eq!((*kind as usize, kind.to_string().as_str()), (place, *name));
            assert_eq!(name.parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), **name);
        }
        assert!("done".parse::<EventKind>().unwrap_err().contains("settled"));
    }
}
