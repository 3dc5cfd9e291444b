//! `gristmill run`, one job.

use std::process::Command;

use serde_json::Value;

use crate::command::{Running, gristmill, root, run, run_with};

#[test]
fn a_result_is_printed_as_it_is_and_nothing_else() {
    assert_eq!(run(&["run", "echo", "--input", "hi"]).completed(), "hi");
    assert_eq!(
        run(&["run", "echo", "--input", "{\"b\": 1,\n\"a\": 2}"]).completed(),
        "{\"b\": 1,\n\"a\": 2}"
    );
    assert_eq!(run(&["run", "echo"]).completed(), "");
}

#[test]
fn bytes_survive_stdin_and_stdout() {
    let bytes: Vec<u8> = (0..=255).collect();
    let ran = run_with(&["run", "target/plugins/echo.wasm", "--input-file", "-"], &bytes);
    assert_eq!((ran.code, ran.stdout), (Some(0), bytes));
}

#[test]
fn words_are_counted_as_wc_counts_them() {
    let output = Command::new("wc").arg("-lw").arg(root().join("ARCHITECTURE.md")).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let counted: Vec<u64> = String::from_utf8(output.stdout)
        .unwrap()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let ran = run(&["run", "wordcount", "--input-file", "ARCHITECTURE.md"]);
    let result: Value = serde_json::from_str(ran.completed()).unwrap();
    assert_eq!(result["lines"], counted[0]);
    assert_eq!(result["words"], counted[1]);
}

#[test]
fn an_input_above_its_bound_is_refused_before_anything_starts() {
    let ran = run_with(&["run", "no/such.wasm", "--input-file", "-"], &vec![b'x'; (1 << 20) + 1]);
    ran.refused(2, "stdin is larger than the 1048576 bytes");
}

#[test]
fn an_input_file_that_is_not_there_is_wrong_use() {
    run(&["run", "echo", "--input-file", "no/such"]).refused(2, "no/such can't be read");
}

#[test]
fn an_option_out_of_its_bounds_names_its_flag() {
    run(&["run", "echo", "--timeout", "48h"]).refused(2, "--timeout: ");
}

#[test]
fn limits_are_set_by_flags_and_by_the_environment() {
    let guest = "target/test-guests/allocate.wasm";
    let refused = run(&["run", guest, "--limit", "memory=8MiB", "--limit", "wall=1m"]);
    assert!(refused.stderr.contains("its limit \"memory\" of 8MiB"), "{refused:?}");
    let mut command = gristmill(&["run", "echo", "--input", "hi"]);
    let output = command.env("GRISTMILL_LIMIT", "memory=64KiB,wall=1m").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("memory"), "{stderr}");
    let unknown = run(&["run", "echo", "--limit", "mem=1"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("limits are memory, wall, cpu"), "{unknown:?}");
    run(&["run", "echo", "--limit", "memory=2GiB"]).refused(2, "a manifest may allow at most");
    run(&["plugin", "check", "--limit-max", "wall=1s"]).refused(2, "wall: 30s");
}

#[test]
fn a_flag_may_be_given_by_the_environment() {
    let with = |name: &str, value: &str| {
        let mut command = gristmill(&["run", "echo", "--input", "hi"]);
        command.env(name, value).output().unwrap()
    };
    assert!(with("GRISTMILL_JSON", "1").stdout.starts_with(b"{"));
    assert_eq!(with("GRISTMILL_JSON", "0").stdout, b"hi");
    assert_eq!(with("GRISTMILL_PLUGINS", "no/such").status.code(), Some(3));
}

#[test]
fn a_guest_that_never_ends_is_stopped_on_time() {
    let ran = run(&["run", "target/test-guests/spin.wasm", "--timeout", "100ms"]);
    assert_eq!(ran.code, Some(124), "{ran:?}");
    let first = ran.stderr.lines().next().unwrap();
    assert!(first.starts_with("gristmill: spin: timed_out (timeout): "), "{first}");
}

#[test]
fn a_guest_that_traps_shows_where() {
    let ran = run(&["run", "target/test-guests/trap.wasm"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), &b""[..]));
    assert!(ran.stderr.starts_with("gristmill: trap: trapped (unreachable): "), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n  at "), "{}", ran.stderr);
}

#[test]
fn an_interrupt_ends_a_job_that_would_not() {
    let mut running = Running::start(&["run", "target/test-guests/spin-in-host-calls.wasm"]);
    running.until("left");
    running.signal("INT");
    let ran = running.end();
    assert_eq!((ran.code, &*ran.stdout), (Some(130), &b""[..]), "{}", ran.stderr);
}
