//! `gristmill run`: what attempts take, and where.

use serde_json::Value;

use crate::command::run;

#[test]
fn what_many_attempts_take_is_told_beside_the_last_ones_result() {
    let ran = run(&["run", "echo", "--input", "hi", "--repeat", "5"]);
    assert_eq!(ran.completed(), "hi");
    let rows: Vec<&str> = ran.stderr.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(rows, ["5", "wall", "cpu", "memory"], "{}", ran.stderr);

    let ran = run(&["run", "echo", "--input", "hi", "--repeat", "5", "--json"]);
    let stats: Value = serde_json::from_str(ran.completed()).unwrap();
    assert_eq!(stats["attempts"], 5);
    let wall = |name: &str| stats["wall_us"][name].as_u64().unwrap();
    assert!(wall("min") <= wall("median") && wall("p95") <= wall("max"), "{stats}");
    assert!(stats["memory_peak_bytes"]["min"].as_u64() > Some(0), "{stats}");
}

#[test]
fn the_first_attempt_that_is_not_completed_is_the_last() {
    let ran = run(&["run", "target/test-guests/fail.wasm", "fatal", "--repeat", "5"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.starts_with("1 ATTEMPTS") && ran.stderr.contains("won't pass"), "{ran:?}");
}

#[test]
fn a_profile_shows_where_a_guest_computed_also_if_it_never_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("profile.json");
    let spin = "target/test-guests/spin.wasm";
    let ran = run(&["run", spin, "--timeout", "300ms", "--profile", path.to_str().unwrap()]);
    assert_eq!(ran.code, Some(124), "{ran:?}");
    assert!(ran.stderr.contains(" samples; open it at "), "{ran:?}");
    let profile: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let thread = &profile["threads"][0];
    assert!(thread["samples"]["length"].as_u64() > Some(10), "{}", thread["samples"]);
    let names = thread["stringArray"].as_array().unwrap();
    let is_the_handler = |name: &Value| name.as_str().unwrap().contains("handle");
    assert!(names.iter().any(is_the_handler), "{names:?}");
    run(&["run", "echo", "--profile", "no/such/file"]).refused(2, "--profile no/such/file: ");
}
