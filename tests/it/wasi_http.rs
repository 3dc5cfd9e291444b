//! `wasi:http`: what it sends is what `gristmill:job/http` would send, and nothing else.

use gristmill_job::{Outcome, Payload};
use gristmill_runtime::{Limits, Report};
use gristmill_tests::{Sandbox, a_job};
use serde_json::{Value, json};

use crate::http::Server;

/// Runs a function of the guest under a manifest.
async fn run(sandbox: &Sandbox, manifest: &str, function: &str, input: Value) -> Report {
    let plugin = sandbox.guest_with("wasi-http-user", manifest).await.expect("it loads");
    sandbox
        .attempt(&plugin, a_job("wasi-http-user", function, Payload::json(&input)), 1, None)
        .await
}

fn result(report: &Report) -> Value {
    let Outcome::Completed { result: Some(result) } = &report.outcome else { panic!("{report:?}") };
    serde_json::from_slice(&result.data).expect("JSON")
}

/// Sends requests one by one, and answers with what came of each.
async fn send(sandbox: &Sandbox, manifest: &str, calls: Value) -> Vec<Value> {
    let answers = result(&run(sandbox, manifest, "one_by_one", calls).await);
    answers.as_array().expect("a list").clone()
}

#[track_caller]
fn check_code(answer: &Value, code: &str) {
    let error = answer["Err"].as_str().unwrap_or_else(|| panic!("sent: {answer}"));
    assert!(error.contains(code), "{error} should be {code}");
}

