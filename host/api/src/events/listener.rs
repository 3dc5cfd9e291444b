//! A place in the ring, and what its owner wants to hear.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gristmill_job::{Clock as _, JobId, PluginName, QueueName, SystemClock};
use tokio::sync::watch;

use super::Feed;
use super::view::{EventKind, EventView};
use crate::limits;

/// Which events somebody wants to hear of; where nothing is said, all.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) queue: Option<QueueName>,
    pub(super) plugin: Option<PluginName>,
    pub(super) job: Option<JobId>,
    pub(super) kinds: Vec<EventKind>,
}

impl Filter {
    fn wants(&self, event: &EventView) -> bool {
        self.queue.as_ref().is_none_or(|queue| event.queue.as_ref() == Some(queue))
            && self.plugin.as_ref().is_none_or(|plugin| event.plugin.as_ref() == Some(plugin))
            && self.job.is_none_or(|job| event.job == Some(job))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
    }
}

/// What a listener is told.
#[derive(Debug)]
pub(super) struct Told {
    /// By what it can come back later; none for what is told to it alone.
    pub(super) id: Option<String>,
    pub(super) event: Arc<EventView>,
}

/// Somebody who listens.
pub(super) struct Listener {
    feed: Feed,
    news: watch::Receiver<u64>,
    filter: Filter,
    /// The number of the event that is looked at next.
    next: u64,
    ready: VecDeque<Told>,
    has_lagged: bool,
}

impl Feed {
    /// Listens from now on, or from after the event of this id; none: as many listen as may.
    pub(super) fn subscribe(&self, filter: Filter, last: Option<&str>) -> Option<Listener> {
        let taken = self.0.listeners.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
            (now < limits::LISTENERS_MAX).then_some(now + 1)
        });
        taken.ok()?;
        let news = self.0.news.subscribe();
        let (first, next) = {
            let ring = self.ring();
            (ring.first(), ring.next())
        };
        let mut listener = Listener {
            feed: self.clone(),
            news,
            filter,
            next,
            ready: VecDeque::new(),
            has_lagged: false,
        };
        if let Some(last) = last {
            listener.resume(last, first, next);
        }
        Some(listener)
    }
}

impl Listener {
    /// Goes back to after an event. What isn't kept any more is missed, and that is said.
    fn resume(&mut self, last: &str, first: u64, next: u64) {
        let number = last.split_once('-').and_then(|(epoch, number)| {
            let number = number.parse::<u64>().ok().filter(|number| *number < next)?;
            (epoch == self.feed.0.epoch).then_some(number)
        });
        self.next = number.map_or(first, |number| (number + 1).max(first));
        let missed = match number {
            Some(number) => first.saturating_sub(number + 1),
            // It is of a daemon that has ended: all that it hadn't told yet.
            None => first.max(1),
        };
        if missed > 0 {
            self.tell_alone(EventKind::Missed, missed);
        }
    }

    /// What it hears next; none: nothing more, since it was too slow. Safe to drop.
    pub(super) async fn hear(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            if self.has_lagged {
                return None;
            }
            self.news.mark_unchanged();
            if !self.look() && self.news.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Looks at the next events; whether there were any.
    fn look(&mut self) -> bool {
        let feed = self.feed.clone();
        let ring = feed.ring();
        let Some(events) = ring.from(self.next) else {
            self.has_lagged = true;
            self.tell_alone(EventKind::Lagged, ring.first() - self.next);
            return true;
        };
        let begun = self.next;
        for event in events {
            if self.filter.wants(event) {
                let id = Some(format!("{}-{}", feed.0.epoch, self.next));
                self.ready.push_back(Told { id, event: Arc::clone(event) });
            }
            self.next += 1;
        }
        self.next > begun
    }

    fn tell_alone(&mut self, kind: EventKind, missed: u64) {
        let event = EventView::new(kind, SystemClock.now());
        let event = Arc::new(EventView { missed: Some(missed), ..event });
        self.ready.push_back(Told { id: None, event });
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.feed.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
