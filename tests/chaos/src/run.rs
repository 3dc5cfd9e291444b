//! A run from its beginning to its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use gristmill_job::{NewJob, time};
use gristmill_queue::{Config, Queue, RedisQueue};
use gristmill_test_redis::{Fsync, Program, Proxy, RedisServer, Setup};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::gather;
use crate::journal::Journal;
use crate::plan::{Fault, Plan, Planned};
use crate::producer::{GUEST, KEYS, Producer, a_plain_job, a_unique_job, offer};
use crate::report::{Recovery, Report};
use crate::stage::{Stage, own_queue};

/// Producers at one time: while one waits for an answer, the others go on.
const PRODUCERS: u32 = 4;

/// Jobs in a second, of all producers: enough that most faults meet some at work.
const JOBS_PER_SECOND: u32 = 80;

/// Jobs in a run: a queue forgets what is finished beyond 10,000.
const JOBS_MAX: u32 = 8_000;

/// How long a worker is given to have something to do.
const AT_WORK_PATIENCE: Duration = Duration::from_secs(1);

/// How long a worker may take to be at work again before the run has failed, whatever is promised.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(60);

/// How long all jobs may take to come to their end once nothing goes wrong any more.
const END_PATIENCE: Duration = Duration::from_secs(120);

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The daemon's program.
    pub program: PathBuf,
    /// The folder of the tests' guests.
    pub guests: PathBuf,
    /// The server's program.
    pub server: Program,
    /// What the server keeps when it is killed.
    pub fsync: Fsync,
    /// What the faults come of.
    pub seed: u64,
    /// How long faults go on.
    pub time: Duration,
    /// How many workers there are.
    pub workers: usize,
    /// How long their leases run.
    pub lease: Duration,
    /// Where everything is kept that was told in the run.
    pub journal: Option<PathBuf>,
}

/// Runs, and reports what was seen.
///
/// # Errors
/// The run couldn't be carried out, or didn't come to its end in time. Whether promises were kept
/// is for the report to say.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let (mut stage, plugins) = set_up(options)?;
    let direct = connect(&stage.server.url()).await?;
    let journal = Arc::clone(&stage.journal);
    for _ in 0..options.workers {
        stage.hire()?;
    }
    let (stop, mut producers) = (CancellationToken::new(), JoinSet::new());
    let through = stage.server.url_through(stage.producers.port());
    for number in 0..PRODUCERS {
        let producer = Producer {
            queue: connect(&through).await?,
            journal: Arc::clone(&journal),
            seed: options.seed.wrapping_add(u64::from(number)),
            pace: pace(options.time),
        };
        producers.spawn(producer.run(stop.clone()));
    }

    let mut faults = Faults { recoveries: Vec::new(), begun: Vec::new(), direct };
    faults.go_on(&mut stage, options).await?;
    stop.cancel();
    while let Some(ended) = producers.join_next().await {
        ended??;
    }
    check_keys_are_free(&*faults.direct, &journal).await?;
    gather::wait_for_all(&*faults.direct, &journal, END_PATIENCE).await?;
    stage.dismiss()?;
    let history = gather::history(&*faults.direct, &journal).await?;
    drop(plugins);
    let answers = journal.pages().answers;
    Ok(Report::new(options.clone(), history, faults.begun, faults.recoveries, answers))
}

pub(crate) fn set_up(options: &Options) -> anyhow::Result<(Stage, TempDir)> {
    let plugins = tempfile::tempdir()?;
    let guest = format!("{GUEST}.wasm");
    let from = options.guests.join(&guest);
    std::fs::copy(&from, plugins.path().join(&guest))
        .with_context(|| format!("{} isn't there: run `make plugins`", from.display()))?;
    let setup = Setup::new().program(&options.server).append_only(options.fsync).debug();
    let server = RedisServer::with(setup);
    let stage = Stage {
        producers: Proxy::start(server.port()),
        server,
        workers: Vec::new(),
        journal: Arc::new(Journal::open(options.journal.as_deref())?),
        forgets: options.fsync != Fsync::Always,
        program: options.program.clone(),
        plugins: plugins.path().to_owned(),
        lease: options.lease,
    };
    Ok((stage, plugins))
}

pub(crate) async fn connect(url: &str) -> anyhow::Result<Arc<dyn Queue>> {
    Ok(Arc::new(RedisQueue::connect(url.parse()?, Config::default()).await?))
}

