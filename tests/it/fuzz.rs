//! What fuzzing found, and where it starts from: each file of `fuzz/corpus` keeps the promises of its
//! target.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gristmill_test_fuzz::TARGETS;

/// A folder of the fuzz targets' own.
fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn stems(folder: &str) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    entries(&fuzz(folder)).into_iter().filter_map(stem).collect()
}

#[track_caller]
fn replay(name: &str) {
    let (_, target) = TARGETS.iter().find(|target| target.0 == name).expect("a target");
    let seeds = entries(&fuzz("corpus").join(name));
    assert!(!seeds.is_empty(), "{name} has no corpus");
    for seed in seeds {
        let data = std::fs::read(&seed).expect("the seed is readable");
        let kept = std::panic::catch_unwind(|| target(&data));
        assert!(kept.is_ok(), "{} breaks a promise: see above", seed.display());
    }
}

#[test]
fn arguments_of_the_corpus_are_taken_or_refused() {
    replay("arguments");
}

#[test]
fn components_of_the_corpus_do_no_harm() {
    replay("component");
}

#[test]
fn descriptions_of_the_corpus_are_kept_or_refused() {
    replay("description");
}

#[test]
fn jobs_of_the_corpus_are_read_or_refused() {
    replay("job_request");
}

#[test]
fn manifests_of_the_corpus_are_read_or_refused() {
    replay("manifest");
}

#[test]
fn every_target_has_a_file_and_a_corpus() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.0.to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
}
