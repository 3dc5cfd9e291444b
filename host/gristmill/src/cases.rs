//! Cases: what a plugin's author expects of its functions, in files beside it, held against the real
//! component in the real sandbox, with a queue and a cache in memory for each case alone.
//!
//! [`find`] looks for the projects at a path, [`CaseFile::read`] reads a file of cases, [`Tested::load`]
//! makes the plugin ready, and [`Tested::run`] runs a case of it. [`run_all`] does all of that, for tests in
//! Rust that want one line:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let report = gristmill::cases::run_all("plugins/echo").await?;
//! assert!(report.is_passed(), "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! `docs/testing.md` has the form of the files, row by row.

mod compare;
mod content;
mod expected;
mod file;
mod observed;
mod project;
mod run;

use std::fmt;
use std::path::{Path, PathBuf};

pub use compare::{Mismatch, brief, disposition};
pub use content::{Content, normal, shown_payload};
pub use expected::{Expected, ExpectedError, ExpectedJob, ExpectedProgress, Measure, RetryWord};
pub use file::{Case, CaseFile, CaseFileError, Entry};
pub use observed::{CacheKey, Observed};
pub use project::{FindError, Found, Project, Search, find};
pub use run::{CASE_TIME_MAX, Options, Tested};

use crate::error::Error;
use crate::host::Host;

/// What came of a case.
#[derive(Debug)]
pub struct CaseReport {
    /// The plugin.
    pub plugin: String,
    /// The file that the case is in.
    pub file: PathBuf,
    /// The case.
    pub case: Case,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a case.
#[derive(Debug)]
pub enum Verdict {
    /// What was expected.
    Passed(Box<Observed>),
    /// Something else.
    Failed(Box<Observed>, Vec<Mismatch>),
    /// It couldn't be run.
    NotRun(String),
}

impl CaseReport {
    /// Whether what was expected came.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        matches!(self.verdict, Verdict::Passed(_))
    }

    /// What was observed, where the case could be run.
    #[must_use]
    pub fn observed(&self) -> Option<&Observed> {
        match &self.verdict {
            Verdict::Passed(observed) | Verdict::Failed(observed, _) => Some(observed),
            Verdict::NotRun(_) => None,
        }
    }
}

/// What came of many cases.
#[derive(Debug, Default)]
pub struct Report {
    /// The cases, in the order of their files.
    pub cases: Vec<CaseReport>,
}

impl Report {
    /// Whether all of them passed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.cases.iter().all(CaseReport::is_passed)
    }
}

/// The failures, each with what was expected and what came instead.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.cases.iter().filter(|report| !report.is_passed());
        for CaseReport { plugin, file, case, verdict } in failed {
            writeln!(f, "{plugin}: {} ({}:{})", case.name, file.display(), case.line)?;
            match verdict {
                Verdict::Passed(_) => {}
                Verdict::Failed(_, mismatches) => {
                    mismatches.iter().try_for_each(|mismatch| writeln!(f, "  {mismatch}"))?;
                }
                Verdict::NotRun(why) => writeln!(f, "  {why}")?,
            }
        }
        let passed = self.cases.iter().filter(|report| report.is_passed()).count();
        write!(f, "{passed} passed, {} failed", self.cases.len() - passed)
    }
}

/// Why cases couldn't be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There are none, or not where they were looked for.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A file of cases is faulty.
    #[error(transparent)]
    File(#[from] CaseFileError),
    /// A component can't be used, or the host can't be put together.
    #[error(transparent)]
    Host(#[from] Error),
}

/// Runs all cases of the plugins at a path, in a host of their own.
///
/// # Errors
/// [`RunError`]; that a case fails is none.
pub async fn run_all(path: impl AsRef<Path>) -> Result<Report, RunError> {
    let projects = find(path.as_ref(), &Search::default())?.projects;
    let host = Host::builder().concurrency(1).build().await?;
    let mut report = Report::default();
    for project in projects {
        let tested = Tested::load(&host, &project, Options::default()).await?;
        for file in &project.files {
            for case in CaseFile::read(file)?.cases {
                report.cases.push(tested.run(case, file.clone()).await);
            }
        }
    }
    host.shutdown().await?;
    Ok(report)
}
