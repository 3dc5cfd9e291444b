//! Bounds on what a job may be made of, each with its reason.

use std::time::Duration;

/// Names of plugins and queues: what a DNS label holds, since both end in file and host names.
pub const NAME_BYTES_MAX: usize = 63;
/// Function names: room for `namespace:package/interface@version#function`.
pub const FUNCTION_NAME_BYTES_MAX: usize = 255;
/// Unique keys: enough for two UUIDs and a purpose; longer keys should be hashed by the producer.
pub const UNIQUE_KEY_BYTES_MAX: usize = 255;
/// How much of an invalid name an error shows.
pub const NAME_SHOWN_CHARS: usize = 64;
/// Media types: RFC 6838 allows 127 bytes on each side of the slash.
pub const CONTENT_TYPE_BYTES_MAX: usize = 255;
/// Input and result: a queue moves references to large data, not the data.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Headers of one job: room for tracing and routing, not for data.
pub const HEADERS_MAX: usize = 32;
/// Names and values of one job's headers together.
pub const HEADERS_BYTES_MAX: usize = 8 << 10;
/// Counted failures after which a job ends as failed, if the producer doesn't say.
pub const ATTEMPTS_DEFAULT: u32 = 5;
/// With the longest backoff of an hour, more than a month of trying.
pub const ATTEMPTS_MAX: u32 = 1_000;
/// The first wait of the default backoff.
pub const BACKOFF_BASE_DEFAULT: Duration = Duration::from_secs(1);
/// The longest wait of the default backoff.
pub const BACKOFF_MAX_DEFAULT: Duration = Duration::from_secs(3_600);
/// The share of a wait that chance may take away, so that failures of one cause don't return
/// together.
pub const BACKOFF_JITTER_DEFAULT: f64 = 0.2;
/// Delays, run-at times and backoffs reach this far; more is a mistake of units.
pub const DELAY_MAX: Duration = Duration::from_secs(366 * 24 * 3_600);
/// Attempts: a job that needs more than a day should save checkpoints and enqueue its next part.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How long a result is kept, if the producer doesn't say.
pub const RESULT_TTL_DEFAULT: Duration = Duration::from_secs(24 * 3_600);
/// Jobs that enqueue jobs: how deep a chain may get, so that a job can't breed without end.
pub const DEPTH_MAX: u32 = 16;
/// Deaths of a worker under a job after which the job ends as failed, code `poisoned`.
pub const CRASHES_MAX: u32 = 3;
/// A saved checkpoint.
pub const CHECKPOINT_BYTES_MAX: usize = 64 << 10;
/// A progress note.
pub const PROGRESS_NOTE_BYTES_MAX: usize = 256;
