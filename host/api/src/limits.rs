//! Bounds on what a client may ask for, each with its reason.

use std::time::Duration;

/// The body of a request. One job's input of 1 MiB takes 6 MiB where JSON has to escape every byte
/// of it; the rest is room for the job's other keys.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// The body of a request that brings a plugin: the largest component (32 MiB), a manifest, and what
/// stands around them.
pub const PLUGIN_BODY_BYTES_MAX: usize = 33 << 20;
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

/// Connections at one time: well below the 1024 files that a process may open where nobody raised it.
/// Further ones wait for their turn.
pub(crate) const CONNECTIONS_MAX: usize = 512;
/// How long a client may take for the head of its next request, idle connections included: longer
/// than the pause between two polls, too short to hold many connections for nothing.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// The head of a request: tokens, trace context and what browsers send beside them.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a client may take to agree on TLS.
pub(crate) const TLS_PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take to send a body: the largest plugin by a line of 5 Mbit/s.
pub(crate) const BODY_PATIENCE: Duration = Duration::from_secs(60);
/// How long a client may read nothing of an answer that is ready.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// The pause after an error of the listener's own, such as too many open files.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// A request's id that a client brings: a UUID, or what a proxy makes, in every line of the log.
pub(crate) const REQUEST_ID_BYTES_MAX: usize = 64;
/// An idempotency key: a UUID and a purpose.
pub(crate) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Jobs of a batch that are looked up at one time, where it has an idempotency key.
pub(crate) const LOOKUPS_MAX: usize = 16;

/// Access tokens. Each is compared with what a request shows, in microseconds all together.
pub(crate) const TOKENS_MAX: usize = 256;
/// A token's length at least: 64 bits, where each character is a hexadecimal digit by chance.
pub(crate) const TOKEN_BYTES_MIN: usize = 16;
/// How much of a role that is none is shown.
pub(crate) const ROLE_SHOWN_CHARS: usize = 16;

/// Events that are kept for those who come back: seconds of a busy worker, hours of an idle one.
pub(crate) const EVENTS_MAX: usize = 4_096;
/// What the texts in them weigh together.
pub(crate) const EVENTS_BYTES_MAX: usize = 4 << 20;
/// A text in an event, such as a line that a guest logged; the job has all of it.
pub(crate) const EVENT_TEXT_BYTES_MAX: usize = 4 << 10;
/// Who listens at one time: half of the connections, so that jobs come through.
pub(crate) const LISTENERS_MAX: usize = CONNECTIONS_MAX / 2;
/// Events that are looked at in one go for one listener, while others wait.
pub(crate) const EVENTS_AT_ONCE: usize = 64;
/// The pause between two signs of life to a listener: below the minute of most proxies.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a listener that was cut off shall come back.
pub(crate) const RECONNECT: Duration = Duration::from_secs(2);
/// How often it is looked whether there is a worker to be told of, where there is none.
pub(crate) const WORKER_LOOK: Duration = Duration::from_secs(1);
/// Attempts of a worker that other daemons are told of, the longest first: some 25 kB for each of its
/// announcements, three a lease.
pub(crate) const RUNNING_TOLD_MAX: usize = 100;
/// How long a list of workers waits for those of other daemons: less than whoever looks at it does.
pub(crate) const OTHERS_PATIENCE: Duration = Duration::from_secs(2);
/// How long a closing daemon tries to say that its worker is gone. Past it, others hear nothing of it any
/// more when its lease has ended.
pub(crate) const WITHDRAW_PATIENCE: Duration = Duration::from_secs(1);
/// Running attempts of which queue and plugin are known for their lines of log: more than any worker
/// has executors.
pub(crate) const RUNNING_MAX: usize = 65_536;
