//! A server whose memory is full.

use std::time::Duration;

use gristmill_job::{JobState, QueueName, RejectionCode, Verdict};
use gristmill_queue::Queue as _;
use gristmill_test_redis::RedisServer;
use redis::cmd;

use crate::support::{Fixture, a_job, a_job_with, complete, connect, fail};

/// Jobs that a worker holds when the server becomes full.
const HELD: usize = 20;

/// A server that takes a few hundred large jobs.
async fn a_small_server() -> Fixture {
    let q = Fixture::on(RedisServer::start()).await;
    let info: String = q.ask(cmd("INFO").arg("memory")).await;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let max = used.trim().parse::<u64>().unwrap() + (8 << 20);
    q.send(cmd("CONFIG").arg("SET").arg("maxmemory").arg(max)).await;
    q
}

/// Enqueues until the server is full.
async fn fill(q: &Fixture) -> usize {
    for taken in 0..1_000 {
        match q.queue.enqueue(vec![a_job_with(&vec![b'.'; 60_000])]).await.unwrap().remove(0) {
            Verdict::Created => {}
            Verdict::Rejected(rejection) => {
                assert_eq!(rejection.code, RejectionCode::QueueFull);
                return taken;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the server never became full");
}

#[tokio::test]
async fn a_full_server_refuses_jobs_and_lets_those_that_run_come_to_their_end() {
    let q = a_small_server().await;
    let mut worker = q.worker();
    for _ in 0..HELD {
        q.enqueue(a_job_with(&vec![b'.'; 60_000])).await;
    }
    worker.lease(HELD).await;
    assert!(fill(&q).await > 10);

    let held = worker.held.clone();
    let (completed, failed) = held.split_at(HELD / 2);
    worker.settle(completed.iter().map(|held| complete(*held)).collect()).await;
    worker.settle(failed.iter().map(|held| fail(*held, None)).collect()).await;
    assert_eq!(q.queue.clear_failed(&QueueName::default()).await.unwrap(), 10);
    q.enqueue(a_job()).await;
}

#[tokio::test]
async fn a_jobs_end_can_be_waited_for_on_a_full_server() {
    let q = Fixture::start().await;
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let held = worker.lease(1).await[0].held();
    q.send(cmd("CONFIG").arg("SET").arg("maxmemory").arg(1)).await;
    let waiting = q.queue.wait(id, Duration::from_secs(60));
    let settling = async {
        worker.cycle(|_| {}).await.unwrap();
        worker.settle(vec![complete(held)]).await;
    };
    let (waited, ()) = tokio::join!(waiting, settling);
    assert_eq!(waited.unwrap().unwrap().state, JobState::Completed);
}

#[tokio::test]
async fn a_full_server_is_drained_by_whoever_connects_anew() {
    let q = a_small_server().await;
    let filled = fill(&q).await;
    // What is cached by the old connection doesn't help.
    let fresh = connect(&q.server.url()).await.unwrap();
    let q = Fixture { queue: fresh, ..q };
    let mut worker = q.worker();
    let mut done = 0;
    while done < filled {
        let leased = worker.lease(16).await;
        assert!(!leased.is_empty());
        done += leased.len();
        worker.settle(leased.iter().map(|job| complete(job.held())).collect()).await;
        for job in leased {
            q.queue.remove(job.spec.id).await.unwrap();
        }
    }
    q.enqueue(a_job()).await;
}
