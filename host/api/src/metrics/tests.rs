//! What is counted of events, and that strangers' names can't make it grow.

use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{JobState, NewJob, OutcomeKind, Payload, Usage};

use super::*;

fn settled(plugin: &str, function: Option<&str>, queue: &str, outcome: OutcomeKind) -> Event {
    let mut job = NewJob::new(plugin.parse().unwrap(), Payload::none());
    job.function = function.map(|name| name.parse().unwrap());
    job.queue = queue.parse().unwrap();
    let mut usage = Usage::default();
    usage.wall_us.used = 2_000;
    usage.cpu_us.used = 1_500_000;
    usage.memory_peak_bytes.used = 65_536;
    usage.host_calls.used = 3;
    Event::Settled {
        job: Arc::new(job),
        attempt: 1,
        outcome,
        state: JobState::Completed,
        error: None,
        usage,
        waited: Some(Duration::from_millis(7)),
    }
}

fn text(metrics: &Metrics) -> String {
    let mut page = Page::default();
    metrics.write(&mut page);
    page.text()
}

#[track_caller]
fn says(text: &str, line: &str) {
    assert!(text.lines().any(|other| other == line), "no {line} in:\n{text}");
}

#[test]
fn attempts_are_counted_by_plugin_function_and_outcome() {
    let metrics = Metrics::default();
    for _ in 0..2 {
        metrics.observe(&settled("mill", Some("grind"), "default", OutcomeKind::Completed));
    }
    metrics.observe(&settled("mill", Some("grind"), "default", OutcomeKind::TimedOut));
    metrics.observe(&settled("mill", None, "default", OutcomeKind::Failed));
    let text = text(&metrics);
    let grind = r#"plugin="mill",function="grind""#;
    says(&text, &format!(r#"gristmill_attempts_total{{{grind},outcome="completed"}} 2"#));
    says(&text, &format!(r#"gristmill_attempts_total{{{grind},outcome="timed_out"}} 1"#));
    says(&text, r#"gristmill_attempts_total{plugin="mill",function="",outcome="failed"} 1"#);
    says(&text, &format!(r#"gristmill_attempt_seconds_bucket{{{grind},le="0.001"}} 0"#));
    says(&text, &format!(r#"gristmill_attempt_seconds_bucket{{{grind},le="0.005"}} 3"#));
    says(&text, &format!(r#"gristmill_attempt_seconds_bucket{{{grind},le="+Inf"}} 3"#));
    says(&text, &format!(r#"gristmill_attempt_seconds_sum{{{grind}}} 0.006"#));
    says(&text, &format!(r#"gristmill_attempt_cpu_seconds_total{{{grind}}} 4.5"#));
    says(&text, &format!(r#"gristmill_attempt_memory_peak_bytes{{{grind}}} 65536"#));
    says(&text, &format!(r#"gristmill_host_calls_total{{{grind}}} 9"#));
    says(&text, r#"gristmill_wait_seconds_bucket{queue="default",le="0.01"} 4"#);
}

#[test]
fn names_beyond_the_bound_are_counted_together() {
    let metrics = Metrics::default();
    let beyond = 5;
    for i in 0..attempts::FUNCTIONS_MAX + beyond {
        let (function, queue) = (format!("f{i}"), format!("q{i}"));
        metrics.observe(&settled("mill", Some(&function), &queue, OutcomeKind::Completed));
    }
    // What has a row keeps it.
    metrics.observe(&settled("mill", Some("f0"), "q0", OutcomeKind::Completed));
    let text = text(&metrics);
    let others = r#"plugin="other",function="other",outcome="completed""#;
    says(&text, &format!("gristmill_attempts_total{{{others}}} {beyond}"));
    let first = r#"plugin="mill",function="f0",outcome="completed""#;
    says(&text, &format!("gristmill_attempts_total{{{first}}} 2"));
    let rows = text.lines().filter(|line| line.starts_with("gristmill_attempts_total{"));
    assert_eq!(rows.count(), attempts::FUNCTIONS_MAX + 1);
    let waits = text.lines().filter(|line| line.starts_with("gristmill_wait_seconds_count{"));
    assert_eq!(waits.count(), attempts::QUEUES_MAX + 1);
}

#[test]
fn a_label_can_not_break_out_of_its_quotes() {
    let mut page = Page::default();
    page.family("x", Kind::Gauge, "X.").sample(&[("a", "b\"} 1\nevil \\")], 1);
    assert_eq!(page.text(), "# HELP x X.\n# TYPE x gauge\nx{a=\"b\\\"} 1\\nevil \\\\\"} 1\n");
}
