//! What one is told who gives the address of a server that can't be used.

use std::time::Duration;

use gristmill_job::{JobState, time};
use gristmill_queue::Queue as _;
use gristmill_queue::redis::ConnectError;
use gristmill_test_redis::RedisServer;
use redis::cmd;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::{Fixture, a_job, connect, connect_soon, open};

/// What one is told of a server that answers every connection like this: with nothing but a closed
/// connection, where the answer is empty, and not at all, where there is none.
async fn refusal_of(answer: Option<&'static [u8]>) -> ConnectError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let serving = async {
        let mut taken = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            match answer {
                Some(b"") => drop(stream),
                Some(answer) => {
                    stream.write_all(answer).await.unwrap();
                    taken.push(stream);
                }
                None => taken.push(stream),
            }
        }
    };
    tokio::select! {
        refused = connect_soon(&url) => refused.unwrap_err(),
        () = serving => unreachable!(),
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = connect(&format!("redis://{address}")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn a_missing_and_a_wrong_password_are_refused_and_never_shown() {
    let server = RedisServer::start_with(&["--requirepass", "s3cret"]);
    let port = server.port();
    for login in ["", ":wr0ng@", "nobody:wr0ng@"] {
        let error = connect(&format!("redis://{login}127.0.0.1:{port}")).await.unwrap_err();
        assert!(matches!(error, ConnectError::Login { .. }), "{login}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("wr0ng"), "{error:?}");
        assert!(error.to_string().contains("check user and password"), "{error}");
    }
    assert!(connect(&format!("redis://:s3cret@127.0.0.1:{port}")).await.is_ok());
}

#[tokio::test]
async fn a_server_that_speaks_http_is_none() {
    let error = refusal_of(Some(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")).await;
    assert!(matches!(error, ConnectError::Unusable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_unreachable() {
    let error = refusal_of(Some(b"")).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_unreachable_before_long() {
    let begun = time::monotonic();
    let error = refusal_of(None).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_replica_that_takes_no_writes_is_refused_whatever_it_holds() {
    let server = RedisServer::start();
    let mut connection = open(&server).await;
    let mut follow = cmd("REPLICAOF");
    follow.arg("127.0.0.1").arg(1).exec_async(&mut connection).await.unwrap();
    let error = connect(&server.url()).await.unwrap_err();
    assert!(matches!(error, ConnectError::ReadOnly { .. }), "{error:?}");

    let q = Fixture::start().await;
    q.send(cmd("REPLICAOF").arg("127.0.0.1").arg(1)).await;
    let error = connect(&q.server.url()).await.unwrap_err();
    assert!(matches!(error, ConnectError::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_is_refused_until_it_is_none() {
    let q = Fixture::start().await;
    let kept = q.enqueue(a_job()).await;
    q.send(cmd("REPLICAOF").arg("127.0.0.1").arg(1)).await;
    let error = q.queue.enqueue(vec![a_job()]).await.unwrap_err();
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("read-only replica"));
    q.send(cmd("REPLICAOF").arg("NO").arg("ONE")).await;
    // For a moment it is still believed to be one.
    let again = async { while q.queue.enqueue(vec![a_job()]).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(5), again).await.unwrap();
    assert_eq!(q.queue.get(kept).await.unwrap().unwrap().state, JobState::Queued);
}

#[tokio::test]
async fn keys_of_a_later_schema_are_left_alone() {
    let server = RedisServer::start();
    let mut connection = open(&server).await;
    cmd("SET").arg("gristmill:schema").arg(99).exec_async(&mut connection).await.unwrap();
    let error = connect(&server.url()).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Schema { found, .. } if found == "99"), "{error:?}");
    assert_eq!(cmd("DBSIZE").query_async(&mut connection).await, Ok(1));
}
