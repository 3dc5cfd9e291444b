//! Bounds on what a client may ask for, each with its reason.

use std::time::Duration;

/// The body of a request. One job's input of 1 MiB takes 6 MiB where JSON has to escape every byte
/// of it; the rest is room for the job's other keys.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// How long one request waits for a job to end; a longer wish is cut to it. Proxies give up on
/// requests that are silent for longer than a minute.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long open connections have to end by themselves once everything else has.
pub(crate) const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// Names of plugins that a refusal lists.
pub(crate) const NAMES_SHOWN_MAX: usize = 20;
/// Plugins that are loaded at one time: compiling one takes all cores by itself.
pub const LOADS_MAX: usize = 2;
/// Jobs on a page of a listing where the client doesn't say: a screen or two. The queue bounds what
/// it may say.
pub(crate) const PAGE_ITEMS_DEFAULT: usize = 50;
