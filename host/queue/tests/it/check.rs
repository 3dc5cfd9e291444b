//! A queue whose keys were damaged: every kind of fault is found, and repaired if it is to be.

mod damage;
mod life;

use std::collections::BTreeSet;

use gristmill_job::{JobId, JobState, QueueName, WorkerId};
use gristmill_queue::Queue as _;
use gristmill_queue::redis::check::FaultKind;
use gristmill_test_redis::RedisServer;
use redis::Cmd;

use self::damage::on;
use self::life::{Life, a_server, bytes, emptied};
use crate::support::{a_job, complete};

/// Damages a queue by each of some commands, and checks that a fault of this kind is found, that
/// nothing is changed until it is to be repaired, and that all jobs come to their end then.
async fn expect(kind: FaultKind, damages: impl AsyncFn(&Life) -> Vec<Vec<Cmd>>) {
    let mut server = RedisServer::start();
    for number in 0.. {
        let q = emptied(server).await;
        let life = Life::of(&q).await;
        let mut damages = damages(&life).await;
        if number == damages.len() {
            return assert!(number > 0);
        }
        for command in &mut damages[number] {
            q.send(command).await;
        }
        let before = life.keys().await;
        let found = life.check(false).await;
        let kinds: BTreeSet<FaultKind> = found.faults.iter().map(|fault| fault.kind).collect();
        assert!(kinds.contains(&kind), "damage {number}: {found:#?}");
        assert_eq!((found.repaired, found.left()), (0, found.found));
        assert!(life.keys().await == before, "damage {number}: something was changed");

        let repaired = life.check(true).await;
        assert_eq!(repaired.left(), 0, "damage {number}: {repaired:#?}");
        let again = life.check(false).await;
        assert_eq!(again.found, 0, "damage {number}: {again:#?} after {repaired:#?}");
        life.end().await;
        drop(life);
        server = q.server;
    }
}

fn a_stranger() -> JobId {
    JobId::random()
}

#[tokio::test]
async fn a_lively_queue_is_well() {
    let q = a_server().await;
    let life = Life::of(&q).await;
    let before = life.keys().await;
    let checked = life.check(true).await;
    Life::expect_well(&checked);
    assert_eq!(checked.jobs, 10);
    assert!(life.keys().await == before, "something was changed");
    life.end().await;
}

#[tokio::test]
async fn a_queue_that_was_never_used_is_well() {
    let q = a_server().await;
    let name = QueueName::new("unused").unwrap();
    let checked = q.queue.check(&name, true).await.unwrap();
    Life::expect_well(&checked);
    assert_eq!(checked.jobs, 0);
}

#[tokio::test]
async fn what_is_kept_of_a_job_that_is_gone_is_removed() {
    expect(FaultKind::Remains, async |life| {
        let gone = a_stranger();
        let note = [bytes(gone), b"c".to_vec()].concat();
        let mut damages: Vec<Vec<Cmd>> = ["ready:0", "scheduled", "failed", "kept", "kept:failed"]
            .map(|line| vec![on(line, "ZADD", &[&"5", &gone])])
            .into();
        damages.extend(
            ["states", "outcomes", "uniques", "lapses", "waiters"]
                .map(|hash| vec![on(hash, "HSET", &[&gone, &"................................"])]),
        );
        damages.push(vec![on("notes", "HSET", &[&note, &"text"])]);
        damages.push(vec![on("ready:1", "ZADD", &[&"5", &"no id at all"])]);
        let jobs = [life.queued, life.retried, life.unique, life.scheduled, life.running];
        let more = [life.cancelling, life.completed, life.failed, life.cancelled];
        for job in jobs.iter().chain(&more) {
            damages.push(vec![on("jobs", "HDEL", &[job])]);
        }
        damages
    })
    .await;
}

#[tokio::test]
async fn jobs_that_cannot_be_read_begin_anew_or_are_removed() {
    expect(FaultKind::Unreadable, async |life| {
        [life.queued, life.retried, life.running, life.cancelling, life.completed, life.unique]
            .iter()
            .flat_map(|job| ["states", "jobs"].map(|hash| vec![on(hash, "HSET", &[job, &"cut"])]))
            .collect()
    })
    .await;
}

#[tokio::test]
async fn a_job_whose_record_is_cut_off_is_not_lost_unless_it_had_ended() {
    let q = a_server().await;
    let life = Life::of(&q).await;
    for job in [life.retried, life.completed] {
        q.send(&mut on("states", "HSET", &[&job, &"cut"])).await;
    }
    life.check(true).await;
    assert_eq!(life.state(life.retried).await, Some(JobState::Queued));
    assert_eq!(life.state(life.completed).await, None);
}

