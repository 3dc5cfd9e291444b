//! How cases and what came of them are told: one teller, four formats.

use std::io::IsTerminal as _;
use std::path::Path;

use gristmill::cases::{CaseReport, Mismatch, Report, Verdict};
use serde::Serialize;

use super::Format;
use super::diff::{self, Line};
use super::update::Updated;
use crate::cli::error::Error;
use crate::cli::output;
use crate::cli::report::micros;

mod junit;

/// Tells what comes of cases, as they end or all at once.
pub(super) struct Teller {
    format: Format,
    colours: bool,
    /// The plugin that was told of last.
    plugin: Option<String>,
    told: usize,
}

/// Where a case is, for people: its plugin, and its file without the folder.
pub(super) fn place(plugin: &str, file: &Path) -> String {
    format!("{plugin}/{}", file.file_stem().unwrap_or_default().to_string_lossy())
}

impl Teller {
    /// Tells of so many cases.
    pub(super) fn new(format: Format, count: usize) -> Self {
        let is_seen = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        if format == Format::Tap {
            // What can't be written now can't be written later either, and is an error there.
            let _ = output::text(&format!("TAP version 14\n1..{count}"));
        }
        Self { format, colours: is_seen, plugin: None, told: 0 }
    }

    /// A case has ended.
    pub(super) fn ended(&mut self, report: &CaseReport) -> Result<(), Error> {
        self.told += 1;
        match self.format {
            Format::Pretty => self.pretty(report),
            Format::Tap => output::text(&tap(self.told, report)),
            Format::Junit | Format::Json => Ok(()),
        }
    }

    /// All cases have ended.
    pub(super) fn end(&self, report: &Report, updated: &Updated) -> Result<(), Error> {
        match self.format {
            Format::Pretty => {
                self.failures(report, updated)?;
                output::text(&format!("\n{}", summary(report, updated)))
            }
            Format::Junit => output::text(&junit::document(report)),
            Format::Json => output::json(&ReportView::new(report, updated)),
            Format::Tap => Ok(()),
        }
    }

    fn pretty(&mut self, report: &CaseReport) -> Result<(), Error> {
        let plugin = place(&report.plugin, &report.file);
        if self.plugin.as_ref() != Some(&plugin) {
            output::text(&output::tame(&plugin))?;
            self.plugin = Some(plugin);
        }
        let word = if report.is_passed() { self.green("ok  ") } else { self.red("FAIL") };
        let name = output::tame(&report.case.name);
        output::text(&format!("  {word}  {name}{}", took(report)))
    }

    fn failures(&self, report: &Report, updated: &Updated) -> Result<(), Error> {
        let failed = report.cases.iter().filter(|case| !case.is_passed() && !updated.has(case));
        for case in failed {
            let title = format!("{}: {}", place(&case.plugin, &case.file), case.case.name);
            output::text(&format!("\n{}", self.red(&output::tame(&title))))?;
            output::text(&format!("  {}:{}", case.file.display(), case.case.line))?;
            match &case.verdict {
                Verdict::Passed(_) => {}
                Verdict::NotRun(why) => output::text(&format!("  {}", output::tame(why)))?,
                Verdict::Failed(_, mismatches) => {
                    mismatches.iter().try_for_each(|mismatch| self.mismatch(mismatch))?;
                }
            }
        }
        for (path, count) in updated.files() {
            output::text(&format!("\n{}: {count} cases updated", path.display()))?;
        }
        Ok(())
    }

    fn mismatch(&self, mismatch: &Mismatch) -> Result<(), Error> {
        output::text(&format!("  {} (- expected, + came)", output::tame(&mismatch.what)))?;
        for line in diff::diff(&mismatch.expected, &mismatch.got) {
            let plain = output::tame(&line.plain());
            let shown = match line {
                Line::Missing(_) => self.red(&plain),
                Line::Extra(_) => self.green(&plain),
                Line::Same(_) | Line::Left(_) => plain,
            };
            output::text(&format!("    {shown}"))?;
        }
        Ok(())
    }

