//! JUnit's XML, as far as those who read it agree on it.

use gristmill::cases::{CaseReport, Report, Verdict};

use super::{place, reasons};

/// The whole document: a suite for each file of cases.
pub(super) fn document(report: &Report) -> String {
    let failed = report.cases.iter().filter(|case| !case.is_passed()).count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{}\" failures=\"{failed}\">",
        report.cases.len()
    );
    let same = |one: &CaseReport, other: &CaseReport| {
        (&one.plugin, &one.file) == (&other.plugin, &other.file)
    };
    for cases in report.cases.chunk_by(same) {
        suite(&mut text, cases);
    }
    text.push_str("\n</testsuites>");
    text
}

fn suite(text: &mut String, cases: &[CaseReport]) {
    let Some(first) = cases.first() else { return };
    let not_run = |case: &&CaseReport| matches!(case.verdict, Verdict::NotRun(_));
    let errors = cases.iter().filter(not_run).count();
    let failures = cases.iter().filter(|case| !case.is_passed()).count() - errors;
    let name = escaped(&place(&first.plugin, &first.file));
    text.push_str(&format!(
        "\n  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\">",
        cases.len()
    ));
    for case in cases {
        let micros = case.observed().map_or(0, |observed| observed.usage.wall_us.used);
        text.push_str(&format!(
            "\n    <testcase classname=\"{name}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{}.{:06}\"",
            escaped(&case.case.name),
            escaped(&case.file.display().to_string()),
            case.case.line,
            micros / 1_000_000,
            micros % 1_000_000,
        ));
        let reasons = reasons(case);
        if reasons.is_empty() {
            text.push_str("/>");
            continue;
        }
        text.push('>');
        let kind = if not_run(&case) { "error" } else { "failure" };
        for (what, why) in reasons {
            text.push_str(&format!(
                "\n      <{kind} message=\"{}\">{}</{kind}>",
                escaped(&what),
                escaped(&why)
            ));
        }
        text.push_str("\n    </testcase>");
    }
    text.push_str("\n  </testsuite>");
}

/// What guests say may hold what XML has no way to write.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_can_not_hold_is_replaced() {
        assert_eq!(
            escaped("<a b=\"1\">&\u{0}\u{1b}\n"),
            "&lt;a b=&quot;1&quot;&gt;&amp;\u{fffd}\u{fffd}\n"
        );
    }
}