fn pace(time: Duration) -> Duration {
    let of_all = (time / JOBS_MAX).max(Duration::from_secs(1) / JOBS_PER_SECOND);
    of_all * PRODUCERS
}

/// What goes wrong, and how it was survived.
struct Faults {
    begun: Vec<Fault>,
    recoveries: Vec<Recovery>,
    /// A client that no proxy stands before.
    direct: Arc<dyn Queue>,
}

impl Faults {
    /// Brings faults about until their time is over, and ends with all of them ended.
    async fn go_on(&mut self, stage: &mut Stage, options: &Options) -> anyhow::Result<()> {
        let begun = time::monotonic();
        let plan = Plan::new(options.seed, options.workers, options.lease);
        for planned in plan {
            if begun.elapsed() > options.time {
                break;
            }
            let fault = planned.fault;
            self.happen(stage, planned).await.with_context(|| format!("after: {fault}"))?;
        }
        Ok(())
    }

    async fn happen(&mut self, stage: &mut Stage, planned: Planned) -> anyhow::Result<()> {
        let Planned { calm, fault, hold, recover } = planned;
        tokio::time::sleep(calm).await;
        self.begun.push(fault);
        if let Fault::WorkerKilled(worker) | Fault::WorkerStopped(worker) = fault {
            until_at_work(stage, worker).await?;
        }
        stage.journal.note("fault", &format!("{fault} for {hold:?}"));
        stage.begin(fault, hold, recover)?;
        // A sleeping server says that it slept once it is awake.
        let rest = if fault == Fault::ServerAsleep { Duration::ZERO } else { hold };
        tokio::time::sleep(rest).await;
        stage.end(fault)?;
        stage.journal.note("fault", "has ended");
        if !recover {
            return Ok(());
        }
        let ended = stage.journal.now();
        for worker in 0..stage.workers.len() {
            let probe = a_plain_job(&own_queue(worker))?;
            self.run_alone(stage, probe).await?;
            let took = stage.journal.now().saturating_sub(ended);
            self.recoveries.push(Recovery { fault, worker, took });
        }
        if let Fault::WorkerKilled(_) = fault {
            self.await_reruns(stage).await?;
        }
        Ok(())
    }

    /// Enqueues a job and waits for its end.
    async fn run_alone(&self, stage: &Stage, job: NewJob) -> anyhow::Result<()> {
        let (id, queue) = (job.id, job.queue.clone());
        offer(&*self.direct, job, &stage.journal).await?;
        let ended = gather::wait_for(&*self.direct, id, RECOVERY_PATIENCE).await?;
        ensure!(ended, "nobody ran a job of the queue {queue} within {RECOVERY_PATIENCE:?}");
        Ok(())
    }

    /// Gives the jobs of the worker that was killed last their time to run elsewhere.
    async fn await_reruns(&self, stage: &Stage) -> anyhow::Result<()> {
        let kill = stage.journal.pages().kills.last().copied().context("somebody was killed")?;
        for id in stage.journal.held_by(kill.process) {
            let spent = stage.journal.now().saturating_sub(kill.at);
            let patience = (stage.lease + Duration::from_secs(3)).saturating_sub(spent);
            gather::wait_for(&*self.direct, id, patience).await?;
        }
        Ok(())
    }
}

/// Waits for a moment at which a worker runs something, since the death of an idle one tests little.
async fn until_at_work(stage: &Stage, worker: usize) -> anyhow::Result<()> {
    let process = stage.process(worker)?.number;
    let waiting = async {
        loop {
            let more = stage.journal.more();
            if !stage.journal.held_by(process).is_empty() {
                return;
            }
            more.await;
        }
    };
    // Where there is no work, as after a long fault, it ends all the same.
    let _ = tokio::time::timeout(AT_WORK_PATIENCE, waiting).await;
    Ok(())
}

/// Each unique key can be taken again, since whoever held one has come to its end, or will.
async fn check_keys_are_free(queue: &dyn Queue, journal: &Journal) -> anyhow::Result<()> {
    gather::wait_for_all(queue, journal, END_PATIENCE).await?;
    for key in 0..KEYS {
        let taken = offer(queue, a_unique_job(key)?, journal).await?;
        ensure!(taken, "no job is left, and the unique key {key} is still held");
    }
    Ok(())
}
