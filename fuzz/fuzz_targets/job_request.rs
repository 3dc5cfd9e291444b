//! The fuzzer's jobs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gristmill_test_fuzz::job_request(data));
