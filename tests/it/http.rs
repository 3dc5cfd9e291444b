//! Requests of guests: what is granted is sent, and nothing else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use gristmill_job::{Outcome, Payload};
use gristmill_runtime::Limits;
use gristmill_tests::{Sandbox, a_job};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A server that answers by the path, and keeps what it was sent.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&requests);
        tokio::runtime::Handle::current().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::runtime::Handle::current().spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A manifest that grants this server.
    pub(crate) fn granted(&self) -> String {
        format!("[grants.http]\n\"http://{}\" = \"any\"\n", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

/// Answers requests until the client goes.
async fn serve(stream: TcpStream, kept: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or_default() == 0 {
                return;
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
        stream.read_exact(&mut body).await.expect("the body");
        let request = head + &String::from_utf8_lossy(&body);
        let path = request.split(' ').nth(1).expect("a path").to_owned();
        kept.lock().expect("no panic").push(request);
        let (status, header, body) = match path.split('?').next().expect("a path") {
            "/moved" => ("302 Found", "location: http://169.254.169.254/\r\n", String::new()),
            "/large" => ("200 OK", "", "x".repeat(100_000)),
            "/silent" => std::future::pending().await,
            "/halting" => {
                let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
                stream.write_all(half.as_bytes()).await.expect("the client waits");
                std::future::pending().await
            }
            _ => ("200 OK", "x-answer: 42\r\n", format!("you asked for {path}")),
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\n{header}content-length: {length}\r\n\r\n{body}");
        // A client that has seen enough goes.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// Sends requests under a manifest, and answers with what came of each.
async fn send(sandbox: &Sandbox, manifest: &str, calls: Value) -> Vec<Value> {
    let plugin = sandbox.guest_with("http-user", manifest).await.expect("it loads");
    let job = a_job("http-user", "", Payload::json(&calls));
    let report = sandbox.attempt(&plugin, job, 1, None).await;
    let Outcome::Completed { result: Some(result) } = &report.outcome else { panic!("{report:?}") };
    serde_json::from_slice(&result.data).expect("JSON")
}

#[track_caller]
fn check_refused(answer: &Value, parts: &[&str]) {
    let error = answer["Err"].as_str().unwrap_or_else(|| panic!("sent: {answer}"));
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[tokio::test]
pub(crate) async fn http_user() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let call = json!({
        "method": "POST", "url": server.url("/a?b=c"), "headers": [["X-Who", "me"]], "body": "hello",
    });
    let answer = &send(&sandbox, &server.granted(), json!([call])).await[0]["Ok"];
    assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!("you asked for /a?b=c")));
    assert!(answer["headers"].as_array().expect("a list").contains(&json!(["x-answer", "42"])));
    let sent = &server.requests()[0];
    assert!(
        sent.starts_with("POST /a?b=c HTTP/1.1\r\n") && sent.ends_with("\r\n\r\nhello"),
        "{sent}"
    );
    assert!(sent.contains(&format!("host: {}\r\n", server.address)), "{sent}");
    assert!(sent.contains("x-who: me\r\n") && !sent.contains("referer"), "{sent}");
}

#[tokio::test]
async fn what_is_not_granted_is_never_sent() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let port = server.address.port();
    let secret = format!("{}?key=hunter2", server.url("/"));
    let answers = send(&sandbox, "", json!([{ "url": secret }])).await;
    let granting = format!("\"http://{}\" = \"public\" under [grants.http]", server.address);
    check_refused(&answers[0], &["access denied", &granting, "http-user.toml"]);
    assert!(!answers[0].to_string().contains("hunter2"), "{answers:?}");
    // The right host, but another port, scheme or name for it.
    let others = json!([
        { "url": format!("http://127.0.0.1:{}/", port ^ 1) },
        { "url": format!("https://127.0.0.1:{port}/") },
        { "url": format!("http://localhost:{port}/") },
        { "url": format!("http://127.0.0.1.example:{port}/") },
    ]);
    for answer in send(&sandbox, &server.granted(), others).await {
        check_refused(&answer, &["access denied"]);
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_private_address_is_reached_only_where_that_is_granted() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let port = server.address.port();
    let manifest = format!(
        "[grants.http]\n\"http://127.0.0.1:{port}\" = \"public\"\n\"http://localhost:{port}\" = \"public\""
    );
    let calls = json!([
        { "url": server.url("/") },
        { "url": format!("http://2130706433:{port}/") },
        { "url": format!("http://localhost:{port}/") },
    ]);
    for answer in send(&sandbox, &manifest, calls).await {
        check_refused(&answer, &["has no public address, and only those are granted"]);
    }
    assert!(server.requests().is_empty());
    let manifest = format!("[grants.http]\n\"http://localhost:{port}\" = \"any\"");
    let call = json!([{ "url": format!("http://localhost:{port}/") }]);
    assert_eq!(send(&sandbox, &manifest, call).await[0]["Ok"]["status"], 200);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_its_target_needs_its_own_grant() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let calls = json!([{ "url": server.url("/moved") }, { "url": "http://169.254.169.254/" }]);
    let answers = send(&sandbox, &server.granted(), calls).await;
    assert_eq!(answers[0]["Ok"]["status"], 302);
    check_refused(&answers[1], &["access denied"]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_says_where_a_request_goes_is_the_hosts_to_set() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    let url = server.url("/");
    let mut calls = Vec::new();
    for name in ["Host", "Connection", "Transfer-Encoding", "Content-Length", "Proxy-Authorization"]
    {
        calls.push(json!({ "url": url, "headers": [[name, "evil.example"]] }));
    }
    for answer in send(&sandbox, &server.granted(), json!(calls)).await {
        check_refused(&answer, &["invalid argument", "is set by the host"]);
    }
    let calls = json!([
        { "url": url, "headers": [["x", "a\r\nhost: evil.example"]] },
        { "url": url, "headers": [["x\r\nhost", "a"]] },
        { "url": url, "method": "CONNECT" },
        { "url": url, "method": "GET / HTTP/1.1\r\nx: y\r\n\r\n" },
        { "url": url.replace("http://", "http://me:secret@") },
        { "url": "file:///etc/passwd" },
        { "url": "/etc/passwd" },
    ]);
    for answer in send(&sandbox, &server.granted(), calls).await {
        check_refused(&answer, &["invalid argument"]);
        assert!(!answer.to_string().contains("secret@"), "{answer}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn requests_and_their_bytes_are_budgeted() {
    let server = Server::start().await;
    let limits = Limits { http_requests_max: 3, http_bytes_max: 150_000, ..Limits::default() };
    let sandbox = Sandbox::with_limits(limits);
    let (small, large) =
        (json!({ "url": server.url("/") }), json!({ "url": server.url("/large") }));
    let answers = send(&sandbox, &server.granted(), json!([large, large, small, small])).await;
    assert_eq!(answers[0]["Ok"]["body"].as_str().map(str::len), Some(100_000));
    check_refused(&answers[1], &["quota exceeded", "http_bytes"]);
    assert_eq!(answers[2]["Ok"]["status"], 200, "a response that is refused takes nothing");
    check_refused(&answers[3], &["quota exceeded", "http_requests"]);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_silent_or_gone_is_unavailable() {
    let (sandbox, server) = (Sandbox::new(), Server::start().await);
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .and_then(|listener| listener.local_addr())
        .expect("an address");
    let manifest = format!("{}\"http://{gone}\" = \"any\"", server.granted());
    let calls = json!([
        { "url": server.url("/silent?key=hunter2"), "timeout_ms": 50 },
        { "url": format!("http://{gone}/?key=hunter2") },
    ]);
    let answers = send(&sandbox, &manifest, calls).await;
    let at = format!("http://{}", server.address);
    check_refused(&answers[0], &["is unavailable", &at, "no response in time"]);
    check_refused(&answers[1], &["is unavailable", &gone.to_string()]);
    assert!(!json!(answers).to_string().contains("hunter2"), "{answers:?}");
}
