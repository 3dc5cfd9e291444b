//! What the daemon's log tells of attempts.

use gristmill_job::{JobId, StateName};

use crate::history::What;

/// What a line of the log tells of an attempt, if it tells of one.
pub(crate) fn read(line: &str) -> Option<(JobId, u32, What)> {
    // Fields come after the message, which may be a guest's own words.
    let (message, fields) = line.split_at(line.rfind(" job=")?);
    let field = |name: &str| {
        let value = |word: &str| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        fields.split_whitespace().find_map(value)
    };
    let what = match field("state") {
        Some(state) => What::Settled(state_of(&state)?),
        None if message.ends_with(" an attempt begins") => What::Begun,
        None if message.ends_with(" a job was given back") => What::Released,
        None if message.contains(" an attempt is stopped") => What::Stopped,
        None if message.contains(" an attempt was in vain") => What::Lost,
        None => return None,
    };
    Some((field("job")?.parse().ok()?, field("attempt")?.parse().ok()?, what))
}

fn state_of(name: &str) -> Option<StateName> {
    StateName::ALL.into_iter().find(|state| state.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

    fn what(line: &str) -> Option<What> {
        let line = format!("2026-05-01T12:00:00.000001Z {}", line.replace("ID", ID));
        read(&line).map(|(job, attempt, what)| {
            assert_eq!((job.to_string().as_str(), attempt), (ID, 3));
            what
        })
    }

    #[test]
    fn every_line_about_an_attempt_is_read() {
        let begun = "DEBUG an attempt begins job=ID plugin=moody attempt=3";
        assert_eq!(what(begun), Some(What::Begun));
        let settled = "DEBUG settled job=ID plugin=moody function=well attempt=3 outcome=completed \
                       state=completed wall_us=5";
        assert_eq!(what(settled), Some(What::Settled(StateName::Completed)));
        let failed = " WARN not on attempt 3 job=ID plugin=moody function=later attempt=3 \
                      outcome=failed state=scheduled code=\"failed\"";
        assert_eq!(what(failed), Some(What::Settled(StateName::Scheduled)));
        let released =
            " INFO a job was given back job=ID plugin=moody attempt=3 reason=\"the worker stops\"";
        assert_eq!(what(released), Some(What::Released));
        let stopped =
            " WARN an attempt is stopped: its lease was not renewed in time job=ID attempt=3";
        assert_eq!(what(stopped), Some(What::Stopped));
        let lost = " WARN an attempt was in vain: the job is another worker's by now job=ID \
                    attempt=3";
        assert_eq!(what(lost), Some(What::Lost));
    }

    #[test]
    fn other_lines_tell_nothing() {
        assert_eq!(what(" INFO listening on http://127.0.0.1:1"), None);
        assert_eq!(what("DEBUG progress job=ID done=1"), None);
        assert_eq!(what("DEBUG hello job=ID attempt=3 level=Info"), None);
        assert_eq!(what(" INFO the worker has begun worker=ID"), None);
    }

    #[test]
    fn words_of_a_guest_are_no_fields() {
        let failed =
            " WARN state=completed job=x attempt=9 job=ID attempt=3 state=failed code=\"\"";
        assert_eq!(what(failed), Some(What::Settled(StateName::Failed)));
    }
}
