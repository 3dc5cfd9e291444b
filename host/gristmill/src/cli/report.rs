//! What became of a job, for people: its result on stdout, or why there is none on stderr.

use gristmill::Payload;
use gristmill::job::wire::{ErrorView, JobView};

use super::error::Error;
use super::exit::Exit;
use super::output;

/// What of a failure is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// The last lines of the log too.
    Log,
    /// The log was there to be read as it came.
    Seen,
}

/// Tells what became of a job: the whole job as JSON, or its result and nothing else; a failure in
/// one clear line on stderr, with what is known of it below.
pub(crate) fn tell(
    job: &JobView,
    result: Option<&Payload>,
    json: bool,
    tail: Tail,
) -> Result<Exit, Error> {
    let exit = Exit::of(job);
    if exit != Exit::Completed {
        output::note(&failure(job, tail));
    }
    if json {
        output::json(job)?;
    } else if let Some(result) = result {
        output::result(&result.content_type, &result.data)?;
    }
    Ok(exit)
}

fn failure(job: &JobView, tail: Tail) -> String {
    let came_to = match job.outcome {
        Some(outcome) => outcome.as_str(),
        None => job.state.as_str(),
    };
    let Some(error) = &job.error else {
        return format!("gristmill: {}: {came_to}", job.plugin);
    };
    let mut text = format!("gristmill: {}: {}", job.plugin, headline(came_to, error));
    for frame in &error.backtrace {
        text.push_str(&format!("\n  at {frame}"));
    }
    if tail == Tail::Log {
        for line in &error.log_tail {
            text.push_str(&format!("\n  log: {line}"));
        }
    }
    text
}

/// A failure in one line; the guest's message may have more.
fn headline(came_to: &str, error: &ErrorView) -> String {
    let message = error.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if error.code == came_to {
        format!("{came_to}: {message}")
    } else {
        format!("{came_to} ({}): {message}", error.code)
    }
}

/// Names and values in two columns.
pub(crate) fn aligned(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = rows.iter().map(|(name, value)| format!("{name:width$}  {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Rows under a head, each column as wide as its widest value.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = value.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let columns = row.iter().zip(widths).map(|(value, width)| format!("{value:width$}"));
        columns.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(&head.map(str::to_owned));
    std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}

/// A number of bytes as people say it, exact below a KiB.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.into_iter().find(|(_, size)| count >= *size) {
        Some((unit, size)) => format!("{} {unit}", tenths(count, size)),
        None => format!("{count} B"),
    }
}

/// A number of microseconds as people say it.
pub(crate) fn micros(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} µs"),
        1_000..1_000_000 => format!("{} ms", tenths(count, 1_000)),
        _ => format!("{} s", tenths(count, 1_000_000)),
    }
}

/// How often `unit` goes into `count`, cut to a tenth.
fn tenths(count: u64, unit: u64) -> String {
    match (count / unit, count % unit * 10 / unit) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes(1_600_000), "1.5 MiB");
        assert_eq!(micros(999), "999 µs");
        assert_eq!(micros(1_250), "1.2 ms");
        assert_eq!(micros(30_000_000), "30 s");
    }

    #[test]
    fn columns_of_a_table_are_as_wide_as_their_widest_value() {
        let rows = [["über".to_owned(), "1".to_owned()], ["x".to_owned(), String::new()]];
        assert_eq!(table(["ID", "COUNT"], &rows), "ID    COUNT\nüber  1\nx");
    }

    #[test]
    fn a_headline_is_one_line_and_names_the_code_once() {
        let error = |code: &str| ErrorView {
            code: code.to_owned(),
            message: "no\nroom".to_owned(),
            detail: None,
            limit: None,
            backtrace: Vec::new(),
            fingerprint: String::new(),
            log_tail: Vec::new(),
        };
        assert_eq!(headline("failed", &error("failed")), "failed: no room");
        assert_eq!(headline("trapped", &error("exit")), "trapped (exit): no room");
    }
}
