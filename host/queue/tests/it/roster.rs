//! What processes on one server say of themselves and ask of each other.

use std::sync::Arc;
use std::time::Duration;

use gristmill_queue::{Queue as _, RedisQueue, Roster};
use redis::cmd;

use crate::support::{Fixture, LEASE, connect};

/// Two processes, each with its roster.
async fn two(q: &Fixture) -> (Arc<dyn Roster>, Arc<dyn Roster>, RedisQueue) {
    let other = connect(&q.server.url()).await.unwrap();
    (q.queue.roster().unwrap(), other.roster().unwrap(), other)
}

#[tokio::test]
async fn what_a_process_says_others_read_until_it_takes_it_back() {
    let q = Fixture::start().await;
    let (one, two, _other) = two(&q).await;
    assert_eq!(one.others().await.unwrap(), []);
    one.announce("first", LEASE).await.unwrap();
    one.announce("I work", LEASE).await.unwrap();
    assert_eq!(one.others().await.unwrap(), [], "not by itself");
    let heard = two.others().await.unwrap();
    assert_eq!(heard.iter().map(|(_, said)| said.as_str()).collect::<Vec<_>>(), ["I work"]);
    one.withdraw().await.unwrap();
    assert_eq!(two.others().await.unwrap(), []);
}

#[tokio::test]
async fn a_process_that_says_nothing_more_is_forgotten_by_the_server_and_by_whoever_looks() {
    let q = Fixture::start().await;
    let (one, two, _other) = two(&q).await;
    one.announce("I work", LEASE).await.unwrap();
    let (process, _) = two.others().await.unwrap().remove(0);
    let key = format!("gristmill:w:{{workers}}:said:{process}");
    let left: u64 = q.ask(cmd("PTTL").arg(&key)).await;
    let lease = u64::try_from(LEASE.as_millis()).unwrap();
    assert!(left > 0 && left <= lease, "{left}");
    // The time has come.
    q.send(cmd("DEL").arg(&key)).await;
    assert_eq!(two.others().await.unwrap(), []);
    let known: u64 = q.ask(cmd("SCARD").arg("gristmill:w:{workers}:processes")).await;
    assert_eq!(known, 0);
    one.announce("I was slow", LEASE).await.unwrap();
    assert_eq!(two.others().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_asked_of_a_process_rings_and_is_told_once() {
    let q = Fixture::start().await;
    let (one, two, _other) = two(&q).await;
    assert_eq!(one.announce("I work", LEASE).await.unwrap(), Vec::<String>::new());
    let (process, _) = two.others().await.unwrap().remove(0);
    two.ask(process, "quiet").await.unwrap();
    two.ask(process, "stop").await.unwrap();
    tokio::time::timeout(LEASE, one.called()).await.unwrap();
    assert_eq!(one.announce("I work", LEASE).await.unwrap(), ["quiet", "stop"]);
    assert_eq!(one.announce("I work", LEASE).await.unwrap(), Vec::<String>::new());
    for number in 0..100 {
        two.ask(process, &number.to_string()).await.unwrap();
    }
    let told = one.announce("I work", LEASE).await.unwrap();
    assert_eq!((told.len(), told.last().unwrap().as_str()), (16, "99"), "of many, the last");
    let left: i64 =
        q.ask(cmd("PTTL").arg(format!("gristmill:w:{{workers}}:asked:{process}"))).await;
    assert_eq!(left, -2, "nothing is kept");
    two.ask(process, "quiet").await.unwrap();
    let key = format!("gristmill:w:{{workers}}:asked:{process}");
    let left: i64 = q.ask(cmd("PTTL").arg(key)).await;
    assert!(left > 0, "of a process that is gone, nothing is kept for ever");
}

#[tokio::test]
async fn a_process_whose_letters_may_be_lost_is_called() {
    let q = Fixture::start().await;
    let (one, ..) = two(&q).await;
    // Once for the subscription that was made at the start.
    let _ = tokio::time::timeout(Duration::ZERO, one.called()).await;
    q.send(cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub")).await;
    tokio::time::timeout(LEASE, one.called()).await.unwrap();
}
