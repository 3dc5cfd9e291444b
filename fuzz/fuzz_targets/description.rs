//! The fuzzer's descriptions.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gristmill_test_fuzz::description(data));
