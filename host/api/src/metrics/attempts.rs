//! What attempts came to, by plugin and function.

use std::collections::HashMap;
use std::time::Duration;

use gristmill_job::{FunctionName, NewJob, OutcomeKind, PluginName, QueueName, Usage};
use gristmill_worker::Event;

use super::histogram::{Histogram, seconds};
use super::page::{Kind, Page};

/// Functions of plugins with rows of their own. A row is some thirty samples, and whoever may enqueue names
/// functions where a plugin takes any; the rest are counted together.
pub(super) const FUNCTIONS_MAX: usize = 200;
/// Queues with rows of their own, for the same reason.
pub(super) const QUEUES_MAX: usize = 100;
/// The label of what has no row of its own. No plugin and no queue is called so by a rule, but whoever does it
/// is only counted with others.
const OTHER: &str = "other";

/// All outcomes, in the order in which rows count them.
const OUTCOMES: [OutcomeKind; 6] = [
    OutcomeKind::Completed,
    OutcomeKind::Failed,
    OutcomeKind::Trapped,
    OutcomeKind::LimitExceeded,
    OutcomeKind::TimedOut,
    OutcomeKind::Cancelled,
];

/// What attempts came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts {
    /// Of functions, and the last one of all that have none of their own.
    rows: Vec<Row>,
    /// Which row is whose.
    plugins: HashMap<PluginName, Functions>,
    waits: HashMap<QueueName, Histogram>,
    other_waits: Histogram,
    /// Where the last job was counted: jobs of one function often come together, and this needs no hash.
    last: Option<(PluginName, Option<FunctionName>, usize)>,
    released: u64,
    deferred: u64,
    stopped: u64,
    leases_lost: u64,
    unavailable: u64,
}

/// The rows of a plugin's functions, by their numbers.
#[derive(Debug, Clone, Default)]
struct Functions {
    named: HashMap<FunctionName, usize>,
    /// Of jobs that don't say.
    unnamed: Option<usize>,
}

impl Functions {
    fn row(&self, function: Option<&FunctionName>) -> Option<usize> {
        match function {
            Some(function) => self.named.get(function).copied(),
            None => self.unnamed,
        }
    }
}

/// What attempts of one function came to, and what they used.
#[derive(Debug, Clone, Default)]
struct Row {
    outcomes: [u64; OUTCOMES.len()],
    duration: Histogram,
    cpu_us: u64,
    memory_peak_bytes: u64,
    host_calls: u64,
    cache_ops: u64,
    cache_bytes: u64,
    log_bytes: u64,
}

impl Row {
    fn add(&mut self, outcome: OutcomeKind, usage: &Usage) {
        self.outcomes[outcome as usize] += 1;
        self.duration.add_us(usage.wall_us.used);
        self.cpu_us += usage.cpu_us.used;
        self.memory_peak_bytes = self.memory_peak_bytes.max(usage.memory_peak_bytes.used);
        self.host_calls += usage.host_calls.used;
        self.cache_ops += usage.cache_ops.used;
        self.cache_bytes += usage.cache_bytes.used;
        self.log_bytes += usage.log_bytes.used;
    }
}

impl Attempts {
    pub(super) fn observe(&mut self, event: &Event) {
        match event {
            Event::Settled { job, outcome, usage, waited, .. } => {
                self.row(job).add(*outcome, usage);
                if let Some(waited) = waited {
                    self.note_wait(&job.queue, *waited);
                }
            }
            Event::Released { .. } => self.released += 1,
            Event::Deferred { .. } => self.deferred += 1,
            Event::Stopped { .. } => self.stopped += 1,
            Event::LeaseLost { .. } => self.leases_lost += 1,
            Event::QueueUnavailable { .. } => self.unavailable += 1,
            _ => {}
        }
    }

