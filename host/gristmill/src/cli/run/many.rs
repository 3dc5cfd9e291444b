//! `gristmill run --jsonl`: many jobs through the queue, a bounded number at a time.

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use gristmill::job::time::monotonic;
use gristmill::job::wire::JobView;
use gristmill::{
    CancellationToken, Host, Job, JobId, LogObserver, OutcomeKind, PluginName, QueueName, Verdict,
};

use super::super::args::millis;
use super::super::error::Error;
use super::super::exit::Exit;
use super::super::lines::{self, Defaults, Line};
use super::super::observe::GuestLog;
use super::super::output;
use super::super::signals::Signals;
use super::{Args, end_of};

/// Jobs in the queue at one time: enough to keep every executor busy, few enough that an interrupt
/// leaves little behind.
const WINDOW: usize = 256;

pub(super) async fn run(args: &Args, path: &Path) -> Result<Exit, Error> {
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let mut builder = args.host(None)?.grace(args.grace);
    if let Some(concurrency) = args.concurrency {
        builder = builder.concurrency(concurrency);
    }
    let host = builder
        .observer((GuestLog { names_jobs: true }, LogObserver))
        .shutdown_token(stop.clone())
        .abort_token(abort.clone())
        .build()
        .await?;
    let plugin = match args.component()? {
        Some(component) => Some(component.load(&host).await?.name().clone()),
        None => None,
    };
    let lines = read(args, path, plugin)?;
    check(&host, &lines).await?;

    let signals = Signals::listen(stop, abort.clone())?;
    host.start_on(queues(&lines));
    let (ended, tally) = {
        let mut run = Run::new(&host, lines);
        (run.settle_all(args.grace).await, run.tally)
    };
    if ended.is_err() {
        // Nobody hears of the rest.
        abort.cancel();
    }
    host.shutdown().await?;
    ended?;
    output::note(&tally.summary());
    Ok(match signals.heard() {
        Some(_) => Exit::Interrupted,
        None if tally.completed == tally.jobs => Exit::Completed,
        None => Exit::Unsuccessful,
    })
}

fn read(args: &Args, path: &Path, plugin: Option<PluginName>) -> Result<Vec<Line>, Error> {
    let mut defaults = Defaults { plugin, function: args.function.clone(), ..Defaults::default() };
    defaults.set("timeout_ms", args.options.timeout.map(millis));
    // Here and now: whoever wants a job to be tried again says so.
    defaults.set("max_attempts", Some(1));
    lines::read_all(path, &defaults)
}

fn queues(lines: &[Line]) -> BTreeSet<QueueName> {
    let named: BTreeSet<QueueName> = lines.iter().map(|line| line.job.queue.clone()).collect();
    if named.is_empty() { BTreeSet::from([QueueName::default()]) } else { named }
}

/// Checks every job against its plugin, before the first one runs.
async fn check(host: &Host, lines: &[Line]) -> Result<(), Error> {
    for line in lines {
        let job = &line.job;
        let plugin = host.plugin(&job.plugin).await.map_err(|error| Error::At {
            place: line.place.clone(),
            source: Box::new(error.into()),
        })?;
        if let Err(rejection) = plugin.check(job) {
            return Err(lines::at(&line.place, rejection.message));
        }
    }
    Ok(())
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Option<Job>, Error>> + Send + 'a>>;

/// The jobs on their way through the queue.
struct Run<'a> {
    host: &'a Host,
    lines: std::vec::IntoIter<Line>,
    in_flight: FuturesUnordered<Waiting<'a>>,
    tally: Tally,
}

/// What became of the jobs.
#[derive(Debug, Clone, Copy)]
struct Tally {
    jobs: usize,
    completed: usize,
    /// Ended in another way, or were refused.
    unsuccessful: usize,
    begun: Instant,
}

impl<'a> Run<'a> {
    fn new(host: &'a Host, lines: Vec<Line>) -> Self {
        let tally = Tally { jobs: lines.len(), completed: 0, unsuccessful: 0, begun: monotonic() };
        Self { host, lines: lines.into_iter(), in_flight: FuturesUnordered::new(), tally }
    }

    /// Until all jobs have ended, or the worker has.
    async fn settle_all(&mut self, grace: Duration) -> Result<(), Error> {
        let stopping = self.host.stopping().clone();
        let mut is_told = false;
        loop {
            if !stopping.is_cancelled() {
                self.enqueue_more().await?;
            }
            tokio::select! {
                ended = self.in_flight.next() => match ended {
                    Some(ended) => self.tell(ended?)?,
                    // A whole window may have been refused.
                    None if self.lines.len() > 0 && !stopping.is_cancelled() => {}
                    None => return Ok(()),
                },
                () = stopping.cancelled(), if !is_told => {
                    is_told = true;
                    output::complain(&format!(
                        "stopping: running jobs have {grace:?}; interrupt again to end at once"
                    ));
                }
            }
        }
    }

    /// Fills the window up.
    async fn enqueue_more(&mut self) -> Result<(), Error> {
        let room = WINDOW.saturating_sub(self.in_flight.len());
        // A batch for every ended job would cost more than it brings.
        if room < WINDOW / 4 {
            return Ok(());
        }
        let (places, jobs): (Vec<String>, Vec<_>) =
            self.lines.by_ref().take(room).map(|line| (line.place, line.job)).unzip();
        if jobs.is_empty() {
            return Ok(());
        }
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let verdicts = self.host.enqueue_many(jobs).await?;
        for ((id, place), verdict) in ids.into_iter().zip(places).zip(verdicts) {
            let refusal = match verdict {
                Verdict::Created | Verdict::Duplicate => {
                    let host = self.host;
                    self.in_flight.push(end_of(host, id).boxed());
                    continue;
                }
                Verdict::UniqueConflict(owner) => format!("unique_key: job {owner} holds it"),
                Verdict::Rejected(rejection) => rejection.message,
            };
            self.tally.unsuccessful += 1;
            output::complain(&format!("{place}: {refusal}"));
        }
        Ok(())
    }

    /// Prints a job that has ended; one that hasn't was left behind by the worker.
    fn tell(&mut self, ended: Option<Job>) -> Result<(), Error> {
        let Some(job) = ended else { return Ok(()) };
        match job.outcome {
            Some(OutcomeKind::Completed) => self.tally.completed += 1,
            _ => self.tally.unsuccessful += 1,
        }
        output::json_line(&JobView::from(&job))
    }
}

impl Tally {
    fn summary(&self) -> String {
        let Self { jobs, completed, unsuccessful, begun } = self;
        let took = monotonic().saturating_duration_since(*begun).as_secs_f64();
        let not_run = jobs.saturating_sub(completed + unsuccessful);
        let mut text = format!("{jobs} jobs: {completed} completed, {unsuccessful} not");
        if not_run > 0 {
            text.push_str(&format!(", {not_run} given back or not begun"));
        }
        format!("{text}; {took:.1} s")
    }
}
