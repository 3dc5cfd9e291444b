//! `gristmill bench`.

use gristmill_test_redis::RedisServer;
use serde_json::Value;

use crate::command::run;

/// As little as it can be made to do.
const BRIEF: [&str; 7] =
    ["bench", "--json", "--jobs=1000", "--rounds=2", "--rate=200", "--length=100ms", "--workers=2"];

#[test]
fn it_measures_memory_and_a_server_and_leaves_nothing_there() {
    let server = RedisServer::start();
    let ran = run(&[&BRIEF[..], &["--redis-url", &server.url()]].concat());
    ran.completed();
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let figures = report["figures"].as_array().unwrap();
    let values = |backend: &str, name: &str| {
        let found = figures.iter().find(|f| f["backend"] == backend && f["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name} of {backend} in {report}"));
        found["values"].as_array().unwrap().clone()
    };
    for name in ["enqueue by 256", "latency, 200 jobs/s, p99"] {
        for backend in ["memory", "redis"] {
            assert_eq!(values(backend, name).len(), 2);
            assert!(values(backend, name).iter().all(|value| value.as_f64().unwrap() > 0.0));
        }
    }
    assert_eq!(values("memory", "drain, 1 worker").len(), 2);
    assert_eq!(values("redis", "drain, 2 workers").len(), 2);
    let bytes = values("redis", "bytes on the wire for a drained job, 2 workers");
    assert!(bytes.iter().all(|bytes| bytes.as_f64().unwrap() > 100.0), "{bytes:?}");
    assert_eq!(values("redis", "raw: there and back, 200 jobs/s, p99").len(), 2);
    assert_eq!(server.command(&["DBSIZE"]).unwrap(), "0");
}

#[test]
fn a_component_whose_jobs_fail_is_no_measure() {
    let fail = ["drain", "--component", "target/test-guests/fail.wasm", "--function", "fatal"];
    let ran = run(&[&BRIEF[..], &fail].concat());
    assert_eq!((ran.code, ran.stdout.len()), (Some(1), 0), "{ran:?}");
    let told = "the figures are worth nothing: of 1000 jobs the queue took 1000 and completed 0";
    assert!(ran.stderr.contains(told), "{ran:?}");
}
