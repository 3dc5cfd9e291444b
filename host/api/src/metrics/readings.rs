//! What stands somewhere else anyway: queues, cache, pool, worker, process.

use std::sync::Arc;
use std::time::Duration;

use gristmill_cache::{Cache, Stats};
use gristmill_job::{Clock as _, SystemClock};
use gristmill_queue::{Info, Queue, QueueStatus};
use gristmill_worker::Vitals;
use tokio::time::timeout;

use super::attempts::QUEUES_MAX;
use super::page::{Kind, Page};
use super::process::Process;
use crate::degraded::Part;
use crate::desk::Desk;

/// How long each back-end has to answer a scrape: scrapers give up after ten seconds, and what isn't there by
/// then would be lost with all the rest.
const PATIENCE: Duration = Duration::from_secs(3);

/// What back-ends and the system told.
pub(super) struct Readings {
    queue: Option<(Info, usize, Vec<QueueStatus>)>,
    cache: Option<Stats>,
    process: Process,
}

impl Readings {
    pub(super) async fn take(desk: &Desk) -> Self {
        let (queue, cache) = (Arc::clone(&desk.queue), Arc::clone(&desk.cache));
        let (queue, cache, process) = tokio::join!(
            timeout(PATIENCE, read_queue(&*queue)),
            timeout(PATIENCE, read_cache(&*cache)),
            tokio::task::spawn_blocking(Process::read),
        );
        Self {
            queue: queue.ok().and_then(Result::ok),
            cache: cache.ok().and_then(Result::ok),
            process: process.unwrap_or_default(),
        }
    }

    pub(super) fn write(&self, desk: &Desk, page: &mut Page) {
        self.write_build(desk, page);
        self.write_queues(page);
        self.write_cache(page);
        self.write_round_trips(page);
        write_pool(desk, page);
        write_worker(&desk.pulse.vitals(), page);
        self.process.write(page);
    }

    fn write_build(&self, desk: &Desk, page: &mut Page) {
        page.family("gristmill_build_info", Kind::Gauge, "1, with the version as a label.")
            .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        let help = "1 while another back-end is used than was asked for.";
        page.family("gristmill_degraded", Kind::Gauge, help)
            .sample(&[("part", "queue")], u8::from(desk.degraded.has(Part::Queue)))
            .sample(&[("part", "cache")], u8::from(desk.degraded.has(Part::Cache)));
        let help = "1 if the back-end answered this scrape in time.";
        page.family("gristmill_backend_up", Kind::Gauge, help)
            .sample(&[("part", "queue")], u8::from(self.queue.is_some()))
            .sample(&[("part", "cache")], u8::from(self.cache.is_some()));
    }

    fn write_queues(&self, page: &mut Page) {
        let help = "Queues that were ever used; of the first 100 by name more is told.";
        let known = self.queue.as_ref().map(|(_, known, _)| known);
        page.family("gristmill_queues", Kind::Gauge, help).samples(known);
        let all: Vec<&QueueStatus> =
            self.queue.iter().flat_map(|(_, _, statuses)| statuses).collect();
        let help = "Jobs by state, as far as they are kept.";
        let mut family = page.family("gristmill_queue_jobs", Kind::Gauge, help);
        for status in &all {
            let (queue, counts) = (("queue", status.queue.as_str()), &status.counts);
            let mut state = |name, count: u64| {
                family.sample(&[queue, ("state", name)], count);
            };
            state("scheduled", counts.scheduled);
            state("queued", counts.queued);
            state("running", counts.running);
            state("completed", counts.completed);
            state("failed", counts.failed);
            state("cancelled", counts.cancelled);
        }
        write_totals(page, &all);
        let mut gauge = |name, help, value: fn(&QueueStatus) -> f64| {
            let mut family = page.family(name, Kind::Gauge, help);
            for status in &all {
                family.sample(&[("queue", status.queue.as_str())], value(status));
            }
        };
        let help = "The age of the oldest job that is ready to run.";
        gauge("gristmill_queue_latency_seconds", help, |status| status.latency.as_secs_f64());
        let help = "What the waiting jobs weigh.";
        gauge("gristmill_queue_waiting_bytes", help, |status| bytes(status.waiting_bytes));
        let help = "1 while no jobs are leased from the queue.";
        gauge("gristmill_queue_paused", help, |status| f64::from(u8::from(status.paused)));
    }