#[tokio::test]
async fn jobs_come_back_to_where_their_state_says() {
    expect(FaultKind::Misplaced, async |life| {
        let zrem = |line, job: JobId| vec![on(line, "ZREM", &[&job])];
        let zadd = |line, job: JobId| vec![on(line, "ZADD", &[&"7", &job])];
        vec![
            zrem("ready:1", life.queued),
            zrem("ready:1", life.retried),
            zadd("ready:1", life.queued),
            zadd("ready:0", life.queued),
            zadd("failed", life.queued),
            zrem("scheduled", life.scheduled),
            zrem("later", life.scheduled),
            zadd("scheduled", life.scheduled),
            zadd("ready:2", life.scheduled),
            vec![on("states", "HDEL", &[&life.scheduled])],
            zadd("ready:1", life.running),
            zadd("later", life.running),
            zrem("completed", life.completed),
            zrem("kept", life.completed),
            zadd("kept", life.completed),
            zadd("ready:1", life.completed),
            zrem("kept:failed", life.failed),
            zadd("kept", life.failed),
            zrem("cancelled", life.cancelled),
            [zrem("ready:1", life.queued), zadd("later", life.queued)].concat(),
        ]
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_job_without_a_record_still_waits_for_its_time() {
    let q = a_server().await;
    let life = Life::of(&q).await;
    q.send(&mut on("states", "HDEL", &[&life.scheduled])).await;
    life.check(true).await;
    assert_eq!(life.state(life.scheduled).await, Some(JobState::Scheduled));
}

#[tokio::test]
async fn a_failed_job_without_a_record_doesnt_keep_the_others_from_being_cleared() {
    let q = a_server().await;
    let life = Life::of(&q).await;
    q.send(&mut on("failed", "ZADD", &[&"0", &a_stranger()])).await;
    // One that the index has by mistake, and that still waits, isn't forgotten.
    q.send(&mut on("failed", "ZADD", &[&"1", &life.queued])).await;
    assert_eq!(q.queue.clear_failed(&QueueName::default()).await.unwrap(), 1);
    assert_eq!(q.queue.clear_failed(&QueueName::default()).await.unwrap(), 0);
    assert_eq!(life.state(life.failed).await, None);
    assert_eq!(life.state(life.queued).await, Some(JobState::Queued));
}

#[tokio::test]
async fn jobs_of_a_worker_without_a_lease_go_back_uncounted() {
    expect(FaultKind::Orphaned, async |life| vec![vec![on("leases", "ZREM", &[&life.worker.id])]])
        .await;

    let q = a_server().await;
    let mut life = Life::of(&q).await;
    q.send(&mut on("leases", "ZREM", &[&life.worker.id])).await;
    life.check(true).await;
    assert_eq!(life.state(life.running).await, Some(JobState::Queued));
    assert_eq!(life.state(life.cancelling).await, Some(JobState::Cancelled));
    let job = q.queue.get(life.running).await.unwrap().unwrap();
    assert_eq!((job.attempt, job.crashes, job.checkpoint.is_some()), (0, 0, true));
    // Should the worker be alive, it is told.
    assert!(life.worker.cycle(|_| {}).await.is_err());
}

#[tokio::test]
async fn what_a_worker_holds_is_what_runs_there() {
    expect(FaultKind::NotHeld, async |life| {
        let held = format!("held:{}", life.worker.id);
        vec![
            vec![on(&held, "SREM", &[&life.running])],
            vec![on(&held, "SREM", &[&life.running, &life.cancelling])],
        ]
    })
    .await;
    expect(FaultKind::Held, async |life| {
        let held = format!("held:{}", life.worker.id);
        let other = format!("held:{}", WorkerId::random());
        vec![
            vec![on(&held, "SADD", &[&life.queued])],
            vec![on(&held, "SADD", &[&a_stranger()])],
            vec![on(&other, "SADD", &[&life.running])],
            vec![on("assigned", "HSET", &[&life.worker.id, &life.queued])],
            vec![on("assigned", "HSET", &[&WorkerId::random(), &life.running])],
        ]
    })
    .await;
}

#[tokio::test]
async fn a_worker_is_told_what_it_is_to_cancel_and_nothing_else() {
    expect(FaultKind::CancelRequest, async |life| {
        let (me, other) = (life.worker.id, WorkerId::random());
        let many = [bytes(life.cancelling), bytes(a_stranger()), bytes(life.queued)].concat();
        vec![
            vec![on("cancelling", "HDEL", &[&me])],
            vec![on("cancelling", "HSET", &[&me, &many])],
            vec![on("cancelling", "HSET", &[&other, &life.cancelling])],
            vec![on("cancelling", "HSET", &[&me, &"odd"])],
        ]
    })
    .await;
}

#[tokio::test]
async fn a_unique_key_belongs_to_a_job_with_a_right_to_it() {
    expect(FaultKind::UniqueKey, async |life| {
        let field = life.field(life.unique).await;
        vec![
            vec![on("unique", "HSET", &[&"gone\0\0key", &a_stranger()])],
            vec![on("unique", "HSET", &[&"ended\0\0key", &life.completed])],
            vec![on("unique", "HSET", &[&"another\0\0key", &life.unique])],
            vec![on("unique", "HSET", &[&field, &life.queued])],
            vec![on("uniques", "HDEL", &[&life.unique])],
        ]
    })
    .await;
    expect(FaultKind::UniqueClaim, async |life| {
        let field = life.field(life.unique).await;
        vec![
            vec![on("unique", "HDEL", &[&field])],
            vec![on("unique", "HSET", &[&field, &a_stranger()])],
            vec![on("unique", "HDEL", &[&field]), on("uniques", "HDEL", &[&life.unique])],
            vec![on("uniques", "HSET", &[&life.queued, &"no key"])],
        ]
    })
    .await;
}

#[tokio::test]
async fn a_unique_key_that_two_jobs_claim_is_told_and_left() {
    let q = a_server().await;
    let life = Life::of(&q).await;
    let field = life.field(life.unique).await;
    q.send(&mut on("uniques", "HSET", &[&life.other_unique, &field])).await;
    let checked = life.check(true).await;
    let left: Vec<_> = checked.faults.iter().filter(|fault| !fault.repaired).collect();
    assert_eq!(left.len(), 1, "{checked:#?}");
    assert_eq!(left[0].kind, FaultKind::UniqueClaim);
    assert_eq!(left[0].subject, life.other_unique.to_string());
    assert_eq!(checked.left(), 1);
    // It goes away with one of them.
    q.queue.remove(life.other_unique).await.unwrap();
    Life::expect_well(&life.check(false).await);
}

#[tokio::test]
async fn notes_and_outcomes_are_marked_as_they_are() {
    expect(FaultKind::Notes, async |life| {
        let field = |kind: &str| [bytes(life.queued), kind.as_bytes().to_vec()].concat();
        let checkpoint = b"\x82\xa1t\xa4text\xa1i\xc4\x00".to_vec();
        vec![vec![on("notes", "HSET", &[&field("c"), &checkpoint, &field("x"), &"text"])]]
    })
    .await;
    expect(FaultKind::Outcome, async |life| {
        vec![
            vec![on("outcomes", "HSET", &[&life.queued, &"text"])],
            vec![on("outcomes", "HDEL", &[&life.completed])],
            vec![on("outcomes", "HDEL", &[&life.retried])],
        ]
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_a_job_that_has_ended_is_told() {
    expect(FaultKind::Waiters, async |life| {
        vec![vec![on("waiters", "HSET", &[&life.failed, &"0123456789abcdef0123456789abcdef"])]]
    })
    .await;
}

#[tokio::test]
async fn jobs_for_other_queues_that_cannot_be_read_are_removed() {
    expect(FaultKind::Outbox, async |_| {
        vec![
            vec![on("outbox", "HSET", &[&a_stranger(), &"no job"])],
            vec![on("outbox", "HSET", &[&"no id", &"no job"])],
        ]
    })
    .await;
}

#[tokio::test]
async fn counters_are_set_to_what_is_counted() {
    expect(FaultKind::Counter, async |_| {
        vec![
            vec![on("meta", "HINCRBY", &[&"bytes", &"5"])],
            vec![on("meta", "HINCRBY", &[&"running", &"-1"])],
            vec![on("meta", "HSET", &[&"turn", &"1"])],
        ]
    })
    .await;
}

#[tokio::test]
async fn everything_at_once_is_repaired_by_one_check() {
    let q = a_server().await;
    let life = Life::of(&q).await;
    for name in ["states", "leases", "ready:1", "later", "unique", "kept", "cancelling", "meta"] {
        q.send(&mut on(name, "DEL", &[])).await;
    }
    let found = life.check(false).await;
    assert!(found.found > 10, "{found:#?}");
    let repaired = life.check(true).await;
    assert_eq!(repaired.left(), 0, "{repaired:#?}");
    Life::expect_well(&life.check(false).await);
    life.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_in_use_is_well_at_every_moment() {
    let q = a_server().await;
    let name = QueueName::default();
    let working = async {
        let mut worker = q.worker();
        for _ in 0..40 {
            q.queue.enqueue((0..50).map(|_| a_job()).collect()).await.unwrap();
            let leased = worker.lease(60).await;
            let (some, rest) = leased.split_at(leased.len() / 2);
            q.queue.cancel(rest[0].spec.id).await.unwrap();
            worker.settle(some.iter().map(|job| complete(job.held())).collect()).await;
            worker.held.clear();
            worker.resync().await;
        }
    };
    let checking = async {
        let mut faults = Vec::new();
        loop {
            faults.extend(q.queue.check(&name, true).await.unwrap().faults);
            assert_eq!(faults, []);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = working => {}
        () = checking => {}
    }
    let checked = q.queue.check(&name, false).await.unwrap();
    assert!(checked.counted && checked.found == 0, "{checked:#?}");
    assert!(checked.jobs > 500);
}

#[tokio::test]
async fn counters_of_a_queue_that_moves_are_not_compared() {
    let q = a_server().await;
    let name = QueueName::default();
    let checking = async { while q.queue.check(&name, false).await.unwrap().counted {} };
    let moving = async {
        loop {
            q.enqueue(a_job()).await;
        }
    };
    tokio::select! {
        () = checking => {}
        () = moving => {}
    }
}
