//! What attempts took, as a collector hears it by OTLP.

use std::net::TcpListener;

use serde_json::json;

use crate::collector::{Came, Collector};
use crate::command::run;
use crate::served::{Daemon, folder};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
/// Kinds of spans, as the format numbers them.
const CLIENT: u64 = 3;
const CONSUMER: u64 = 5;
const FAILED: u64 = 2;

fn enqueued(daemon: &Daemon, job: &serde_json::Value) {
    let id = daemon.run_with(&["enqueue", "--jsonl", "-"], &job.to_string());
    daemon.run(&["job", "wait", id.completed().trim()]);
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

#[test]
fn attempts_and_their_host_calls_are_sent_in_the_trace_that_the_producer_named() {
    let collector = Collector::start();
    let plugins = folder(&["test-guests/cache-hits.wasm"]);
    let daemon = Daemon::start(plugins, &["--otlp-endpoint", &collector.url]);
    let unheard = "00-00000000000000000000000000000bad-b7ad6b7169203331-00";
    enqueued(&daemon, &json!({ "plugin": "cache-hits", "input": 1, "traceparent": unheard }));
    let job = json!({ "plugin": "cache-hits", "input": 200, "traceparent": traceparent("01") });
    enqueued(&daemon, &job);
    daemon.running.signal("TERM");
    assert_eq!(daemon.end().code, Some(0));

    // The end of the daemon doesn't wait until a batch is due, and loses nothing.
    let is_attempt = |span: &&Came| span.name == "attempt cache-hits";
    let spans = collector.until(|spans| spans.iter().any(|span| is_attempt(&span)));
    assert!(spans.iter().all(|span| span.trace == TRACE && span.service == "gristmill"));
    let attempt = spans.iter().find(is_attempt).unwrap();
    assert_eq!((attempt.parent.as_str(), attempt.kind), (PARENT, CONSUMER));
    assert_eq!(attempt.said("gristmill.plugin"), Some("cache-hits"));
    assert_eq!(attempt.said("gristmill.function"), Some("cache_hits"));
    assert_eq!(attempt.said("gristmill.outcome"), Some("completed"));
    assert_eq!((attempt.link.as_str(), attempt.status), ("", 0));
    let calls: Vec<&Came> = spans.iter().filter(|span| !is_attempt(span)).collect();
    assert_eq!(calls.len(), 128, "of many calls the first ones are told of");
    assert_eq!(attempt.said("gristmill.calls.untold"), Some("72"));
    for call in calls {
        assert_eq!((call.name.as_str(), call.kind), ("cache.get", CLIENT));
        assert_eq!(call.parent, attempt.id);
        assert!(attempt.start <= call.start && call.start <= call.end && call.end <= attempt.end);
    }
}

#[test]
fn a_failed_attempt_says_why_and_its_retry_is_linked_to_it() {
    let collector = Collector::start();
    // What is logged has nothing to do with what is sent.
    let daemon = Daemon::wild(&["--log", "info", "--otlp-endpoint", &collector.url]);
    let backoff = json!({ "kind": "fixed", "base_ms": 1 });
    enqueued(&daemon, &json!({ "plugin": "trap", "max_attempts": 2, "backoff": backoff }));
    let spans = collector.until(|spans| spans.len() == 2);
    for (span, attempt) in spans.iter().zip(["1", "2"]) {
        assert_eq!(span.said("gristmill.attempt"), Some(attempt));
        assert_eq!(span.said("gristmill.outcome"), Some("trapped"));
        assert_eq!((span.status, span.said("error.type")), (FAILED, Some("unreachable")));
        // A job that is in nobody's trace has one of its own, by its id.
        let job = span.said("gristmill.job.id").unwrap().replace('-', "");
        assert_eq!((span.trace.as_str(), span.parent.as_str()), (job.as_str(), ""));
    }
    assert_eq!((spans[0].link.as_str(), &spans[1].link), ("", &spans[0].id));
}

#[test]
fn a_collector_that_is_gone_costs_spans_and_no_job() {
    // Of this port nobody takes connections any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let daemon = Daemon::tame_with(&["--otlp-endpoint", &format!("http://{gone}")]);
    check_jobs_run_on(daemon, "spans can't be sent to 127.0.0.1");
}

#[test]
fn a_collector_that_never_answers_costs_spans_and_no_job() {
    // Connections are made, and nobody takes them.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", mute.local_addr().unwrap());
    let daemon = Daemon::tame_with(&["--otlp-endpoint", &url]);
    check_jobs_run_on(daemon, "the last spans couldn't be sent within 3s");
}

#[track_caller]
fn check_jobs_run_on(daemon: Daemon, says: &str) {
    let jobs: String = (0..3_000).map(|_| "{\"plugin\":\"echo\"}\n").collect();
    let ids = daemon.run_with(&["enqueue", "--jsonl", "-"], &jobs);
    let last = ids.completed().lines().last().unwrap().to_owned();
    daemon.run(&["job", "wait", &last]).completed();
    daemon.running.signal("TERM");
    let ended = daemon.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches(says).count(), 1, "{}", ended.stderr);
}

#[test]
fn an_endpoint_that_is_none_keeps_a_daemon_from_starting() {
    let serve = ["serve", "--plugins", "target/plugins", "--listen", "127.0.0.1:0"];
    for more in [&["--check-config"][..], &[]] {
        let flags = [&serve[..], &["--otlp-endpoint", "127.0.0.1:4318"], more].concat();
        run(&flags).refused(2, "--otlp-endpoint is no address such as http://127.0.0.1:4318");
    }
}
