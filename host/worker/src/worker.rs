//! The worker: its parts put together.

use std::sync::Arc;

use gristmill_job::{Clock, SystemClock};
use gristmill_queue::Queue;
use gristmill_runtime::{LastUsed, Notes, PluginStore, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::board::{Board, QueueNotes};
use crate::config::Config;
use crate::controls::Controls;
use crate::dispatcher::Dispatcher;
use crate::event::{Event, Observer};
use crate::executor::Executor;
use crate::pulse::Pulse;
use crate::shift::Shift;

/// Leases jobs, runs them and settles them, until it is told to stop.
pub struct Worker {
    config: Config,
    queue: Arc<dyn Queue>,
    runtime: Runtime,
    plugins: Arc<PluginStore>,
    observer: Arc<dyn Observer>,
    guests: tokio::runtime::Handle,
    clock: Arc<dyn Clock>,
    abort: CancellationToken,
    pulse: Pulse,
    controls: Controls,
}

/// What a worker did in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Attempts whose outcome was recorded.
    pub settled: u64,
    /// Jobs that were given back untouched.
    pub released: u64,
}

impl Worker {
    /// A worker on these queues. Guests run on the async runtime `guests`, which should not be the
    /// one that [`Worker::run`] is called on.
    #[must_use]
    pub fn new(
        config: Config,
        queue: Arc<dyn Queue>,
        runtime: Runtime,
        plugins: Arc<PluginStore>,
        observer: Arc<dyn Observer>,
        guests: tokio::runtime::Handle,
    ) -> Self {
        let (clock, abort) = (Arc::new(SystemClock), CancellationToken::new());
        let (pulse, controls) = (Pulse::default(), Controls::default());
        Self { config, queue, runtime, plugins, observer, guests, clock, abort, pulse, controls }
    }

    /// Takes a token that ends the worker without grace once it is cancelled: what runs is
    /// interrupted and released.
    #[must_use]
    pub fn abort_on(self, abort: CancellationToken) -> Self {
        Self { abort, ..self }
    }

    /// Tells how it is there.
    #[must_use]
    pub fn pulse(self, pulse: Pulse) -> Self {
        Self { pulse, ..self }
    }

    /// Lets itself be changed there.
    #[must_use]
    pub fn controls(self, controls: Controls) -> Self {
        Self { controls, ..self }
    }

    /// Works until `shutdown` is cancelled; then leases nothing more, gives running attempts their
    /// grace, interrupts and releases the rest uncounted, and ends when everything is recorded.
    ///
    /// # Errors
    /// The last settlements couldn't be recorded; the jobs' lease will give them back.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<Summary> {
        let board = Arc::new(Board::new(Arc::clone(&self.observer)));
        let executors = self.start_executors(&board);
        let dispatcher = Dispatcher::new(self.config.clone(), Arc::clone(&board));
        let queues = self.config.queues.iter().map(|share| share.queue.clone());
        self.pulse.begin(self.config.lease, queues);
        let mut shift = Shift {
            queue: Arc::clone(&self.queue),
            board: Arc::clone(&board),
            clock: self.clock,
            lease: self.config.lease,
            pulse: self.pulse,
            controls: self.controls,
            is_ending: false,
            dispatcher,
        };
        self.observer.observe(&Event::WorkerStarted { worker: shift.dispatcher.worker });
        shift.work(&shutdown, &self.abort).await;
        let ended = shift.end(&self.abort).await;
        board.close();
        executors.close();
        if ended.is_ok() {
            // Nothing runs any more. After a failure something may, and nobody should wait for it.
            executors.wait().await;
        }
        self.observer.observe(&Event::WorkerStopped { worker: shift.dispatcher.worker });
        ended.map(|()| Summary {
            settled: shift.dispatcher.settled,
            released: shift.dispatcher.released,
        })
    }

    fn start_executors(&self, board: &Arc<Board>) -> TaskTracker {
        let notes =
            |queue| Arc::new(QueueNotes { board: Arc::clone(board), queue }) as Arc<dyn Notes>;
        let executors = TaskTracker::new();
        for _ in 0..self.config.concurrency {
            let executor = Executor {
                board: Arc::clone(board),
                runtime: self.runtime.apart(),
                plugins: Arc::clone(&self.plugins),
                last_used: LastUsed::of(&self.plugins),
                notes: (0..self.config.queues.len()).map(notes).collect(),
            };
            executors.spawn_on(executor.run(), &self.guests);
        }
        executors
    }
}
