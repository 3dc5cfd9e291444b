//! `gristmill test`: a plugin's cases, held against its component.

mod diff;
mod format;
mod update;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use futures_util::stream::{self, StreamExt as _};
use gristmill::cases::{
    Case, CaseFile, CaseReport, FindError, Options, Project, Report, Search, Tested, find,
};
use gristmill::job::time::parse_duration;
use gristmill::runtime::Compiler;
use gristmill::{Host, runtime};

use self::format::Teller;
use super::compile;
use super::error::Error;
use super::exit::Exit;
use super::limits::LimitsArgs;
use super::output;

/// Run the cases of a plugin against its component, in the sandbox, without a server
///
/// Cases are in cases/*.toml of a plugin's project, or in NAME.cases/*.toml beside a component NAME.wasm; a
/// folder of projects is tested project by project. Each case has an instance, a queue and a cache of its
/// own, in memory, and the plugin's manifest holds: plugin.toml in the project, else NAME.toml beside the
/// component. Ends with 1 where a case failed, 2 where a file of cases is faulty or there is none, 3 where a
/// component can't be used. docs/testing.md has the form of the files.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  gristmill test\n  gristmill test plugins --plugins target/plugins\n  \
                        gristmill test . counts --update"
)]
pub(crate) struct Args {
    /// A plugin's project, a folder of projects, or a component's file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Only cases with this in their title, PLUGIN/FILE: NAME; may be repeated
    filter: Vec<String>,
    /// A folder of built components, looked through before target/plugins in the project and in the
    /// folders above it; may be repeated
    #[arg(
        long,
        value_name = "DIR",
        env = "GRISTMILL_PLUGINS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    plugins: Vec<PathBuf>,
    /// The project's component, wherever it is
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Leave out projects of a folder of them whose component isn't built
    #[arg(long)]
    skip_unbuilt: bool,
    /// How the cases and what came of them are told
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    format: Format,
    /// Write what came into the files of cases that expected something else
    #[arg(long, conflicts_with_all = ["list", "watch"])]
    update: bool,
    /// List the cases, and run none
    #[arg(long)]
    list: bool,
    /// Run again whenever a component, a manifest or a file of cases has changed
    #[arg(long, conflicts_with = "list")]
    watch: bool,
    /// Cases at one time [default: one for each core]
    #[arg(long, value_name = "N", env = "GRISTMILL_CONCURRENCY", hide_env_values = true)]
    concurrency: Option<NonZeroUsize>,
    /// How long a case may take that doesn't say
    #[arg(long, value_name = "DURATION", env = "GRISTMILL_TIMEOUT", hide_env_values = true, default_value = "1m", value_parser = parse_duration)]
    timeout: Duration,
    /// A folder for compiled plugins
    #[arg(long, value_name = "DIR", env = "GRISTMILL_STATE_DIR", hide_env_values = true)]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitsArgs,
}

/// How the cases and what came of them are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a case, then what failed
    Pretty,
    /// JUnit's XML
    Junit,
    /// One object
    Json,
    /// Test Anything Protocol, version 14
    Tap,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    if args.watch {
        return watch::run(&args).await;
    }
    once(&args).await.1
}

/// A project with the cases that were asked for, file by file.
struct Wanted {
    project: Project,
    cases: Vec<(PathBuf, Case)>,
}

impl Args {
    fn find(&self) -> Result<Vec<Project>, Error> {
        let search = Search {
            plugins: self.plugins.clone(),
            component: self.component.clone(),
            skip_unbuilt: self.skip_unbuilt,
        };
        let found = find(&self.path, &search).map_err(|error| match error {
            FindError::NoComponent { .. } => Error::Unusable(format!(
                "{error}; build it, or say where it is with --plugins or --component"
            )),
            error => Error::Usage(error.to_string()),
        })?;
        if !found.unbuilt.is_empty() {
            output::complain(&format!("not built, and left out: {}", found.unbuilt.join(", ")));
        }
        Ok(found.projects)
    }

