//! What guests log, on stderr.

use gristmill::job::{JobId, LogLine};
use gristmill::{Event, Observer, shown_line};

use super::output;

/// Writes guests' log lines to stderr as they come.
pub(crate) struct GuestLog {
    /// Whether lines say which job they are of: there is more than one.
    pub(crate) names_jobs: bool,
}

impl Observer for GuestLog {
    fn observe(&self, event: &Event) {
        if let Event::Logged { job, line } = event {
            output::note(&shown(self.names_jobs.then_some(job), line));
        }
    }
}

/// A line of a log that is read later: when it was, and in which attempt.
pub(crate) fn dated(line: &LogLine) -> String {
    format!("{} {} {}", line.at, line.attempt, shown(None, line))
}

fn shown(job: Option<&JobId>, line: &LogLine) -> String {
    let job = job.map(|id| format!("{id} ")).unwrap_or_default();
    job + &shown_line(line)
}

#[cfg(test)]
mod tests {
    use gristmill::job::{LogLevel, Timestamp};

    use super::*;

    #[test]
    fn a_line_shows_level_message_and_fields() {
        let line = LogLine {
            at: Timestamp::default(),
            attempt: 1,
            level: LogLevel::Warn,
            message: "a cue is malformed".to_owned(),
            fields: vec![("line".to_owned(), "7".to_owned())],
        };
        assert_eq!(shown(None, &line), "warn: a cue is malformed line=7");
        let id = "6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse().unwrap();
        assert_eq!(dated(&line), "1970-01-01T00:00:00.000Z 1 warn: a cue is malformed line=7");
        assert!(shown(Some(&id), &line).starts_with("6f9619ff-8b86-d011-b42d-00cf4fc964ff warn: "));
    }
}
