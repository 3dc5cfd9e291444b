//! `gristmill dev`: builds a plugin and runs it on the same input again, whenever its sources change.

use std::path::PathBuf;
use std::time::Duration;

use gristmill::job::time::monotonic;
use gristmill::job::wire::JobView;
use gristmill::{CancellationToken, Host, JobId};
use tokio::sync::Mutex;

use self::sources::Sources;
use super::args::{OptionArgs, checked, request};
use super::build::{Builder, Built};
use super::error::{Error, one_line};
use super::exit::Exit;
use super::input::{InputArgs, Kept};
use super::limits::LimitsArgs;
use super::observe::GuestLog;
use super::report::{self, Tail, bytes, micros};
use super::run::end_of;
use super::sdk::SdkArgs;
use super::signals::{Heard, Signals};
use super::{compile, output};

mod sources;

/// Build a plugin and run it again whenever a file of its project changes
///
/// The component is built as by `gristmill build` and gets the input as by `gristmill run`: the result goes to
/// stdout, what the job logs and used to stderr. Where a build fails, its message is shown, and the last good
/// component stays in its place. Ctrl-C ends it at once.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill dev --input 'to be or not to be'
  gristmill dev plugins/subtitles --function convert --input-file movie.srt")]
pub(crate) struct Args {
    /// The project's folder
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// The function to call; may be left out where there is only one
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    limits: LimitsArgs,
    #[command(flatten)]
    sdk: SdkArgs,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Error> {
    let builder = Builder::new(&args.path, None, &args.sdk)?;
    let input = args.input.keep()?;
    let mut sources = Sources::watch(builder.project().folder(), args.input.file())?;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let host = Host::builder()
        .runtime_config(args.limits.apply(compile::sandbox(None))?)
        .concurrency(1)
        // Whoever interrupts wants it to end.
        .grace(Duration::ZERO)
        .observer(GuestLog { names_jobs: false })
        .shutdown_token(stop.clone())
        .abort_token(abort.clone())
        .build()
        .await?;
    let signals = Signals::listen(stop.clone(), abort)?;
    host.start();
    let rounds = Rounds { args: &args, host: &host, builder, input, running: Mutex::default() };
    let ended = stop.run_until_cancelled(Box::pin(rounds.go_on(&mut sources))).await;
    drop(rounds);
    host.shutdown().await?;
    match (ended, signals.heard()) {
        (Some(ended), _) => ended.map(|()| Exit::Completed),
        (None, Some(Heard::Terminate)) => Ok(Exit::Completed),
        (None, _) => Ok(Exit::Interrupted),
    }
}

/// What is built and run, over and over.
struct Rounds<'a> {
    args: &'a Args,
    host: &'a Host,
    builder: Builder,
    input: Kept<'a>,
    /// The job that runs.
    running: Mutex<Option<JobId>>,
}

impl Rounds<'_> {
    /// A round for each change. One that comes in the middle of a round starts it anew.
    async fn go_on(&self, sources: &mut Sources) -> Result<(), Error> {
        loop {
            sources.take_note()?;
            tokio::select! {
                told = self.round() => {
                    told?;
                    output::complain("waits for a change");
                    sources.changed().await?;
                }
                changed = sources.changed() => {
                    changed?;
                    output::complain("a file has changed meanwhile");
                }
            }
            if let Some(id) = self.running.lock().await.take() {
                self.host.cancel(id).await?;
            }
        }
    }

    /// Builds and runs. What goes wrong with the plugin is told, and waited to be mended.
    async fn round(&self) -> Result<(), Error> {
        let begun = monotonic();
        let built = match self.builder.build(self.host).await {
            Ok(built) => built,
            Err(error) => {
                output::complain(&one_line(&error));
                return Ok(());
            }
        };
        for remark in built.remarks() {
            output::complain(remark);
        }
        let took = monotonic().saturating_duration_since(begun).as_secs_f64();
        output::complain(&format!("{} is built, in {took:.1} s", built.component.display()));
        match self.attempt(&built).await {
            Err(error @ (Error::Output(_) | Error::Queue(_))) => Err(error),
            Err(error) => {
                output::complain(&one_line(&error));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn attempt(&self, built: &Built) -> Result<(), Error> {
        let plugin = self.host.load_file(&built.component).await?;
        let function = self.args.function.as_deref();
        let mut request = request(plugin.name().clone(), function, self.input.read()?);
        self.args.options.apply(&mut request)?;
        request.max_attempts = Some(1);
        let job = checked(request)?;
        let id = job.id;
        *self.running.lock().await = Some(id);
        self.host.enqueue(job).await?;
        let Some(job) = end_of(self.host, id).await? else { return Ok(()) };
        self.running.lock().await.take();
        let view = JobView::from(&job);
        report::tell(&view, job.result.as_ref(), false, Tail::Seen)?;
        // Where the result and the lines around it meet, each has its own.
        if job.result.is_some_and(|result| !result.data.ends_with(b"\n")) {
            output::result("", b"\n")?;
        }
        output::complain(&used(&view));
        Ok(())
    }
}

/// What an attempt came to and took, in a line.
fn used(job: &JobView) -> String {
    let came_to = job.outcome.map_or(job.state.as_str(), |outcome| outcome.as_str());
    let Some(usage) = &job.usage else { return came_to.to_owned() };
    format!(
        "{came_to} in {}: {} on a processor, {} of memory, {} host calls, {} cache operations, {} of log",
        micros(usage.wall_us.used),
        micros(usage.cpu_us.used),
        bytes(usage.memory_peak_bytes.used),
        usage.host_calls.used,
        usage.cache_ops.used,
        bytes(usage.log_bytes.used),
    )
}
