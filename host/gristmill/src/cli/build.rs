//! `gristmill build`: from a project's folder to a component that is checked and in its place.
//!
//! Each language has a file of its own that makes the component with that language's tools; all else is the
//! same for all. [`dev`](super::dev) builds by the same way.

use std::path::{Path, PathBuf};

use gristmill::runtime::Problem;
use gristmill::{CancellationToken, Host, HostBuilder};

use super::compile;
use super::error::{Error, one_line};
use super::exit::Exit;
use super::new::Language;
use super::output;
use super::report::{aligned, bytes};
use super::sdk::SdkArgs;
use super::signals::Signals;

mod c;
mod child;
mod javascript;
mod linkers;
mod place;
mod project;
mod python;
mod rust;
mod stage;
mod tools;

pub(crate) use self::project::Project;

/// The versions of what makes components that projects are begun with. The checkout's own are the same.
pub(crate) const COMPONENTIZE_QJS: &str = "0.4.5";
pub(crate) const COMPONENTIZE_PY: &str = "0.25.1";

/// Build a plugin's component, check it, and put it where jobs find it
///
/// A folder with a Cargo.toml is built by cargo, one with a package.json by componentize-qjs, one with a
/// pyproject.toml or a plugin.py by componentize-py, one with a plugin.c by clang. What they say goes to stderr. The component and its
/// manifest, plugin.toml, take their places as NAME.wasm and NAME.toml once they have passed the checks of
/// `plugin check`.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill build
  gristmill build plugins/resize --out /srv/plugins")]
pub(crate) struct Args {
    /// The project's folder
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Where to put component and manifest [default: target/plugins in the project's folder]
    #[arg(long, value_name = "DIR", env = "GRISTMILL_OUT", hide_env_values = true)]
    out: Option<PathBuf>,
    /// Build without debug assertions and as small as the project's profile says, which is what it does anyway
    #[arg(long)]
    release: bool,
    #[command(flatten)]
    sdk: SdkArgs,
}

/// How a component is built.
pub(crate) struct Builder {
    project: Project,
    out: PathBuf,
    /// Where the SDK is, if the project doesn't say.
    sdk: Option<PathBuf>,
}

/// A component in its place.
pub(crate) struct Built {
    /// The component's file.
    pub(crate) component: PathBuf,
    /// The manifest's, if there is one.
    manifest: Option<PathBuf>,
    remarks: Vec<String>,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    // There is no other way to build, so the flag changes nothing.
    let _ = args.release;
    let builder = Builder::new(&args.path, args.out.as_deref(), &args.sdk)?;
    let stop = CancellationToken::new();
    let _signals = Signals::listen(stop.clone(), CancellationToken::new())?;
    match stop.run_until_cancelled(builder.build_and_tell()).await {
        Some(told) => told.map(|()| Exit::Completed),
        None => Ok(Exit::Interrupted),
    }
}

impl Builder {
    pub(crate) fn new(path: &Path, out: Option<&Path>, sdk: &SdkArgs) -> Result<Self, Error> {
        let project = Project::at(path)?;
        let out = out.map_or_else(|| project.shown.join("target/plugins"), Path::to_owned);
        Ok(Self { project, out, sdk: sdk.folder()? })
    }

    /// What is built.
    pub(crate) fn project(&self) -> &Project {
        &self.project
    }

    async fn build_and_tell(&self) -> Result<(), Error> {
        let host = checker().build().await?;
        let built = self.build(&host).await?;
        host.shutdown().await?;
        for remark in built.remarks() {
            output::complain(remark);
        }
        output::text(&built.shown()?)
    }

    /// Builds the component and puts it into its place, with its manifest. What is there stays as it is where
    /// anything fails. Safe to drop: what runs is ended.
    pub(crate) async fn build(&self, host: &Host) -> Result<Built, Error> {
        let made = match self.project.language {
            Language::Rust => rust::build(&self.project).await?,
            Language::Js => javascript::build(&self.project, self.sdk.as_deref()).await?,
            Language::Python => python::build(&self.project, self.sdk.as_deref()).await?,
            Language::C => c::build(&self.project).await?,
        };
        let name = self.project.name.as_str();
        let staged = self.project.work()?.join(format!("{name}.wasm"));
        let manifest = self.project.manifest();
        place::component(&made, manifest.as_deref(), &staged).map_err(unplaced)?;
        let remarks = self.check(host, &staged).await?;
        let component = self.out.join(format!("{name}.wasm"));
        place::component(&staged, manifest.as_deref(), &component).map_err(unplaced)?;
        let manifest = manifest.map(|_| component.with_extension("toml"));
        Ok(Built { component, manifest, remarks })
    }

    /// Refuses what couldn't be used; answers what is wrong with this machine alone.
    async fn check(&self, host: &Host, component: &Path) -> Result<Vec<String>, Error> {
        let problems = host.check_file(component).await;
        let told = problems.iter().map(|problem| self.told(problem)).collect::<Vec<_>>();
        if problems.is_empty() || host.load_file(component).await.is_ok() {
            return Ok(told);
        }
        Err(Error::Unusable(told.join("; ")))
    }

    /// A problem under the name of the file that its author knows.
    fn told(&self, Problem { file, message }: &Problem) -> String {
        if file.extension().is_some_and(|extension| extension == "toml") {
            return format!("{}: {message}", self.project.shown.join("plugin.toml").display());
        }
        format!("{}: {message}", self.project.name)
    }
}

/// A host that loads plugins as all others of this program do.
fn checker() -> HostBuilder {
    Host::builder().runtime_config(compile::sandbox(None)).concurrency(1)
}

fn unplaced(error: std::io::Error) -> Error {
    Error::Build(format!("the component can't be put into its place: {}", one_line(&error)))
}

impl Built {
    /// What is granted and isn't there on this machine.
    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// A line for each file, with its size.
    fn shown(&self) -> Result<String, Error> {
        let mut rows = Vec::new();
        for path in std::iter::once(&self.component).chain(&self.manifest) {
            let size = std::fs::metadata(path).map_err(unplaced)?.len();
            rows.push((path.display().to_string(), bytes(size)));
        }
        let rows: Vec<_> = rows.iter().map(|(path, size)| (path.as_str(), size.clone())).collect();
        Ok(aligned(&rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts of the checkout and new projects take the same versions.
    #[test]
    fn the_checkouts_tools_are_those_of_new_projects() {
        let js = include_str!("../../../../scripts/js-tools/package.json");
        assert!(js.contains(&format!("\"componentize-qjs\": \"{COMPONENTIZE_QJS}\"")));
        let python = include_str!("../../../../scripts/python-tools.txt");
        assert!(python.contains(&format!("componentize-py=={COMPONENTIZE_PY} ")));
    }
}
