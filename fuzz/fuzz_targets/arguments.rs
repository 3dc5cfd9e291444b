//! The fuzzer's inputs of functions with types of their own.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gristmill_test_fuzz::arguments(data));
