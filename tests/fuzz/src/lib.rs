//! What holds for any bytes at the doors.
//!
//! Each function takes bytes as a stranger hands them over, and panics where a promise is broken. The
//! targets in `fuzz/` call them with whatever the fuzzer thinks of; `tests/it/fuzz.rs` calls them with
//! the corpus that is checked in, so that what was found once stays found.

mod arguments;
mod component;
mod description;
mod job_request;
mod manifest;

pub use arguments::arguments;
pub use component::component;
pub use description::description;
pub use job_request::job_request;
pub use manifest::manifest;

/// A target by its name: that of its file in `fuzz/fuzz_targets`, and of its folder in `fuzz/corpus`.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("arguments", arguments),
    ("component", component),
    ("description", description),
    ("job_request", job_request),
    ("manifest", manifest),
];
