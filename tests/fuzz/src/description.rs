//! What plugins say of their functions, and inputs of those.

use std::time::Duration;

use gristmill_job::{Payload, media, time::monotonic};
use gristmill_runtime::read_and_check;

/// How long an answer takes at most, on a busy machine: what fits into a fuzzer's input takes as many
/// steps as an input may in any case, which is a tenth of a second.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// What a refusal may say: eight faults, each with its path.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// The first line is a description, the rest the input in JSON of its first function: it is taken, or
/// refused for reasons in bounded words, in bounded time.
///
/// # Panics
/// It isn't so.
pub fn description(data: &[u8]) {
    let (first, rest) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &b"null"[..]),
    };
    let Ok(text) = std::str::from_utf8(first) else { return };
    let input = Payload { content_type: media::JSON.to_owned(), data: rest.to_vec().into() };
    let start = monotonic();
    if let Err(why) = read_and_check(text, &input) {
        assert!(!why.is_empty() && why.len() <= ERROR_BYTES_MAX, "{} bytes", why.len());
    }
    assert!(monotonic() - start < ANSWER_MAX, "it took {:?}", monotonic() - start);
}
