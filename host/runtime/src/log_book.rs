//! What an attempt says while it runs: log lines, progress, checkpoints.

use std::collections::VecDeque;
use std::sync::Arc;

use gristmill_job::{Clock, JobId, LogLevel, LogLine, Payload, Progress};

use crate::config;
use crate::limits::Limits;
use crate::mask::Mask;

/// What a field takes of a line beside its name and value: else empty ones would cost nothing, and a
/// line could have any number of them.
const FIELD_BYTES: usize = 2;

/// What a running attempt has to say.
#[derive(Debug, Clone)]
pub enum Note {
    /// How far it is.
    Progress(Progress),
    /// State for the next attempt.
    Checkpoint(Payload),
    /// A line of its log.
    Log(LogLine),
}

/// Who takes the notes of running attempts. Called in the middle of a host call, so it must neither
/// wait nor panic.
pub trait Notes: Send + Sync + 'static {
    /// Takes a note of a job's attempt.
    fn note(&self, job: JobId, attempt: u32, note: Note);
}

/// Drops all notes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SilentNotes;

impl Notes for SilentNotes {
    fn note(&self, _job: JobId, _attempt: u32, _note: Note) {}
}

/// The log of one attempt, within its budget.
pub(crate) struct LogBook {
    job: JobId,
    attempt: u32,
    notes: Arc<dyn Notes>,
    clock: Arc<dyn Clock>,
    lines_left: u64,
    bytes_left: u64,
    bytes: u64,
    line_bytes_max: usize,
    closed: bool,
    tail: VecDeque<String>,
    mask: Mask,
}

impl LogBook {
    pub(crate) fn new(
        job: JobId,
        attempt: u32,
        notes: Arc<dyn Notes>,
        clock: Arc<dyn Clock>,
        limits: &Limits,
        mask: Mask,
    ) -> Self {
        Self {
            job,
            attempt,
            notes,
            clock,
            lines_left: limits.log_lines_max,
            bytes_left: limits.log_bytes_max,
            bytes: 0,
            line_bytes_max: limits.log_line_bytes_max,
            closed: false,
            tail: VecDeque::new(),
            mask,
        }
    }

    /// Takes a line. The first one beyond the budget is replaced by a remark, further ones are
    /// dropped.
    pub(crate) fn line(&mut self, level: LogLevel, message: &str, fields: Vec<(String, String)>) {
        if self.closed {
            return;
        }
        let message = self.mask.hide(message);
        let message = cut(&message, self.line_bytes_max);
        let fields =
            fields.into_iter().map(|(name, value)| (name, self.mask.hide_in(value))).collect();
        let fields = cut_fields(fields, self.line_bytes_max.saturating_sub(message.len()));
        let size = message.len()
            + fields.iter().map(|(k, v)| FIELD_BYTES + k.len() + v.len()).sum::<usize>();
        if self.lines_left == 0 || size as u64 > self.bytes_left {
            self.closed = true;
            self.pass_on(LogLevel::Warn, "the log is full: further lines are dropped", Vec::new());
            return;
        }
        self.lines_left -= 1;
        self.bytes_left -= size as u64;
        self.bytes += size as u64;
        self.pass_on(level, message, fields);
    }

    /// Keeps a secret out of this log from now on.
    pub(crate) fn hide(&mut self, name: &str, secret: &str) {
        self.mask.add(name, secret);
    }

    /// What it hides, for the log of the guest's next attempt.
    pub(crate) fn take_mask(&mut self) -> Mask {
        std::mem::take(&mut self.mask)
    }

    /// A text of the guest without the secrets in it.
    pub(crate) fn masked(&self, text: String) -> String {
        self.mask.hide_in(text)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    fn pass_on(&mut self, level: LogLevel, message: &str, fields: Vec<(String, String)>) {
        if self.tail.len() == config::LOG_TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(message.to_owned());
        let line = LogLine {
            at: self.clock.now(),
            attempt: self.attempt,
            level,
            message: message.to_owned(),
            fields,
        };
        self.notes.note(self.job, self.attempt, Note::Log(line));
    }
}

/// Cuts a text at a character's boundary.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

fn cut_fields(fields: Vec<(String, String)>, bytes_max: usize) -> Vec<(String, String)> {
    let mut left = bytes_max;
    let mut kept = Vec::new();
    for (name, value) in fields {
        let taken = FIELD_BYTES + name.len();
        let Some(rest) = left.checked_sub(taken).filter(|rest| *rest > 0) else { break };
        let value = cut(&value, rest).to_owned();
        left = rest - value.len();
        kept.push((name, value));
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use gristmill_job::Timestamp;

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Vec<LogLine>>);

    impl Notes for Kept {
        fn note(&self, _job: JobId, _attempt: u32, note: Note) {
            if let Note::Log(line) = note {
                self.0.lock().unwrap().push(line);
            }
        }
    }

    fn book(limits: &Limits) -> (LogBook, Arc<Kept>) {
        let kept = Arc::new(Kept::default());
        let clock = Arc::new(Timestamp::from_millis(0));
        (
            LogBook::new(
                JobId::random(),
                1,
                Arc::clone(&kept) as _,
                clock,
                limits,
                Mask::default(),
            ),
            kept,
        )
    }

    #[test]
    fn a_full_log_says_so_once() {
        let (mut book, kept) = book(&Limits { log_lines_max: 2, ..Limits::default() });
        for _ in 0..5 {
            book.line(LogLevel::Info, "hello", Vec::new());
        }
        let lines = kept.0.lock().unwrap();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].message.contains("full"));
        assert_eq!(book.bytes(), 10);
    }

    #[test]
    fn a_line_is_cut_at_a_characters_boundary() {
        let (mut book, kept) = book(&Limits { log_line_bytes_max: 5, ..Limits::default() });
        let field = ("k".to_owned(), "value".to_owned());
        book.line(LogLevel::Info, "äää", vec![field]);
        let lines = kept.0.lock().unwrap();
        assert_eq!(lines[0].message, "ää");
        assert_eq!(lines[0].fields, []);
    }

    #[test]
    fn the_tail_holds_the_last_lines() {
        let (mut book, _kept) = book(&Limits::default());
        for i in 0..100 {
            book.line(LogLevel::Info, &i.to_string(), Vec::new());
        }
        let tail = book.tail();
        assert_eq!(tail.len(), config::LOG_TAIL_LINES);
        assert_eq!(tail.last().unwrap(), "99");
    }
}
