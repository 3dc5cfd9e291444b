//! The fuzzer's manifests.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gristmill_test_fuzz::manifest(data));