#[tokio::test]
pub(crate) async fn wasi_http_user() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let mut call = json!({
        "method": "POST", "authority": server.address, "path": "/a?b=c",
        "headers": [["X-Who", "me"], ["Content-Length", "15"]], "body": "hello", "times": 3,
    });
    for is_early in [false, true] {
        call["early"] = json!(is_early);
        let answer = &send(&sandbox, &server.granted(), json!([call])).await[0]["Ok"];
        let (status, body) = (&answer["status"], &answer["body"]);
        assert_eq!((status, body), (&json!(200), &json!("you asked for /a?b=c")), "{answer}");
        assert!(answer["headers"].as_array().expect("a list").contains(&json!(["x-answer", "42"])));
        let sent = server.requests().pop().expect("a request");
        assert!(sent.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{sent}");
        assert!(sent.ends_with("\r\n\r\nhellohellohello"), "{sent}");
        for header in [&format!("host: {}", server.address), "x-who: me", "content-length: 15"] {
            assert_eq!(sent.matches(&format!("{header}\r\n")).count(), 1, "{sent}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_not_granted_is_denied_and_the_log_says_what_would_grant_it() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let port = server.address.port();
    let call = json!([{ "authority": server.address, "path": "/?key=hunter2" }]);
    check_code(&send(&sandbox, "", call).await[0], "HttpRequestDenied");
    let log = sandbox.recorded.messages().join("\n");
    let granting = format!("\"http://{}\" = \"public\" under [grants.http]", server.address);
    assert!(log.contains(&granting) && log.contains("wasi-http-user.toml"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
    let others = json!([
        { "authority": format!("127.0.0.1:{}", port ^ 1) },
        { "authority": server.address, "scheme": "https" },
        { "authority": format!("localhost:{port}") },
        { "authority": format!("127.0.0.1.example:{port}") },
        { "authority": format!("{}.example", server.address.ip()) },
    ]);
    for answer in send(&sandbox, &server.granted(), others).await {
        check_code(&answer, "HttpRequestDenied");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_would_make_another_host_of_it_is_no_request() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let at = server.address.to_string();
    let calls = json!([
        { "authority": format!("me:secret@{at}") },
        { "authority": format!("{at}/x?") },
        { "authority": format!("evil.example\\@{at}") },
        { "authority": format!("{at}#evil.example") },
        { "authority": "" },
    ]);
    for answer in send(&sandbox, &server.granted(), calls).await {
        check_code(&answer, "HttpRequestUriInvalid");
    }
    let calls = [
        (json!({ "authority": at, "path": "http://evil.example/" }), "path"),
        (json!({ "authority": at, "path": ".evil.example/" }), "path"),
        (json!({ "authority": at, "scheme": "file" }), "HttpProtocolError"),
        (json!({ "authority": at, "method": "CONNECT" }), "HttpRequestMethodInvalid"),
        (json!({ "authority": at, "method": "GET / HTTP/1.1\r\n" }), "HttpRequestMethodInvalid"),
        (json!({ "authority": at, "headers": [["Host", "evil.example"]] }), "Forbidden"),
        (json!({ "authority": at, "headers": [["Transfer-Encoding", "chunked"]] }), "Forbidden"),
        (json!({ "authority": at, "headers": [["x", "a\r\nhost: evil"]] }), "InvalidSyntax"),
    ];
    for (call, code) in calls {
        check_code(&send(&sandbox, &server.granted(), json!([call])).await[0], code);
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_private_address_is_prohibited_unless_it_is_granted() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let port = server.address.port();
    let manifest = format!(
        "[grants.http]\n\"http://127.0.0.1:{port}\" = \"public\"\n\"http://localhost:{port}\" = \"public\""
    );
    let calls = json!([
        { "authority": server.address },
        { "authority": format!("2130706433:{port}") },
        { "authority": format!("localhost:{port}") },
    ]);
    for answer in send(&sandbox, &manifest, calls).await {
        check_code(&answer, "DestinationIpProhibited");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_is_an_answer_of_its_own() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let call = json!([{ "authority": server.address, "path": "/moved" }]);
    assert_eq!(send(&sandbox, &server.granted(), call).await[0]["Ok"]["status"], 302);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_body_is_as_long_as_it_is_said_to_be_and_finished_or_not_sent() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let at = server.address;
    let said = |length: &str| json!([["content-length", length]]);
    let calls = json!([
        { "authority": at, "body": "hello", "headers": said("4"), "method": "POST" },
        { "authority": at, "body": "hello", "headers": said("+5"), "method": "POST" },
        { "authority": at, "headers": said("5"), "method": "POST" },
        { "authority": at, "body": "hello", "unfinished": true, "early": true },
    ]);
    let answers = send(&sandbox, &server.granted(), calls).await;
    check_code(&answers[0], "HttpRequestBodySize(Some(5))");
    check_code(&answers[1], "body");
    check_code(&answers[2], "HttpRequestBodySize(Some(0))");
    check_code(&answers[3], "HttpProtocolError");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn bodies_count_before_they_are_held_and_requests_are_counted() {
    let server = Server::start().await;
    let limits = Limits { http_requests_max: 3, http_bytes_max: 250_000, ..Limits::default() };
    let sandbox = Sandbox::with_limits(limits);
    let at = server.address;
    let endless = json!({ "authority": at, "body": "x".repeat(1000), "times": 1_000_000 });
    check_code(
        &send(&sandbox, &server.granted(), json!([endless])).await[0],
        "HttpRequestBodySize(Some(250000))",
    );
    assert!(server.requests().is_empty());
    let (small, large) = (json!({ "authority": at }), json!({ "authority": at, "path": "/large" }));
    let calls = json!([large, large, large, small]);
    let answers = send(&sandbox, &server.granted(), calls).await;
    assert_eq!(answers[0]["Ok"]["body"].as_str().map(str::len), Some(100_000), "{answers:?}");
    assert_eq!(answers[1]["Ok"]["status"], 200);
    check_code(&answers[2], "HttpResponseBodySize(Some(250000))");
    check_code(&answers[3], "HttpRequestDenied");
    let log = sandbox.recorded.messages().join("\n");
    assert!(log.contains("http_requests: this attempt may use 3"), "{log}");
}

#[tokio::test]
async fn what_a_guest_hoards_of_headers_ends_it() {
    let sandbox = Sandbox::new();
    assert_eq!(result(&run(&sandbox, "", "hoard", json!(1 << 20)).await), 1024);
    let manifest = "[limits]\nhandles = 60000\nhttp_bytes = '4MiB'";
    let report = run(&sandbox, manifest, "hoard", json!(8 << 20)).await;
    let Outcome::LimitExceeded { error } = &report.outcome else { panic!("{report:?}") };
    assert_eq!(error.limit.as_deref(), Some("http_bytes"));
}

#[tokio::test]
async fn what_does_not_answer_in_time_is_a_timeout() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let at = server.address;
    let calls = json!([
        { "authority": at, "path": "/silent", "first_byte_ms": 50 },
        { "authority": at, "path": "/halting", "between_bytes_ms": 50 },
    ]);
    for answer in send(&sandbox, &server.granted(), calls).await {
        check_code(&answer, "ConnectionReadTimeout");
    }
    let manifest = format!("{}[limits]\nwall = '300ms'", server.granted());
    let silent = json!([{ "authority": at, "path": "/silent" }]);
    let report = run(&sandbox, &manifest, "one_by_one", silent).await;
    assert!(matches!(report.outcome, Outcome::TimedOut { .. }), "{report:?}");
}

#[tokio::test]
async fn requests_go_on_beside_each_other_so_many_at_a_time() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let manifest = format!("{}[limits]\nhttp_requests = 100", server.granted());
    let calls = vec![json!({ "authority": server.address }); 18];
    let answers = result(&run(&sandbox, &manifest, "all_at_once", json!(calls)).await);
    let answers = answers.as_array().expect("a list");
    assert!(answers[..16].iter().all(|answer| answer["Ok"]["status"] == 200), "{answers:?}");
    answers[16..].iter().for_each(|answer| check_code(answer, "ConnectionLimitReached"));
}

#[tokio::test]
async fn a_guest_that_asks_instead_of_waiting_gets_its_response() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let call = json!({ "authority": server.address });
    assert_eq!(result(&run(&sandbox, &server.granted(), "busily", call).await), 200);
}

#[tokio::test]
async fn a_server_that_is_gone_refuses() {
    let sandbox = Sandbox::new();
    // Nobody listens there any more.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .and_then(|listener| listener.local_addr())
        .expect("an address");
    let manifest = format!("[grants.http]\n\"http://{gone}\" = \"any\"");
    let answers = send(&sandbox, &manifest, json!([{ "authority": gone }])).await;
    check_code(&answers[0], "ConnectionRefused");
}
