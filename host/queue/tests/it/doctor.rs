//! What the doctor says of real servers.

use gristmill_job::SystemClock;
use gristmill_queue::redis::doctor::{Finding, Verdict, diagnose};
use gristmill_queue::redis::{ConnectError, Options};
use gristmill_test_redis::RedisServer;
use redis::cmd;
use tokio::net::TcpListener;

use crate::support::{connect, open};

async fn findings(server: &RedisServer) -> Vec<Finding> {
    let address = server.url().parse().unwrap();
    diagnose(&address, &Options::default(), &SystemClock).await.unwrap()
}

#[track_caller]
fn find<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.name == name).unwrap()
}

fn failed(findings: &[Finding]) -> Vec<&str> {
    let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failed.map(|finding| finding.name).collect()
}

#[tokio::test]
async fn a_durable_server_is_fit() {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--save", ""]);
    connect(&server.url()).await.unwrap();
    let findings = findings(&server).await;
    for name in ["version", "role", "mode", "eviction", "persistence", "memory", "schema", "clock"]
    {
        assert_eq!(find(&findings, name).verdict, Verdict::Ok, "{findings:#?}");
    }
    assert_eq!(find(&findings, "schema").found, "3");
}

#[tokio::test]
async fn a_server_without_persistence_is_warned_of_and_left_as_it_is() {
    let server = RedisServer::start();
    let findings = findings(&server).await;
    assert_eq!(find(&findings, "persistence").verdict, Verdict::Warn);
    assert_eq!(find(&findings, "keys").found, "0 keys, 0 queues");
    assert_eq!(cmd("DBSIZE").query_async(&mut open(&server).await).await, Ok(0));
}

#[tokio::test]
async fn what_no_queue_would_be_kept_on_is_looked_over_all_the_same() {
    let primary = RedisServer::start();
    let port = primary.port().to_string();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port]);
    assert_eq!(failed(&findings(&replica).await), ["role"]);

    cmd("SET").arg("gristmill:schema").arg(9).exec_async(&mut open(&primary).await).await.unwrap();
    assert_eq!(failed(&findings(&primary).await), ["schema"]);

    let cluster = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let findings = findings(&cluster).await;
    assert_eq!(failed(&findings), ["mode", "schema"], "{findings:#?}");
}

#[tokio::test]
async fn a_server_that_forbids_config_is_looked_over_without_it() {
    let server =
        RedisServer::start_with(&["--appendonly", "yes", "--rename-command", "CONFIG", ""]);
    let findings = findings(&server).await;
    let persistence = find(&findings, "persistence");
    assert!(persistence.found.contains("CONFIG can't be read"), "{persistence:?}");
    assert_eq!(find(&findings, "eviction").verdict, Verdict::Ok);
    assert_eq!(failed(&findings), [""; 0]);
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("redis://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = diagnose(&address, &Options::default(), &SystemClock).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}
