//! Clients that do too much, or too little.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::fixture::{Server, expect, json, problem};
use crate::{BODY_BYTES_MAX, Kind, limits};

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap()
    }
}

/// Reads to the end of the connection. The clock goes on by itself once nothing else is to be done.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_head_is_cut_off() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let begun = Instant::now();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(!answer.contains("200"), "{answer}");
    let took = begun.elapsed();
    let bounds = limits::HEAD_PATIENCE..limits::HEAD_PATIENCE + Duration::from_secs(2);
    assert!(bounds.contains(&took), "{took:?}");
    expect(server.get("/healthz"), 200).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_body_does_not_come_is_told_so() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = "POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 100\r\nconnection: close\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("/problems/too-slow"), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let long = "x".repeat(4 * limits::HEAD_BYTES_MAX);
    let head = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-long: {long}\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_said_to_be_too_large_is_refused() {
    let server = Server::start().await;
    let refused = problem(server.post(vec![b'['; BODY_BYTES_MAX + 1]), 413).await;
    assert!(refused.is(Kind::BodyTooLarge));
}

#[tokio::test]
async fn a_request_has_an_id_that_comes_back() {
    let server = Server::start().await;
    let given = expect(server.get("/healthz").header("x-request-id", "abc-1"), 200).await;
    assert_eq!(given.headers()["x-request-id"], "abc-1");
    let made = expect(server.get("/v2/nowhere"), 404).await;
    assert_eq!(made.headers()["x-request-id"].len(), 36);
    let odd = expect(server.get("/healthz").header("x-request-id", "a b"), 200).await;
    assert_eq!(odd.headers()["x-request-id"].len(), 36);
}

#[tokio::test]
async fn an_answer_is_compressed_for_whoever_asks_for_it() {
    let server = Server::start().await;
    let plain = json(server.get("/v1/plugins"), 200).await;
    let asked = server.get("/v1/plugins").header("accept-encoding", "gzip");
    let packed = expect(asked, 200).await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().await.unwrap().len() < plain.to_string().len());
}
