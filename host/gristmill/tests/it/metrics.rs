//! `/metrics` of a daemon, held to its format and to the page that explains it.

use std::collections::{BTreeMap, BTreeSet};

use gristmill_test_redis::RedisServer;

use crate::command::root;
use crate::served::Daemon;

/// A family: what it is, and the labels of its samples.
#[derive(Debug, Default, PartialEq, Eq)]
struct Family {
    kind: String,
    labels: BTreeSet<String>,
    samples: usize,
}

/// Reads an answer, and fails where it isn't the text format of Prometheus.
fn parsed(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let (mut open, mut helped) = (String::new(), String::new());
    let mut seen = BTreeSet::new();
    assert!(text.ends_with('\n'), "the last line has no end");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = help.split_once(' ').expect(line).0.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect(line);
            assert_eq!(name, helped, "{line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            let family = Family { kind: kind.to_owned(), ..Family::default() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
            name.clone_into(&mut open);
        } else {
            let (series, labels) = sample(line);
            let family = families.get_mut(&open).expect(line);
            let suffix = series.strip_prefix(&open).expect(line);
            let suffixes: &[&str] = match family.kind.as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(suffixes.contains(&suffix), "{line}");
            assert_eq!(suffix == "_bucket", labels.iter().any(|l| l.starts_with("le=")), "{line}");
            assert!(seen.insert((series.to_owned(), labels.clone())), "{line} comes twice");
            let names = labels.iter().map(|label| label.split_once('=').unwrap().0.to_owned());
            family.labels.extend(names.filter(|name| name != "le"));
            family.samples += 1;
        }
    }
    families
}

/// The name and the labels of a sample whose value can be read.
fn sample(line: &str) -> (&str, Vec<String>) {
    let (series, value) = line.rsplit_once(' ').expect(line);
    assert!(value.parse::<f64>().is_ok_and(|value| value >= 0.0), "{line}");
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix("\"}").expect(line)),
        None => (series, ""),
    };
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    assert!(!name.is_empty() && name.chars().all(is_name), "{line}");
    let labels: Vec<String> =
        labels.split("\",").filter(|label| !label.is_empty()).map(str::to_owned).collect();
    for label in &labels {
        let (name, value) = label.split_once("=\"").expect(line);
        assert!(name.chars().all(is_name) && !value.contains('"'), "{line}");
    }
    (name, labels)
}

/// The rows of the page: name, kind, labels.
fn explained() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let page = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let labels = cells[2].split(", ").map(|label| label.trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), labels))
    };
    rows.map(row).collect()
}

#[test]
fn the_page_explains_each_metric_of_a_daemon_and_no_other() {
    let server = RedisServer::start();
    let daemon = Daemon::tame_with(&["--redis-url", &server.url(), "--require-redis"]);
    daemon.run(&["enqueue", "wordcount", "--input", "a b", "--wait"]).completed();
    let (status, text) = daemon.get("/metrics");
    assert_eq!(status, 200);
    let families = parsed(&text);
    let explained = explained();
    let of = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(of(families.keys().collect()), of(explained.keys().collect()));
    for (name, family) in &families {
        let (kind, labels) = &explained[name];
        assert_eq!(&family.kind, kind, "{name}");
        // Where instances don't come from a pool, nothing is told of one.
        if name != "gristmill_pool_in_use" || family.samples > 0 {
            assert_eq!(&family.labels, labels, "{name}");
            assert!(family.samples > 0, "{name} has no samples");
        }
    }
}

#[test]
fn what_a_daemon_did_is_counted() {
    let daemon = Daemon::wild(&[]);
    let trap = ["enqueue", "trap", "--max-attempts", "1", "--wait"];
    assert_eq!(daemon.run(&trap).code, Some(1));
    assert_eq!(daemon.run(&trap).code, Some(1));
    let (_, text) = daemon.get("/metrics");
    let has = |line: &str| assert!(text.lines().any(|l| l == line), "no {line} in:\n{text}");
    has(r#"gristmill_attempts_total{plugin="trap",function="trap",outcome="trapped"} 2"#);
    has(r#"gristmill_attempt_seconds_count{plugin="trap",function="trap"} 2"#);
    has(r#"gristmill_wait_seconds_count{queue="default"} 2"#);
    has(r#"gristmill_queue_jobs{queue="default",state="failed"} 2"#);
    has(r#"gristmill_queue_jobs_total{queue="default",event="enqueued"} 2"#);
    has(r#"gristmill_degraded{part="queue"} 0"#);
    has(r#"gristmill_backend_up{part="cache"} 1"#);
    has("gristmill_worker_jobs 0");
}
