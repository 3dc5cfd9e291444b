//! Text in, JSON out: a first job, to be replaced by your own.

use gristmill_guest::prelude::*;
use serde::Serialize;

/// What a text is made of.
#[derive(Serialize, Describe, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its lines, the last one with or without a line break.
    pub lines: usize,
    /// Its words: what stands between white space.
    pub words: usize,
}

/// Counts the lines and words of a text.
#[job]
fn count(ctx: &Ctx, text: String) -> JobResult<Report> {
    let report = Report { lines: text.lines().count(), words: text.split_whitespace().count() };
    ctx.info(format!("counted {} words", report.words));
    Ok(report)
}

gristmill_guest::export!(count);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_words_are_counted() {
        let host = TestHost::new();
        let report = host.run::<count>("to be\nor not".to_owned());
        assert_eq!(report, Ok(Report { lines: 2, words: 4 }));
        assert_eq!(host.log()[0].message, "counted 4 words");
    }
}
