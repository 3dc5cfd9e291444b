//! The bounds of a queue.

use std::time::Duration;

/// The bounds of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Jobs that may wait in one queue, scheduled or queued. Above it, enqueueing is refused as
    /// `queue-full`: a producer that is told so can slow down, one that isn't fills the memory.
    pub waiting_items_max: u64,
    /// Bytes of input that may wait in one queue.
    pub waiting_bytes_max: u64,
    /// Completed and cancelled jobs kept in one queue, and failed ones apart from them. Above it,
    /// those that would be forgotten next go first.
    pub finished_items_max: usize,
    /// How long failed and cancelled jobs are kept; completed ones say it themselves.
    pub finished_age_max: Duration,
    /// Items in one batch of jobs, settlements or notes, and jobs leased by one cycle: a batch is
    /// one step that nobody else can interrupt.
    pub batch_items_max: usize,
    /// Jobs promoted by one cycle, for the same reason.
    pub promote_items_max: usize,
    /// Jobs on one page of a listing, and jobs looked at for it times ten.
    pub page_items_max: usize,
    /// Log lines kept with one job, over all its attempts.
    pub log_lines_max: usize,
    /// Deaths of a worker that a job survives, less one: at this many it is failed as poisoned.
    pub crashes_max: u32,
    /// One pick in this many prefers a lower class, so that none starves.
    pub low_priority_share: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            waiting_items_max: 1_000_000,
            waiting_bytes_max: 4 << 30,
            finished_items_max: 10_000,
            finished_age_max: Duration::from_secs(24 * 3_600),
            batch_items_max: 256,
            promote_items_max: 256,
            page_items_max: 100,
            log_lines_max: 2_000,
            crashes_max: gristmill_job::limits::CRASHES_MAX,
            low_priority_share: 16,
        }
    }
}
