//! Scripts and connections that are lost between two calls.

use std::time::Duration;

use gristmill_job::{JobState, QueueName};
use gristmill_queue::{Error, Queue as _};
use redis::cmd;

use crate::support::{Fixture, a_job, complete};

async fn flush_scripts(q: &Fixture) {
    q.send(cmd("SCRIPT").arg("FLUSH")).await;
}

async fn kill(q: &Fixture, kind: &str) {
    q.send(cmd("CLIENT").arg("KILL").arg("TYPE").arg(kind).arg("SKIPME").arg("yes")).await;
}

#[tokio::test]
async fn flushed_scripts_are_loaded_again() {
    let q = Fixture::start().await;
    let mut worker = q.worker();
    flush_scripts(&q).await;
    let id = q.enqueue(a_job()).await;
    flush_scripts(&q).await;
    let held = worker.lease(1).await[0].held();
    flush_scripts(&q).await;
    worker.settle(vec![complete(held)]).await;
    flush_scripts(&q).await;
    assert_eq!(q.queue.get(id).await.unwrap().unwrap().state, JobState::Completed);
    flush_scripts(&q).await;
    assert_eq!(q.queue.status(&QueueName::default()).await.unwrap().counts.completed, 1);
}

#[tokio::test]
async fn killed_connections_are_made_again() {
    let q = Fixture::start().await;
    for _ in 0..5 {
        kill(&q, "normal").await;
        let id = q.enqueue(a_job()).await;
        kill(&q, "normal").await;
        assert_eq!(q.queue.get(id).await.unwrap().unwrap().state, JobState::Queued);
        kill(&q, "normal").await;
        assert!(q.queue.status(&QueueName::default()).await.unwrap().counts.queued > 0);
    }
}

#[tokio::test]
async fn a_worker_whose_connection_is_killed_loses_nothing() {
    let q = Fixture::start().await;
    for _ in 0..20 {
        q.enqueue(a_job()).await;
    }
    let mut worker = q.worker();
    let mut settled = 0;
    while settled < 20 {
        kill(&q, "normal").await;
        let ends: Vec<_> = worker.held.iter().map(|held| complete(*held)).collect();
        let count = ends.len();
        let turned = worker
            .cycle(|cycle| {
                cycle.settlements = ends;
                cycle.want = 3;
            })
            .await;
        match turned {
            Ok(_) => settled += count,
            // It may or may not have happened: what is held is agreed on anew, and settled then.
            Err(Error::Unavailable(_)) => {
                worker.resync().await;
                settled += count;
                worker.settle(worker.held.iter().map(|held| complete(*held)).collect()).await;
                worker.lease(3).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    let counts = q.queue.status(&QueueName::default()).await.unwrap().counts;
    assert_eq!((counts.completed, counts.running, counts.queued), (20, 0, 0));
}

#[tokio::test]
async fn one_who_waits_hears_of_the_end_over_a_new_subscription() {
    let q = Fixture::start().await;
    let id = q.enqueue(a_job()).await;
    let waiting = q.queue.wait(id, Duration::from_secs(60));
    let rest = async {
        let mut worker = q.worker();
        let held = worker.lease(1).await[0].held();
        kill(&q, "pubsub").await;
        worker.settle(vec![complete(held)]).await;
    };
    let (waited, ()) =
        tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(waiting, rest) })
            .await
            .unwrap();
    assert_eq!(waited.unwrap().unwrap().state, JobState::Completed);
}
