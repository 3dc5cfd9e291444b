//! Jobs that the server leases to a worker that waits.

use gristmill_job::{JobId, JobState, QueueName};
use gristmill_queue::{Queue as _, Settlement, Woken};
use redis::cmd;

use crate::support::{AWorker, Fixture, a_job, a_job_with, complete, connect};

impl Fixture {
    async fn is_running(&self, id: JobId) -> bool {
        matches!(self.queue.get(id).await.unwrap().unwrap().state, JobState::Running { .. })
    }

    /// Gives the worker that is hungry another ticket, as if its letters were lost.
    async fn lose_letters(&self) {
        let key = "gristmill:{default}:hungry";
        let hungry: Vec<Vec<u8>> = self.ask(cmd("ZRANGE").arg(key).arg(0).arg(-1)).await;
        let [mut member] = hungry.try_into().unwrap();
        *member.last_mut().unwrap() ^= 4;
        self.send(cmd("DEL").arg(key)).await;
        self.send(cmd("ZADD").arg(key).arg(1).arg(member)).await;
    }
}

/// A cycle that finds nothing, after which a job may be assigned.
async fn stand_by(worker: &mut AWorker<'_>, room: usize) {
    let cycle = worker.cycle(|cycle| (cycle.want, cycle.assignable) = (room, true));
    assert!(cycle.await.unwrap().jobs.is_empty());
}

#[tokio::test]
async fn a_worker_that_waits_is_assigned_a_job_in_the_step_that_takes_it_over() {
    let q = Fixture::start().await;
    let mut worker = q.worker();
    stand_by(&mut worker, 1).await;
    let before = q.queue.info().await.unwrap().round_trips;
    let id = q.enqueue(a_job()).await;
    let Woken { assigned, ask } = q.queue.wake(worker.id, &[QueueName::default()]).await;
    assert_eq!((assigned.len(), assigned[0].1.spec.id, ask), (1, id, false));
    let after = q.queue.info().await.unwrap().round_trips;
    // The enqueueing, and what it takes to ask for the count.
    assert!(after - before <= 2, "{} round trips", after - before);
    worker.held.push(assigned[0].1.held());
    worker.settle(vec![complete(assigned[0].1.held())]).await;
}

#[tokio::test]
async fn a_worker_with_more_room_is_called_without_asking_for_it() {
    let q = Fixture::start().await;
    let mut worker = q.worker();
    stand_by(&mut worker, 2).await;
    q.enqueue(a_job()).await;
    let queues = [QueueName::default()];
    assert_eq!(q.queue.wake(worker.id, &queues).await.assigned.len(), 1);
    let before = q.queue.info().await.unwrap().round_trips;
    let (woken, _) = tokio::join!(q.queue.wake(worker.id, &queues), q.enqueue(a_job()));
    assert!(woken.ask && woken.assigned.is_empty());
    let after = q.queue.info().await.unwrap().round_trips;
    assert!(after - before <= 2, "{} round trips", after - before);
}

#[tokio::test]
async fn a_worker_that_is_gone_is_assigned_nothing() {
    let q = Fixture::start().await;
    let gone = connect(&q.server.url()).await.unwrap();
    let mut worker = AWorker::of(&gone);
    stand_by(&mut worker, 1).await;
    drop(worker);
    drop(gone);
    // Its connection is gone as soon as the server has seen it.
    while q.ask::<Vec<String>>(cmd("PUBSUB").arg("CHANNELS")).await.len() > 1 {}
    let id = q.enqueue(a_job()).await;
    assert!(!q.is_running(id).await, "nobody would have heard of it");
    assert_eq!(q.worker().lease(1).await.len(), 1);
}

#[tokio::test]
async fn what_is_too_large_for_a_letter_is_not_assigned() {
    let q = Fixture::start().await;
    let mut worker = q.worker();
    stand_by(&mut worker, 1).await;
    let id = q.enqueue(a_job_with(&[b'.'; 100_000])).await;
    assert!(!q.is_running(id).await);
    assert!(q.queue.wake(worker.id, &[QueueName::default()]).await.ask);
}

#[tokio::test]
async fn a_letter_that_is_lost_is_made_up_for_by_the_next_cycle() {
    let q = Fixture::start().await;
    let mut worker = q.worker();
    stand_by(&mut worker, 1).await;
    q.lose_letters().await;
    let id = q.enqueue(a_job()).await;
    assert!(q.is_running(id).await);
    let reply = worker.cycle(|_| {}).await.unwrap();
    assert_eq!((reply.jobs.len(), reply.resync), (1, false));
    worker.settle(vec![complete(reply.jobs[0].held())]).await;
}

#[tokio::test]
async fn a_ticket_that_the_server_never_got_leaves_no_other_behind() {
    let q = Fixture::start().await;
    let mut worker = q.worker();
    stand_by(&mut worker, 1).await;
    q.send(cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes")).await;
    worker.cycle(|cycle| (cycle.want, cycle.assignable) = (1, true)).await.unwrap_err();
    worker.resync().await;
    stand_by(&mut worker, 1).await;
    let id = q.enqueue(a_job()).await;
    assert!(q.is_running(id).await);
    assert_eq!(worker.cycle(|_| {}).await.unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn a_lost_letter_is_made_up_for_by_a_cycle_of_several_steps() {
    let q = Fixture::start().await;
    let mut worker = q.worker();
    for _ in 0..2 {
        q.enqueue(a_job()).await;
    }
    let leased = worker.lease(2).await;
    stand_by(&mut worker, 1).await;
    q.lose_letters().await;
    let id = q.enqueue(a_job()).await;
    assert!(q.is_running(id).await);
    // More than fits into one step.
    let ends = leased.iter().map(|job| match complete(job.held()) {
        Settlement::Complete { held, digest, result, usage, .. } => {
            let follow_ups = (0..200).map(|_| a_job()).collect();
            Settlement::Complete { held, digest, result, usage, follow_ups }
        }
        other => other,
    });
    let ends = ends.collect();
    let reply = worker.cycle(|cycle| cycle.settlements = ends).await.unwrap();
    assert_eq!((reply.jobs.len(), reply.resync), (1, false));
    assert_eq!(reply.jobs[0].spec.id, id);
}
