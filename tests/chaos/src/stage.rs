//! The server, the workers and the ways between them, and how each fault is brought about on them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gristmill_test_redis::{Proxy, RedisServer, Traffic};

use crate::journal::Journal;
use crate::plan::{Fault, Way};
use crate::process::Process;
use crate::producer::SECOND_QUEUE;

/// How late packets are while they are late.
const LATE: Duration = Duration::from_millis(100);

/// Attempts that a worker runs at one time: few, so that some jobs always wait.
const CONCURRENCY: usize = 4;

/// What faults happen to.
pub(crate) struct Stage {
    pub(crate) server: RedisServer,
    pub(crate) producers: Proxy,
    pub(crate) workers: Vec<Worker>,
    pub(crate) journal: Arc<Journal>,
    /// The server may forget what it had not written yet when it is killed.
    pub(crate) forgets: bool,
    pub(crate) program: PathBuf,
    pub(crate) plugins: PathBuf,
    pub(crate) lease: Duration,
}

/// A worker: its way to the server, and its process while it has one.
pub(crate) struct Worker {
    way: Proxy,
    process: Option<Process>,
}

/// A queue of which only this worker takes jobs: what shows that it is at work.
pub(crate) fn own_queue(worker: usize) -> String {
    format!("worker-{worker}")
}

impl Stage {
    /// Starts one more worker.
    pub(crate) fn hire(&mut self) -> anyhow::Result<()> {
        let way = Proxy::start(self.server.port());
        self.workers.push(Worker { way, process: None });
        self.start(self.workers.len() - 1)
    }

    fn start(&mut self, worker: usize) -> anyhow::Result<()> {
        let way = &self.workers[worker].way;
        let queues = format!("default,{SECOND_QUEUE},{}", own_queue(worker));
        let arguments = [
            "serve",
            "--listen=127.0.0.1:0",
            "--require-redis",
            "--log=info,gristmill=debug",
            &format!("--plugins={}", self.plugins.display()),
            &format!("--redis-url={}", self.server.url_through(way.port())),
            &format!("--queue={queues}"),
            &format!("--lease={}ms", self.lease.as_millis()),
            &format!("--concurrency={CONCURRENCY}"),
        ]
        .map(str::to_owned);
        let process = Process::start(&self.program, &arguments, &self.journal)?;
        self.workers[worker].process = Some(process);
        Ok(())
    }

    pub(crate) fn process(&self, worker: usize) -> anyhow::Result<&Process> {
        self.workers[worker].process.as_ref().context("the worker has no process")
    }

    /// Begins a fault. Nothing else goes wrong until everybody has recovered if it is `alone`.
    pub(crate) fn begin(
        &mut self,
        fault: Fault,
        hold: Duration,
        alone: bool,
    ) -> anyhow::Result<()> {
        let server = &mut self.server;
        match fault {
            Fault::WorkerKilled(worker) => {
                self.journal.kill(self.process(worker)?.number, alone);
                self.workers[worker].process = None;
            }
            Fault::WorkerStopped(worker) => self.process(worker)?.signal("STOP")?,
            Fault::ServerKilled => {
                server.kill();
                if self.forgets {
                    self.journal.roll_back();
                }
            }
            Fault::ServerAsleep => {
                tell(server, &["DEBUG", "SLEEP", &hold.as_secs_f64().to_string()])?;
            }
            Fault::ClientsPaused => {
                tell(server, &["CLIENT", "PAUSE", &hold.as_millis().to_string()])?;
            }
            Fault::ClientsKilled => {
                tell(server, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])?;
                tell(server, &["CLIENT", "KILL", "TYPE", "pubsub"])?;
            }
            Fault::ScriptsFlushed => tell(server, &["SCRIPT", "FLUSH"])?,
            Fault::Cut(way) => {
                self.ways(way).map(Proxy::cut).sum::<usize>();
            }
            Fault::Swallowed(way) => self.ways(way).for_each(|p| p.set(Traffic::Swallowed)),
            Fault::Refused(way) => self.ways(way).for_each(|p| p.set(Traffic::Refused)),
            Fault::Late(way) => self.ways(way).for_each(|p| p.set(Traffic::Late(LATE))),
        }
        Ok(())
    }

    /// Ends a fault.
    pub(crate) fn end(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::WorkerKilled(worker) => self.start(worker)?,
            Fault::WorkerStopped(worker) => self.process(worker)?.signal("CONT")?,
            Fault::ServerKilled => self.server.restart(),
            Fault::Swallowed(way) | Fault::Refused(way) | Fault::Late(way) => {
                self.ways(way).for_each(|proxy| proxy.set(Traffic::Flows));
            }
            // These end by themselves.
            Fault::ServerAsleep
            | Fault::ClientsPaused
            | Fault::ClientsKilled
            | Fault::ScriptsFlushed
            | Fault::Cut(_) => {}
        }
        Ok(())
    }

    fn ways(&self, way: Way) -> impl Iterator<Item = &Proxy> {
        let workers = self.workers.iter().enumerate().filter(move |(number, _)| match way {
            Way::Worker(worker) => *number == worker,
            Way::Producers => false,
            Way::All => true,
        });
        let producers = (!matches!(way, Way::Worker(_))).then_some(&self.producers);
        workers.map(|(_, worker)| &worker.way).chain(producers)
    }

    /// Tells all workers to end, and waits for it.
    pub(crate) fn dismiss(&mut self) -> anyhow::Result<()> {
        let processes: Vec<Process> =
            self.workers.iter_mut().filter_map(|worker| worker.process.take()).collect();
        for process in &processes {
            process.signal("TERM")?;
        }
        processes.into_iter().try_for_each(Process::end)
    }
}

fn tell(server: &RedisServer, command: &[&str]) -> anyhow::Result<()> {
    let told = server.command(command).map_err(anyhow::Error::msg);
    told.map(drop).with_context(|| format!("failed to send {command:?}"))
}
