//! A move of jobs to a server that goes away meanwhile.

use std::sync::Arc;

use gristmill_job::{Clock, JobId, JobState, QueueName, SystemClock, WorkerId};
use gristmill_queue::{Config, Cycle, Error, FallbackQueue, MemoryQueue, Moved, Queue};
use gristmill_test_redis::RedisServer;

use crate::support::{LEASE, a_job, connect};

#[tokio::test]
async fn an_interrupted_move_goes_on_and_starts_nothing_meanwhile() {
    let mut server = RedisServer::start();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let standby: Arc<dyn Queue> = Arc::new(MemoryQueue::new(Config::default(), clock));
    let queue = FallbackQueue::new(Arc::clone(&standby));
    let batch: Vec<_> = (0..200).map(|_| a_job()).collect();
    let ids: Vec<JobId> = batch.iter().map(|job| job.id).collect();
    queue.enqueue(batch).await.unwrap();
    let primary: Arc<dyn Queue> = Arc::new(connect(&server.url()).await.unwrap());
    server.kill();
    let interrupted = queue.switch_to(Arc::clone(&primary)).await;
    assert!(matches!(interrupted, Err(Error::Unavailable(_))), "{interrupted:?}");
    // Whether the server has the batch isn't known, so it must not run here.
    let mut cycle = Cycle::new(QueueName::default(), WorkerId::random(), LEASE);
    cycle.want = 10;
    assert!(standby.cycle(&mut cycle).await.unwrap().jobs.is_empty());
    assert_eq!(queue.get(ids[0]).await.unwrap().unwrap().state, JobState::Queued);
    server.restart();
    let moved = loop {
        // The connection is made anew by itself, which takes a moment.
        if let Ok(moved) = queue.switch_to(Arc::clone(&primary)).await {
            break moved;
        }
    };
    assert_eq!(moved, Moved { moved: 200, left: 0 });
    for id in ids {
        assert!(standby.get(id).await.unwrap().is_none());
        assert_eq!(primary.get(id).await.unwrap().unwrap().state, JobState::Queued);
    }
}
