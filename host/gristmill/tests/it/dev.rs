//! `gristmill dev`, by what it says: each test waits for a line, and makes the next change.

use std::fs;

use crate::command::Running;
use crate::projects::Sample;

fn dev(sample: &Sample, arguments: &[&str]) -> Running {
    let folder = sample.folder();
    Running::start(&[&["dev", folder.to_str().unwrap()], arguments].concat())
}

#[test]
fn a_change_is_built_and_run_on_the_same_input() {
    let sample = Sample::new();
    sample.is("plugins/echo.wasm");
    let mut running = dev(&sample, &["--input", "to be"]);
    running.until("greet.wasm is built, in ");
    assert!(running.until("completed in ").contains("of memory"));
    running.until("waits for a change");
    sample.is("plugins/wordcount.wasm");
    running.until("completed in ");
    running.until("waits for a change");
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.code, Some(130));
    let results = String::from_utf8(ran.stdout).unwrap();
    assert!(results.starts_with("to be\n{\"lines\":0,\"words\":2,"), "{results}");
}

#[test]
fn a_broken_build_is_told_and_the_last_good_component_stays() {
    let sample = Sample::new();
    sample.is("plugins/echo.wasm");
    let mut running = dev(&sample, &["--input", "to be"]);
    running.until("waits for a change");
    let good = fs::read(sample.placed("greet.wasm")).unwrap();
    sample.says("broken");
    running.until("SyntaxError: a bracket is missing");
    running.until("couldn't build greet");
    running.until("waits for a change");
    assert_eq!(fs::read(sample.placed("greet.wasm")).unwrap(), good);
    sample.is("plugins/echo.wasm");
    running.until("completed in ");
    running.signal("INT");
    assert_eq!(running.end().stdout, b"to be\nto be\n");
}

#[test]
fn a_change_while_a_job_runs_starts_anew() {
    let sample = Sample::new();
    sample.is("test-guests/spin.wasm");
    let mut running = dev(&sample, &[]);
    running.until("is built");
    sample.is("plugins/echo.wasm");
    running.until("a file has changed meanwhile");
    running.until("completed in ");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn an_interrupt_ends_it_whatever_runs() {
    let sample = Sample::new();
    sample.is("test-guests/spin.wasm");
    let mut running = dev(&sample, &[]);
    running.until("is built");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn an_input_file_is_read_anew() {
    let sample = Sample::new();
    sample.is("plugins/echo.wasm");
    let input = tempfile::tempdir().unwrap();
    let path = input.path().join("input.txt");
    fs::write(&path, "one").unwrap();
    let mut running = dev(&sample, &["--input-file", path.to_str().unwrap()]);
    running.until("waits for a change");
    fs::write(&path, "two").unwrap();
    running.until("completed in ");
    running.signal("INT");
    assert_eq!(running.end().stdout, b"one\ntwo\n");
}