    fn write_cache(&self, page: &mut Page) {
        let mut family = |name, kind, help, value: fn(&Stats) -> u64| {
            let mut family = page.family(name, kind, help);
            if let Some(stats) = &self.cache {
                family.sample(&[("backend", stats.backend)], value(stats));
            }
        };
        let help = "Lookups that found a value, of all who share the cache.";
        family("gristmill_cache_hits_total", Kind::Counter, help, |stats| stats.hits);
        let help = "Lookups that found none, of all who share the cache.";
        family("gristmill_cache_misses_total", Kind::Counter, help, |stats| stats.misses);
        let help = "Entries, as far as the back-end can tell.";
        family("gristmill_cache_entries", Kind::Gauge, help, |stats| stats.entries);
        let help = "Bytes of keys and values, as far as the back-end can tell.";
        family("gristmill_cache_bytes", Kind::Gauge, help, |stats| stats.bytes);
    }

    fn write_round_trips(&self, page: &mut Page) {
        let help =
            "Round trips to Redis by this process, beside those in which it waits to be woken.";
        let mut family = page.family("gristmill_redis_round_trips_total", Kind::Counter, help);
        if let Some((info, ..)) = &self.queue {
            family.sample(&[("part", "queue")], info.round_trips);
        }
        if let Some(stats) = &self.cache {
            family.sample(&[("part", "cache")], stats.round_trips);
        }
    }
}

async fn read_queue(
    queue: &dyn Queue,
) -> Result<(Info, usize, Vec<QueueStatus>), gristmill_queue::Error> {
    let (info, names) = (queue.info().await?, queue.queues().await?);
    let mut statuses = Vec::new();
    for name in names.iter().take(QUEUES_MAX) {
        statuses.push(queue.status(name).await?);
    }
    Ok((info, names.len(), statuses))
}

async fn read_cache(cache: &dyn Cache) -> Result<Stats, gristmill_cache::Error> {
    cache.stats().await
}

/// What the queue itself counts: of all its producers and workers, and over their restarts.
fn write_totals(page: &mut Page, all: &[&QueueStatus]) {
    let help = "Jobs over the queue's life, by what happened to them, of all who share it.";
    let mut family = page.family("gristmill_queue_jobs_total", Kind::Counter, help);
    for status in all {
        let (queue, totals) = (("queue", status.queue.as_str()), &status.totals);
        let mut event = |name, count: u64| {
            family.sample(&[queue, ("event", name)], count);
        };
        event("enqueued", totals.enqueued);
        event("completed", totals.completed);
        event("failed", totals.failed);
        event("cancelled", totals.cancelled);
        event("retried", totals.retried);
        event("released", totals.released);
        event("reaped", totals.reaped);
    }
}

fn write_pool(desk: &Desk, page: &mut Page) {
    page.family("gristmill_pool_slots", Kind::Gauge, "Attempts that the sandbox has room for.")
        .sample(&[], desk.runtime.info().slots);
    let help = "What of the pool of instances is taken; nothing is told where there is no pool.";
    let mut family = page.family("gristmill_pool_in_use", Kind::Gauge, help);
    if let Some(occupancy) = desk.runtime.occupancy() {
        family
            .sample(&[("of", "components")], occupancy.component_instances)
            .sample(&[("of", "core_instances")], occupancy.core_instances)
            .sample(&[("of", "memories")], occupancy.memories)
            .sample(&[("of", "tables")], occupancy.tables)
            .sample(&[("of", "stacks")], occupancy.stacks);
    }
}

fn write_worker(vitals: &Vitals, page: &mut Page) {
    let now = SystemClock.uptime();
    let mut gauge = |name, help, value: usize| {
        page.family(name, Kind::Gauge, help).sample(&[], value);
    };
    gauge("gristmill_worker_slots", "Attempts that may run at one time.", vitals.slots);
    gauge("gristmill_worker_jobs", "Jobs that are held: they run, or soon will.", vitals.held);
    gauge(
        "gristmill_worker_quiet",
        "1 while no more jobs are taken for now.",
        usize::from(vitals.quiet),
    );
    let help = "Cycles with a queue that came back; each renews the lease.";
    let mut family = page.family("gristmill_lease_renewals_total", Kind::Counter, help);
    for line in &vitals.lines {
        family.sample(&[("queue", line.queue.as_str())], line.cycles);
    }
    let help = "Cycles with a queue that failed.";
    let mut family = page.family("gristmill_cycle_failures_total", Kind::Counter, help);
    for line in &vitals.lines {
        family.sample(&[("queue", line.queue.as_str())], line.failures);
    }
    let help = "How long ago a cycle with a queue last came back.";
    let mut family = page.family("gristmill_cycle_age_seconds", Kind::Gauge, help);
    for line in &vitals.lines {
        if let Some(cycled) = line.cycled {
            let age = now.saturating_sub(cycled).as_secs_f64();
            family.sample(&[("queue", line.queue.as_str())], age);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has doubles only")]
fn bytes(value: u64) -> f64 {
    value as f64
}
