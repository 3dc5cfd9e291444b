//! What is counted, and how it is read: `GET /metrics`, in the text format of Prometheus.
//!
//! What attempts come to is counted as it happens, from the worker's events; what stands somewhere else
//! anyway is read when somebody asks. `docs/metrics.md` has a row for each name; a test holds the page
//! and the answer to each other.

mod attempts;
mod histogram;
mod page;
mod process;
mod readings;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use gristmill_job::{Clock as _, SystemClock, Timestamp};
use gristmill_worker::{Event, Observer};

use self::attempts::Attempts;
use self::page::{Kind, Page};
use self::readings::Readings;
use crate::routes::Front;

/// What is counted of a worker's events, since the process began.
///
/// All counters of one attempt are changed under one lock, which the dispatcher takes where nobody but a
/// scrape wants it: 30 to 80 nanoseconds an attempt, beside the tens of microseconds that it takes.
#[derive(Debug)]
pub struct Metrics {
    begun: Timestamp,
    /// Counted by executors, which share no lock.
    started: AtomicU64,
    attempts: Mutex<Attempts>,
}

impl Default for Metrics {
    fn default() -> Self {
        let (begun, attempts) = (SystemClock.now(), Mutex::default());
        Self { begun, started: AtomicU64::new(0), attempts }
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event) {
        match event {
            Event::AttemptStarted { .. } => {
                self.started.fetch_add(1, Ordering::Relaxed);
            }
            // There may be thousands a second, and nothing is counted of them here.
            Event::Logged { .. } | Event::Progressed { .. } => {}
            other => self.attempts(|attempts| attempts.observe(other)),
        }
    }
}

impl Metrics {
    /// Nothing is left half done by a panic in these short sections.
    fn attempts<T>(&self, with: impl FnOnce(&mut Attempts) -> T) -> T {
        with(&mut self.attempts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, page: &mut Page) {
        page.family(
            "gristmill_attempts_started_total",
            Kind::Counter,
            "Attempts that were begun here.",
        )
        .sample(&[], self.started.load(Ordering::Relaxed));
        // Written from a copy: the text of hundreds of rows takes longer than an attempt may wait.
        self.attempts(|attempts| attempts.clone()).write(page);
        page.family(
            "process_start_time_seconds",
            Kind::Gauge,
            "When the process began, in seconds since 1970.",
        )
        .sample(&[], self.begun.as_millis() / 1_000);
    }
}

/// Show what is counted, for Prometheus
///
/// Everything that is known now. What a back-end doesn't tell in time is left out, and said to be.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "daemon",
    responses((status = 200, body = String, content_type = "text/plain", description = "The text format 0.0.4")))]
pub(crate) async fn scrape(State(front): State<Front>) -> impl IntoResponse {
    let desk = &front.desk;
    let readings = Readings::take(desk).await;
    let mut page = Page::default();
    readings.write(desk, &mut page);
    desk.metrics.write(&mut page);
    let media = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, media)], page.text())
}

#[cfg(test)]
mod tests;
