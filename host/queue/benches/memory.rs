//! What the memory queue carries on one thread: enqueue, lease and settle, in batches of 64.
//!
//! `cargo bench -p gristmill-queue`; items a second are jobs that went the whole way.

use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use gristmill_job::{
    Digest, NewJob, Payload, PluginName, QueueName, SystemClock, UniqueKey, Usage, WorkerId,
};
use gristmill_queue::{Config, Cycle, Leased, MemoryQueue, Queue, Settlement};
use tokio::runtime::Runtime;

const BATCH: usize = 64;
const ROUNDS: usize = 100;

fn main() {
    divan::main();
}

/// Jobs that wait all the while behind those that are served.
#[divan::bench(args = [0, 1_000, 1_000_000])]
fn enqueue_lease_settle(bencher: Bencher<'_, '_>, waiting: usize) {
    let mill = Mill::new(waiting);
    bencher
        .counter(ItemsCount::new(BATCH * ROUNDS))
        .with_inputs(|| mill.jobs(|_| None))
        .bench_local_values(|jobs| mill.run(jobs));
}

#[divan::bench]
fn with_unique_keys(bencher: Bencher<'_, '_>) {
    let mill = Mill::new(0);
    bencher
        .counter(ItemsCount::new(BATCH * ROUNDS))
        .with_inputs(|| mill.jobs(|i| UniqueKey::new(&format!("customer-{i}")).ok()))
        .bench_local_values(|jobs| mill.run(jobs));
}

struct Mill {
    runtime: Runtime,
    queue: MemoryQueue,
    worker: WorkerId,
    plugin: PluginName,
    digest: Digest,
}

impl Mill {
    fn new(waiting: usize) -> Self {
        let config = Config { waiting_items_max: u64::MAX, ..Config::default() };
        let mill = Self {
            runtime: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
            queue: MemoryQueue::new(config, Arc::new(SystemClock)),
            worker: WorkerId::random(),
            plugin: PluginName::new("echo").expect("a name"),
            digest: Digest::of(b"echo"),
        };
        for _ in 0..waiting.div_ceil(BATCH) {
            mill.enqueue((0..BATCH).map(|_| mill.job(None)).collect());
        }
        mill
    }

    fn job(&self, unique_key: Option<UniqueKey>) -> NewJob {
        let input = Payload::bytes(vec![0; 100]);
        NewJob { unique_key, ..NewJob::new(self.plugin.clone(), input) }
    }

    fn jobs(&self, key: impl Fn(usize) -> Option<UniqueKey>) -> Vec<Vec<NewJob>> {
        let batch = |round| (0..BATCH).map(|i| self.job(key(round * BATCH + i))).collect();
        (0..ROUNDS).map(batch).collect()
    }

    fn enqueue(&self, batch: Vec<NewJob>) {
        let verdicts = self.runtime.block_on(self.queue.enqueue(batch));
        assert!(verdicts.is_ok());
    }

    fn cycle(&self, settlements: Vec<Settlement>, want: usize) -> Vec<Leased> {
        let cycle = Cycle::new(QueueName::default(), self.worker, Duration::from_secs(10));
        let mut cycle = Cycle { settlements, want, want_bytes: 1 << 20, ..cycle };
        self.runtime.block_on(self.queue.cycle(&mut cycle)).expect("a reply").jobs
    }

    fn run(&self, jobs: Vec<Vec<NewJob>>) {
        let mut settlements = Vec::new();
        for batch in jobs {
            self.enqueue(batch);
            let leased = self.cycle(std::mem::take(&mut settlements), BATCH);
            assert_eq!(leased.len(), BATCH);
            settlements = leased.iter().map(|job| self.complete(job)).collect();
        }
        self.cycle(settlements, 0);
    }

    fn complete(&self, job: &Leased) -> Settlement {
        Settlement::Complete {
            held: job.held(),
            digest: self.digest,
            result: Some(job.spec.input.clone()),
            usage: Usage::default(),
            follow_ups: Vec::new(),
        }
    }
}
