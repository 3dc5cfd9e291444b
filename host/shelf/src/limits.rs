//! Bounds on what a shelf holds, each with its reason.

/// The largest component: as large as one may be that is loaded. A Python one takes 20 MB.
pub const COMPONENT_BYTES_MAX: usize = 32 << 20;
/// Manifest and description of a version together: a manifest is a page, and a description has the
/// schemas of a thousand functions at most.
pub const ABOUT_BYTES_MAX: usize = 4 << 20;
/// All components together: they are in the server's memory, and a replica's, and its file's.
pub const BYTES_MAX: u64 = 1 << 30;
/// Plugins: a listing is read at once.
pub const PLUGINS_MAX: usize = 1_000;
/// Versions of a plugin, the one that serves included: jobs that wait are pinned to one of them.
/// Four pushes in a row outdate what was enqueued before.
pub const VERSIONS_MAX: usize = 4;
