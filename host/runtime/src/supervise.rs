//! Watching over a guest's call: its time on a processor, its deadline, its cancellation.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use gristmill_job::time;
use wasmtime::{StoreContextMut, UpdateDeadline};

use crate::fault::Abort;
use crate::state::State;
use crate::stop::Stop;

thread_local! {
    /// The time on a processor of the call that this thread is polling: what it had before this
    /// poll, and when the poll began.
    static CURRENT: Cell<Option<(Duration, Instant)>> = const { Cell::new(None) };
}

/// Measures the time that a future spends being polled: guest code and synchronous host code, but
/// no waiting.
pub(crate) struct Metered<F> {
    future: F,
    cpu: Duration,
}

impl<F: Future + Unpin> Metered<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future, cpu: Duration::ZERO }
    }

    /// The time so far.
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu
    }
}

impl<F: Future + Unpin> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let started = time::monotonic();
        CURRENT.set(Some((self.cpu, started)));
        let poll = Pin::new(&mut self.future).poll(cx);
        CURRENT.set(None);
        self.cpu += time::monotonic().saturating_duration_since(started);
        poll
    }
}

/// Called at every tick while the guest computes: ends it when it must end, else lets others go on.
pub(crate) fn on_tick(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data();
    // What a plugin says of itself when it is loaded is no attempt.
    let sampler = state.shared.sampler.clone().filter(|_| state.job.attempt > 0);
    if let Some(sampler) = &sampler {
        sampler.take(&store);
    }
    let state = store.data_mut();
    let now = time::monotonic();
    if state.is_over(now) {
        return Err(Abort::Cancelled.into());
    }
    if now >= state.deadline {
        return Err(Abort::TimedOut.into());
    }
    if let Some((before, started)) = CURRENT.get()
        && before + now.saturating_duration_since(started) > state.limits.cpu
    {
        return Err(Abort::Limit("cpu").into());
    }
    if sampler.is_some() {
        // What others do meanwhile would be taken for the guest's own at its next look.
        return Ok(UpdateDeadline::Continue(1));
    }
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
}

/// Runs a call to its end, its deadline or its cancellation, whichever comes first. Most calls end
/// at their first poll, so timer and stop are only asked after it; from then on a call that is
/// cancelled while it waits goes on no more.
pub(crate) async fn watch<F: Future + Unpin>(
    call: &mut Metered<F>,
    deadline: Instant,
    stop: &Stop,
    cancel_grace: Duration,
) -> Result<F::Output, Abort> {
    let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut *call).poll(cx))).await;
    if let Poll::Ready(output) = first {
        return Ok(output);
    }
    tokio::select! {
        biased;
        () = over(stop, cancel_grace) => Err(Abort::Cancelled),
        output = &mut *call => Ok(output),
        () = tokio::time::sleep_until(deadline.into()) => Err(Abort::TimedOut),
    }
}

/// Waits until an attempt must end that somebody wants ended.
async fn over(stop: &Stop, cancel_grace: Duration) {
    stop.cancelled().await;
    if !cancel_grace.is_zero() {
        tokio::select! {
            () = stop.aborted() => {}
            () = tokio::time::sleep(cancel_grace) => {}
        }
    }
}