    /// The row of a job's function.
    fn row(&mut self, job: &NewJob) -> &mut Row {
        let row = match &self.last {
            Some((plugin, function, row)) if *plugin == job.plugin && *function == job.function => {
                *row
            }
            _ => {
                let row = self.find(job);
                self.last = Some((job.plugin.clone(), job.function.clone(), row));
                row
            }
        };
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Row::default);
        }
        &mut self.rows[row]
    }

    /// The number of the row of a job's function: a new one, as long as there are not too many.
    fn find(&mut self, job: &NewJob) -> usize {
        let known = self.plugins.get(&job.plugin).and_then(|rows| rows.row(job.function.as_ref()));
        if let Some(row) = known {
            return row;
        }
        let row = self.rows.len();
        if row >= FUNCTIONS_MAX {
            return FUNCTIONS_MAX;
        }
        let rows = self.plugins.entry(job.plugin.clone()).or_default();
        match &job.function {
            Some(function) => drop(rows.named.insert(function.clone(), row)),
            None => rows.unnamed = Some(row),
        }
        row
    }

    fn note_wait(&mut self, queue: &QueueName, waited: Duration) {
        let is_full = self.waits.len() == QUEUES_MAX;
        let waits = match self.waits.get_mut(queue) {
            Some(waits) => waits,
            None if is_full => &mut self.other_waits,
            None => self.waits.entry(queue.clone()).or_default(),
        };
        waits.add(waited);
    }

    /// Rows with their labels, in their order.
    fn rows(&self) -> Vec<(&str, &str, &Row)> {
        let mut all = Vec::new();
        for (plugin, functions) in &self.plugins {
            let plugin = plugin.as_str();
            let named = functions.named.iter().map(|(name, row)| (name.as_str(), row));
            let unnamed = functions.unnamed.iter().map(|row| ("", row));
            let known = named
                .chain(unnamed)
                .filter_map(|(name, row)| Some((plugin, name, self.rows.get(*row)?)));
            all.extend(known);
        }
        all.extend(self.rows.get(FUNCTIONS_MAX).map(|others| (OTHER, OTHER, others)));
        all.sort_by_key(|(plugin, function, _)| (*plugin, *function));
        all
    }

    pub(super) fn write(&self, page: &mut Page) {
        let rows = self.rows();
        write_outcomes(page, &rows);
        write_usage(page, &rows);
        self.write_waits(page);
        self.write_mishaps(page);
    }

    fn write_waits(&self, page: &mut Page) {
        let mut waits: Vec<_> = self.waits.iter().map(|(name, w)| (name.as_str(), w)).collect();
        if self.other_waits.count() > 0 {
            waits.push((OTHER, &self.other_waits));
        }
        waits.sort_by_key(|(queue, _)| *queue);
        let help = "How long jobs waited from when they could run to their first attempt.";
        let mut family = page.family("gristmill_wait_seconds", Kind::Histogram, help);
        for (queue, waits) in waits {
            family.histogram(&[("queue", queue)], waits);
        }
    }

    fn write_mishaps(&self, page: &mut Page) {
        let mut counter = |name, help, value: u64| {
            page.family(name, Kind::Counter, help).sample(&[], value);
        };
        counter(
            "gristmill_released_total",
            "Jobs that were given back untouched: at a stop, without their plugin, by an unwell host.",
            self.released,
        );
        counter(
            "gristmill_deferred_total",
            "Jobs that were sent back for a moment: as many of their function ran as may.",
            self.deferred,
        );
        counter(
            "gristmill_stopped_total",
            "Attempts that were stopped because their lease was not renewed in time.",
            self.stopped,
        );
        counter(
            "gristmill_leases_lost_total",
            "Attempts whose outcome was refused: their job was another worker's by then.",
            self.leases_lost,
        );
        counter(
            "gristmill_queue_outages_total",
            "Times at which a queue could no longer be reached.",
            self.unavailable,
        );
    }
}

fn write_outcomes(page: &mut Page, rows: &[(&str, &str, &Row)]) {
    let help = "Attempts whose outcome is recorded.";
    let mut family = page.family("gristmill_attempts_total", Kind::Counter, help);
    for (plugin, function, row) in rows {
        for (outcome, count) in OUTCOMES.iter().zip(row.outcomes).filter(|(_, count)| *count > 0) {
            let outcome = ("outcome", outcome.as_str());
            family.sample(&[("plugin", plugin), ("function", function), outcome], count);
        }
    }
    let help = "How long attempts took, waiting in host calls included.";
    let mut family = page.family("gristmill_attempt_seconds", Kind::Histogram, help);
    for (plugin, function, row) in rows {
        family.histogram(&[("plugin", plugin), ("function", function)], &row.duration);
    }
}

fn write_usage(page: &mut Page, rows: &[(&str, &str, &Row)]) {
    let mut family = |name, kind, help, value: fn(&Row) -> f64| {
        let mut family = page.family(name, kind, help);
        for (plugin, function, row) in rows {
            family.sample(&[("plugin", plugin), ("function", function)], value(row));
        }
    };
    family(
        "gristmill_attempt_cpu_seconds_total",
        Kind::Counter,
        "Time of attempts on a processor.",
        |row| seconds(row.cpu_us),
    );
    family(
        "gristmill_attempt_memory_peak_bytes",
        Kind::Gauge,
        "The most memory that an attempt had, since the process began.",
        |row| whole(row.memory_peak_bytes),
    );
    family(
        "gristmill_host_calls_total",
        Kind::Counter,
        "Calls of the contract's interfaces by attempts.",
        |row| whole(row.host_calls),
    );
    family(
        "gristmill_attempt_cache_operations_total",
        Kind::Counter,
        "Operations on the cache by attempts.",
        |row| whole(row.cache_ops),
    );
    family(
        "gristmill_attempt_cache_bytes_total",
        Kind::Counter,
        "Bytes of keys and values that attempts moved to and from the cache.",
        |row| whole(row.cache_bytes),
    );
    family(
        "gristmill_attempt_log_bytes_total",
        Kind::Counter,
        "Bytes that attempts logged.",
        |row| whole(row.log_bytes),
    );
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has doubles only")]
fn whole(value: u64) -> f64 {
    value as f64
}