    fn red(&self, text: &str) -> String {
        self.coloured(31, text)
    }

    fn green(&self, text: &str) -> String {
        self.coloured(32, text)
    }

    fn coloured(&self, colour: u8, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn took(report: &CaseReport) -> String {
    let usage = report.observed().map(|observed| observed.usage);
    usage.map(|usage| format!("  {}", micros(usage.wall_us.used))).unwrap_or_default()
}

fn summary(report: &Report, updated: &Updated) -> String {
    let passed = report.cases.iter().filter(|case| case.is_passed()).count();
    let changed = updated.count();
    let failed = report.cases.len() - passed - changed;
    match changed {
        0 => format!("{passed} passed, {failed} failed"),
        _ => format!("{passed} passed, {changed} updated, {failed} failed"),
    }
}

/// Why a case failed, without colours.
fn reasons(report: &CaseReport) -> Vec<(String, String)> {
    match &report.verdict {
        Verdict::Passed(_) => Vec::new(),
        Verdict::NotRun(why) => vec![("not run".to_owned(), why.clone())],
        Verdict::Failed(_, mismatches) => mismatches
            .iter()
            .map(|mismatch| (mismatch.what.clone(), diff::plain(&mismatch.expected, &mismatch.got)))
            .collect(),
    }
}

/// One line of the protocol; a failure has a block of YAML below it.
fn tap(number: usize, report: &CaseReport) -> String {
    let word = if report.is_passed() { "ok" } else { "not ok" };
    let title = format!("{}: {}", place(&report.plugin, &report.file), report.case.name);
    // A `#` begins a directive there.
    let title = title.replace('\\', "\\\\").replace('#', "\\#");
    let mut text = format!("{word} {number} - {title}");
    let reasons = reasons(report);
    if !reasons.is_empty() {
        // A string of JSON is one of YAML.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let at = format!("{}:{}", report.file.display(), report.case.line);
        text.push_str(&format!("\n  ---\n  at: {}", quoted(&at)));
        for (what, why) in reasons {
            text.push_str(&format!("\n  {}: {}", quoted(&what), quoted(&why)));
        }
        text.push_str("\n  ...");
    }
    text
}

#[derive(Serialize)]
struct ReportView<'a> {
    passed: usize,
    failed: usize,
    updated: usize,
    cases: Vec<CaseView<'a>>,
}

#[derive(Serialize)]
struct CaseView<'a> {
    plugin: &'a str,
    file: String,
    line: usize,
    name: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<gristmill::job::Usage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mismatches: Vec<MismatchView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct MismatchView<'a> {
    what: &'a str,
    expected: &'a str,
    got: &'a str,
}

impl<'a> ReportView<'a> {
    fn new(report: &'a Report, updated: &Updated) -> Self {
        let passed = report.cases.iter().filter(|case| case.is_passed()).count();
        let count = updated.count();
        Self {
            passed,
            failed: report.cases.len() - passed - count,
            updated: count,
            cases: report.cases.iter().map(|case| CaseView::new(case, updated.has(case))).collect(),
        }
    }
}

impl<'a> CaseView<'a> {
    fn new(report: &'a CaseReport, is_updated: bool) -> Self {
        let view =
            |m: &'a Mismatch| MismatchView { what: &m.what, expected: &m.expected, got: &m.got };
        let (status, mismatches, error) = match &report.verdict {
            Verdict::Passed(_) => ("passed", Vec::new(), None),
            Verdict::Failed(_, found) => (
                if is_updated { "updated" } else { "failed" },
                found.iter().map(view).collect(),
                None,
            ),
            Verdict::NotRun(why) => ("not_run", Vec::new(), Some(why.as_str())),
        };
        Self {
            plugin: &report.plugin,
            file: report.file.display().to_string(),
            line: report.case.line,
            name: &report.case.name,
            status,
            outcome: report.observed().map(|observed| observed.outcome.kind().as_str()),
            usage: report.observed().map(|observed| observed.usage),
            mismatches,
            error,
        }
    }
}
