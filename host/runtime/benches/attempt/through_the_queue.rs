//! The whole way: enqueue, lease, run, settle, on the memory queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gristmill_job::{JobState, NewJob, SystemClock, time};
use gristmill_queue::{MemoryQueue, Queue};
use gristmill_runtime::PluginStore;
use gristmill_worker::{Config, Event, Observer, Worker};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{Bench, a_job, per_second};

/// Jobs in one batch of the producer.
const BATCH: u64 = 256;
/// Jobs that may be on their way: the producer waits rather than filling the memory.
const WINDOW: u64 = 4_096;

/// Jobs before anything is measured: by then the queue forgets as many finished ones as come, and no longer
/// takes more memory.
const WARM_UP: u64 = 16_384;

#[derive(Default)]
struct Settled {
    count: AtomicU64,
    progressed: Notify,
}

impl Observer for Settled {
    fn observe(&self, event: &Event) {
        if let Event::Settled { state, .. } = event {
            assert_eq!(*state, JobState::Completed);
            if (self.count.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(BATCH) {
                self.progressed.notify_one();
            }
        }
    }
}

/// Jobs a second from enqueue to settled, each settled exactly once.
pub(crate) fn measure(bench: &Bench, threads: usize, length: Duration) -> f64 {
    let control = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let guests =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let guests = guests.expect("an async runtime");
    let clock = Arc::new(SystemClock);
    let queue = Arc::new(MemoryQueue::new(gristmill_queue::Config::default(), clock));
    let plugins = Arc::new(PluginStore::new(bench.runtime.clone(), None));
    plugins.insert(bench.plugin.clone());
    let settled = Arc::new(Settled::default());
    let config = Config { concurrency: 4 * threads, ..Config::default() };
    let worker = Worker::new(
        config,
        Arc::clone(&queue) as _,
        bench.runtime.clone(),
        plugins,
        Arc::clone(&settled) as _,
        guests.handle().clone(),
    );
    let shutdown = CancellationToken::new();
    control.expect("an async runtime").block_on(async {
        let work = worker.run(shutdown.clone());
        let produce = async {
            let rate = produce(&*queue, &settled, length).await;
            shutdown.cancel();
            rate
        };
        let (worked, rate) = tokio::join!(work, produce);
        worked.expect("all is recorded");
        rate
    })
}

async fn produce(queue: &dyn Queue, settled: &Settled, length: Duration) -> f64 {
    let mut enqueued = 0;
    while settled.count.load(Ordering::Relaxed) < WARM_UP {
        feed(queue, settled, &mut enqueued).await;
    }
    let (started, before) = (time::monotonic(), settled.count.load(Ordering::Relaxed));
    while started.elapsed() < length {
        feed(queue, settled, &mut enqueued).await;
    }
    let rate = per_second(settled.count.load(Ordering::Relaxed) - before, started);
    while settled.count.load(Ordering::Relaxed) < enqueued {
        settled.progressed.notified().await;
    }
    let totals =
        queue.status(&gristmill_job::QueueName::default()).await.expect("it is there").totals;
    assert_eq!((totals.enqueued, totals.completed), (enqueued, enqueued), "exactly once");
    rate
}

/// Enqueues a batch, once there is room in the window.
async fn feed(queue: &dyn Queue, settled: &Settled, enqueued: &mut u64) {
    while *enqueued - settled.count.load(Ordering::Relaxed) >= WINDOW {
        settled.progressed.notified().await;
    }
    let batch: Vec<NewJob> = (0..BATCH).map(|_| a_job()).collect();
    queue.enqueue(batch).await.expect("the queue is there");
    *enqueued += BATCH;
}
