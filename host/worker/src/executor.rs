//! Runs attempts, one after another, for as long as there are any.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use gristmill_job::Outcome;
use gristmill_job::time;
use gristmill_job::trace::{self, TraceContext};
use gristmill_queue::Leased;
use gristmill_runtime::{Attempt, LastUsed, Notes, PluginStore, Runtime, Stop};
use tokio::sync::Notify;
use tracing::{Instrument as _, Span};

use crate::board::{Board, Ended, Finished, Task};
use crate::event::Event;
use crate::follow_ups;

/// The span of an attempt, in its job's trace where it is in one. It costs as much as a small job's attempt may be
/// slower, so it is there for those who ask for it.
fn span(leased: &Leased) -> Span {
    let (job, attempt) = (&*leased.spec, leased.attempt);
    let span = tracing::debug_span!(
        "attempt",
        job = %job.id,
        plugin = %job.plugin,
        function = job.function.as_ref().map(tracing::field::display),
        attempt,
        trace_id = tracing::field::Empty,
        parent_id = tracing::field::Empty,
        span_id = tracing::field::Empty,
        retry_of = tracing::field::Empty,
        sampled = tracing::field::Empty,
        outcome = tracing::field::Empty,
        code = tracing::field::Empty,
    );
    if let Some(context) = TraceContext::of(job).filter(|_| !span.is_disabled()) {
        span.record("trace_id", context.trace_id);
        span.record("parent_id", context.parent_id);
        span.record("span_id", trace::span_id(job.id, attempt));
        if attempt > 1 {
            span.record("retry_of", trace::span_id(job.id, attempt - 1));
        }
        if !context.is_sampled() {
            span.record("sampled", false);
        }
    }
    span
}

/// Says in an attempt's span how it came out.
fn record(span: &Span, outcome: &Outcome) {
    if !span.is_disabled() {
        span.record("outcome", outcome.kind().as_str());
        if let Some(error) = outcome.error() {
            span.record("code", error.code.as_str());
        }
    }
}

/// One of several that share a board.
pub(crate) struct Executor {
    pub(crate) board: Arc<Board>,
    pub(crate) runtime: Runtime,
    pub(crate) plugins: Arc<PluginStore>,
    pub(crate) last_used: LastUsed,
    /// By queue, as the dispatcher numbers them. No other executor's, nor is the runtime's shared part:
    /// threads that count their uses of one thing in turn wait for each other.
    pub(crate) notes: Box<[Arc<dyn Notes>]>,
}

impl Executor {
    /// Runs until the board is closed.
    pub(crate) async fn run(mut self) {
        let me = Arc::new(Notify::new());
        while let Some(task) = self.board.take(&me).await {
            let started = time::monotonic();
            let Task { queue, leased, stop } = task;
            // A panic is the host's fault, but it came with this job: it ends the attempt, not the
            // executor.
            let run = AssertUnwindSafe(self.attempt(queue, &leased, stop)).catch_unwind();
            let ended = run.await.unwrap_or_else(|_| Ended::HostPanicked);
            let took = time::monotonic().saturating_duration_since(started);
            self.board.finish(Finished { queue, leased, ended, took });
            // Most attempts end without ever waiting; timers and other tasks want their turn.
            tokio::task::coop::consume_budget().await;
        }
    }

    async fn attempt(&mut self, queue: usize, leased: &Leased, stop: Stop) -> Ended {
        if stop.is_cancelled() {
            return Ended::NotStarted;
        }
        // Compiling may take longer than anybody wants to wait.
        let spec = &leased.spec;
        let plugin = tokio::select! {
            biased;
            plugin = self.last_used.get_version(&self.plugins, &spec.plugin, spec.digest) => plugin,
            () = stop.cancelled() => return Ended::NotStarted,
        };
        let plugin = match plugin {
            Ok(plugin) => plugin,
            Err(error) => return Ended::NoPlugin(error),
        };
        let job = Arc::clone(spec);
        let terms = plugin.terms(spec.function.as_ref());
        let admitted = tokio::select! {
            biased;
            admitted = terms.admit() => admitted,
            () = stop.cancelled() => return Ended::NotStarted,
        };
        let Ok(_admission) = admitted else { return Ended::Busy };
        let started = Event::AttemptStarted { job: Arc::clone(&job), attempt: leased.attempt };
        self.board.observer().observe(&started);
        let attempt = Attempt {
            job,
            number: leased.attempt,
            enqueued_at: leased.enqueued_at,
            checkpoint: leased.checkpoint.clone(),
            stop,
            notes: Arc::clone(&self.notes[queue]),
        };
        let span = span(leased);
        match self.runtime.run(plugin, attempt).instrument(span.clone()).await {
            Ok(mut report) => {
                record(&span, &report.outcome);
                if !report.follow_ups.is_empty() {
                    follow_ups::pin(&self.plugins, &mut report.follow_ups).await;
                }
                Ended::Attempted { digest: plugin.digest(), report, retry: terms.retry(spec) }
            }
            Err(error) => Ended::HostUnwell(format!("{:#}", anyhow::Error::from(error))),
        }
    }
}
