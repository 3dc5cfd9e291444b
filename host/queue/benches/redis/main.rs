//! What the queue costs on a Redis server, beside what the server gives at most.
//!
//! One run, a server of its own, plain jobs of 100 bytes: jobs a second, and of the server's own
//! counters the time and the calls for each job. `GRISTMILL_BENCH_JOBS` says how many jobs each
//! measurement takes, `GRISTMILL_BENCH_WAITING` how many wait in the large queue.

mod report;
mod work;

use std::sync::Arc;

use gristmill_queue::{Config, RedisQueue};
use gristmill_test_redis::RedisServer;

use self::report::Report;
use self::work::Bench;

/// Jobs of one measurement, unless it is said otherwise.
const JOBS: usize = 40_000;
/// Jobs that wait in the large queue, unless it is said otherwise.
const WAITING: usize = 1_000_000;

fn main() {
    // Cargo passes this to every benchmark; a test run only wants to see it compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(run());
}

async fn run() {
    let server = RedisServer::start();
    let address = server.url().parse().expect("an address");
    let config = Config { waiting_items_max: u64::MAX, ..Config::default() };
    let queue = RedisQueue::connect(address, config).await.expect("a queue");
    let bench = Bench::new(&server, Arc::new(queue)).await;
    let mut report = Report::default();

    let (jobs, waiting) =
        (said("GRISTMILL_BENCH_JOBS", JOBS), said("GRISTMILL_BENCH_WAITING", WAITING));
    report.add("raw: SET of the same bytes, 64 at a time", &bench.raw(jobs).await);
    for producers in [1, 32, 256] {
        let jobs = if producers == 1 { jobs / 10 } else { jobs };
        let name = format!("enqueue one by one, {producers} at a time");
        report.add(&name, &bench.enqueue_singly(jobs, producers).await);
        bench.empty().await;
    }
    for batch in [64, 256] {
        report.add(&format!("enqueue by {batch}"), &bench.enqueue(jobs, batch).await);
        report.add(&format!("lease and settle by {batch}"), &bench.drain(jobs, batch).await);
    }
    bench.empty().await;

    let bytes = bench.fill(waiting).await;
    report.add(&format!("enqueue by 64, {waiting} wait"), &bench.enqueue(jobs, 64).await);
    report.add(&format!("lease and settle by 64, {waiting} wait"), &bench.drain(jobs, 64).await);
    report.add(&format!("cancel, {waiting} wait"), &bench.cancel(1_000).await);
    report.add(&format!("list 100 jobs, {waiting} wait"), &bench.list(50).await);
    report.print();
    report::line(&format!("bytes for each waiting job: {bytes}"));
    report::line(&format!("longest script: {} µs", bench.longest_script().await));
    report::line(&format!("client requests in 10 idle seconds: {}", bench.idle_requests().await));
}

fn said(variable: &str, usual: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
