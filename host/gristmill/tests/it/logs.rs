//! The daemon's log as objects, and the traces that jobs are in.

use gristmill_test_redis::RedisServer;
use serde_json::{Value, json};

use crate::served::{Daemon, folder, get_with};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Lines of a log up to the one that this is said of.
fn until(daemon: &mut Daemon, is_it: impl Fn(&Value) -> bool) -> Value {
    loop {
        let line = daemon.running.until("{");
        let line: Value = serde_json::from_str(&line).unwrap();
        if is_it(&line) {
            return line;
        }
    }
}

#[test]
fn every_line_of_the_log_is_an_object() {
    let daemon = Daemon::start(folder(&["plugins/echo.wasm"]), &["--log-format", "json"]);
    daemon.run(&["enqueue", "echo", "--wait"]).completed();
    daemon.running.signal("TERM");
    let ended = daemon.end();
    let lines: Vec<Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!(last["message"], "the daemon has ended");
    assert_eq!(last["fields"], json!({ "settled": 1, "released": 0 }));
    assert_eq!(last["level"], "INFO");
}

#[test]
fn of_requests_the_log_has_those_that_fail_by_the_daemons_own_doing() {
    let mut server = RedisServer::start();
    let arguments = ["--log-format", "json", "--redis-url", &server.url()];
    let mut daemon = Daemon::start(folder(&["plugins/echo.wasm"]), &arguments);
    assert_eq!(daemon.get("/v1/queues").0, 200);
    assert_eq!(daemon.get("/v1/nowhere").0, 404);
    server.kill();
    assert_eq!(daemon.get("/readyz").0, 503);
    let answer = get_with(&daemon.url, "/v1/queues", "x-request-id: my-own\r\n");
    assert_eq!(answer.0, 503);
    // The first line with a request in it is the one of that answer.
    let is_of_a_request =
        |line: &Value| line.to_string().contains("path") || line["spans"] != json!(null);
    let line = until(&mut daemon, is_of_a_request);
    let fields = &line["fields"];
    assert_eq!((&line["level"], &fields["id"]), (&json!("WARN"), &json!("my-own")), "{line}");
    assert_eq!((&fields["path"], &fields["status"]), (&json!("/v1/queues"), &json!(503)), "{line}");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("can't be reached"), "it says why: {message}");
    assert!(
        !answer.1.contains(&server.port().to_string()),
        "the client isn't told where: {answer:?}"
    );
}

#[test]
fn attempts_are_spans_of_their_jobs_trace_and_a_retry_names_the_one_before() {
    let mut daemon = Daemon::wild(&["--log", "debug", "--log-format", "json"]);
    let job = json!({
        "plugin": "trap",
        "max_attempts": 2,
        "backoff": { "kind": "fixed", "base_ms": 1 },
        "traceparent": format!("00-{TRACE}-b7ad6b7169203331-01"),
    });
    daemon.run_with(&["enqueue", "--jsonl", "-"], &job.to_string()).completed();
    let span_of = |daemon: &mut Daemon| {
        let ended =
            |line: &Value| line["message"] == "close" && line["spans"][0]["job"] != json!(null);
        until(daemon, ended)["spans"][0].clone()
    };
    let (first, second) = (span_of(&mut daemon), span_of(&mut daemon));
    for (span, attempt) in [(&first, 1), (&second, 2)] {
        assert_eq!((&span["name"], &span["attempt"]), (&json!("attempt"), &json!(attempt)));
        assert_eq!((&span["plugin"], &span["function"]), (&json!("trap"), &json!("trap")));
        assert_eq!(
            (&span["trace_id"], &span["parent_id"]),
            (&json!(TRACE), &json!("b7ad6b7169203331"))
        );
    }
    assert_eq!(first.get("retry_of"), None);
    assert_eq!(second["retry_of"], first["span_id"]);
    assert_ne!(second["span_id"], first["span_id"]);
}