    async fn host(&self) -> Result<Host, Error> {
        // The author's own component: what it takes to compile is no danger to anybody else.
        let compiler = Compiler::InProcess;
        let sandbox = runtime::Config { compiler, ..compile::sandbox(self.state_dir.as_deref()) };
        let builder = Host::builder().runtime_config(self.limits.apply(sandbox)?);
        Ok(builder.concurrency(self.concurrency()).build().await?)
    }

    fn concurrency(&self) -> usize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.concurrency.unwrap_or_else(cores).get()
    }

    fn is_wanted(&self, project: &Project, file: &std::path::Path, case: &Case) -> bool {
        let title = format!("{}: {}", format::place(&project.name, file), case.name);
        self.filter.is_empty() || self.filter.iter().any(|part| title.contains(part))
    }
}

/// Finds, reads and runs everything once; answers the projects too, as far as they were found.
async fn once(args: &Args) -> (Vec<Project>, Result<Exit, Error>) {
    let projects = match args.find() {
        Ok(projects) => projects,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let ended = match read(args, projects.clone()) {
        Ok(wanted) if args.list => list(&wanted),
        Ok(wanted) => run_all(args, wanted).await,
        Err(error) => Err(error),
    };
    (projects, ended)
}

/// Reads all files of cases before any is run, and tells what is wrong with any of them.
fn read(args: &Args, projects: Vec<Project>) -> Result<Vec<Wanted>, Error> {
    let mut wanted = Vec::new();
    let (mut faults, mut faulty) = (0, 0);
    for project in projects {
        let mut cases = Vec::new();
        for path in &project.files {
            match CaseFile::read(path) {
                Ok(file) => {
                    let asked = file.cases.into_iter();
                    let asked = asked.filter(|case| args.is_wanted(&project, path, case));
                    cases.extend(asked.map(|case| (path.clone(), case)));
                }
                Err(error) => {
                    output::note(&error.to_string());
                    faults += error.faults.len();
                    faulty += 1;
                }
            }
        }
        if !cases.is_empty() {
            wanted.push(Wanted { project, cases });
        }
    }
    if faulty > 0 {
        return Err(Error::Usage(format!("{faults} faults in {faulty} files of cases")));
    }
    if wanted.is_empty() {
        let filter = args.filter.join(", ");
        return Err(Error::Usage(format!("no case has {filter} in its title; --list shows all")));
    }
    Ok(wanted)
}

fn list(wanted: &[Wanted]) -> Result<Exit, Error> {
    let lines = wanted.iter().flat_map(|Wanted { project, cases }| {
        cases
            .iter()
            .map(|(file, case)| format!("{}: {}", format::place(&project.name, file), case.name))
    });
    output::text(&output::tame(&lines.collect::<Vec<_>>().join("\n")))?;
    Ok(Exit::Completed)
}

async fn run_all(args: &Args, wanted: Vec<Wanted>) -> Result<Exit, Error> {
    let host = args.host().await?;
    let count = wanted.iter().map(|wanted| wanted.cases.len()).sum();
    let mut teller = Teller::new(args.format, count);
    let mut report = Report::default();
    for Wanted { project, cases } in wanted {
        let options = Options { timeout: args.timeout };
        let tested = Tested::load(&host, &project, options).await?;
        let running = cases.into_iter().map(|(file, case)| tested.run(case, file));
        // As many at a time as there are cores, and told in the order of the files.
        let mut ended = stream::iter(running).buffered(args.concurrency());
        while let Some(ended) = ended.next().await {
            teller.ended(&ended)?;
            report.cases.push(ended);
        }
    }
    host.shutdown().await?;
    let updated = if args.update { update::update(&report)? } else { update::Updated::default() };
    teller.end(&report, &updated)?;
    let is_settled = |case: &CaseReport| case.is_passed() || updated.has(case);
    let is_passed = report.cases.iter().all(is_settled);
    Ok(if is_passed { Exit::Completed } else { Exit::Unsuccessful })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use gristmill::cases::CASE_TIME_MAX;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_case_has_as_long_as_in_a_test_in_rust() {
        let cli = Cli::parse_from(["gristmill"]);
        assert_eq!(cli.args.timeout, CASE_TIME_MAX);
    }
}
