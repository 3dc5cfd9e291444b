//! Listeners without a network: what they hear, and what they cost.

use std::sync::Arc;

use futures_util::FutureExt as _;
use gristmill_job::{LogLevel, LogLine, NewJob, Payload, Timestamp};
use gristmill_worker::{Event, Observer as _};

use super::*;

fn job(plugin: &str, queue: &str) -> Arc<NewJob> {
    let mut job = NewJob::new(plugin.parse().unwrap(), Payload::text("a large input"));
    job.queue = queue.parse().unwrap();
    Arc::new(job)
}

fn open() -> Feed {
    let feed = Feed::default();
    feed.open();
    feed
}

fn started(job: &Arc<NewJob>) -> Event {
    Event::AttemptStarted { job: Arc::clone(job), attempt: 1 }
}

fn logged(job: &Arc<NewJob>, message: &str) -> Event {
    let at = Timestamp::from_millis(0);
    let (message, fields) = (message.to_owned(), Vec::new());
    Event::Logged {
        job: job.id,
        line: LogLine { at, attempt: 1, level: LogLevel::Info, message, fields },
    }
}

/// What a listener has heard so far, without waiting for more.
fn heard(listener: &mut Listener) -> Vec<Told> {
    std::iter::from_fn(|| listener.hear().now_or_never().flatten()).collect()
}

fn kinds(listener: &mut Listener) -> Vec<String> {
    heard(listener).iter().map(|told| told.event.kind.to_string()).collect()
}

#[test]
fn a_listener_hears_what_it_asked_for() {
    let (feed, one, other) = (open(), job("echo", "default"), job("pi", "bulk"));
    let queue = Filter { queue: Some(other.queue.clone()), ..Filter::default() };
    let plugin = Filter { plugin: Some(one.plugin.clone()), ..Filter::default() };
    let of_job = Filter { job: Some(other.id), ..Filter::default() };
    let kind = Filter { kinds: vec![EventKind::Logged], ..Filter::default() };
    let filters = [queue, plugin, of_job, kind, Filter::default()];
    let mut listeners = filters.map(|filter| feed.subscribe(filter, None).unwrap());
    for job in [&one, &other] {
        feed.observe(&started(job));
    }
    // A line of the log says its job alone.
    feed.observe(&logged(&other, "half way"));
    let (start, log) = ("attempt_started", "logged");
    let expected: [&[&str]; 5] =
        [&[start, log], &[start], &[start, log], &[log], &[start, start, log]];
    for (listener, expected) in listeners.iter_mut().zip(expected) {
        assert_eq!(kinds(listener), expected);
    }
}

#[test]
fn a_listener_that_comes_back_hears_what_came_meanwhile() {
    let (feed, job) = (open(), job("echo", "default"));
    let mut first = feed.subscribe(Filter::default(), None).unwrap();
    feed.observe(&started(&job));
    let last = heard(&mut first).pop().unwrap().id.unwrap();
    drop(first);
    feed.observe(&logged(&job, "meanwhile"));
    let mut second = feed.subscribe(Filter::default(), Some(&last)).unwrap();
    assert_eq!(kinds(&mut second), ["logged"]);
    // An id of a daemon that has ended, or of none: what is kept, after a word on the gap.
    for strange in ["ffffffffff-1", "7", ""] {
        let mut third = feed.subscribe(Filter::default(), Some(strange)).unwrap();
        assert_eq!(kinds(&mut third), ["missed", "attempt_started", "logged"], "{strange}");
    }
}

#[test]
fn a_listener_that_is_too_slow_is_told_so_last() {
    let (feed, job) = (open(), job("echo", "default"));
    let mut slow = feed.subscribe(Filter::default(), None).unwrap();
    for _ in 0..limits::EVENTS_MAX + 3 {
        feed.observe(&started(&job));
    }
    let all = heard(&mut slow);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].event.kind, all[0].event.missed), (EventKind::Lagged, Some(3)));
    assert!(slow.hear().now_or_never().unwrap().is_none(), "nothing comes after it");
}

#[test]
fn long_texts_are_cut_and_all_of_them_together_are_bounded() {
    let (feed, job) = (open(), job("echo", "default"));
    let mut listener = feed.subscribe(Filter::default(), None).unwrap();
    let long = "ä".repeat(limits::EVENT_TEXT_BYTES_MAX);
    feed.observe(&logged(&job, &long));
    let line = heard(&mut listener).pop().unwrap().event.message.clone().unwrap();
    assert_eq!(line.len(), limits::EVENT_TEXT_BYTES_MAX);
    for _ in 0..limits::EVENTS_MAX {
        feed.observe(&logged(&job, &long));
    }
    let kept = {
        let ring = feed.ring();
        ring.next() - ring.first()
    };
    let fit = limits::EVENTS_BYTES_MAX / limits::EVENT_TEXT_BYTES_MAX;
    assert_eq!(usize::try_from(kept).unwrap(), fit);
}

#[test]
fn ten_thousand_listeners_come_and_go_and_leave_nothing() {
    let (feed, job) = (open(), job("echo", "default"));
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default()
    };
    let mut before = 0;
    for round in 0..100 {
        let mut listeners: Vec<Listener> =
            (0..100).map(|_| feed.subscribe(Filter::default(), None).unwrap()).collect();
        feed.observe(&started(&job));
        assert!(listeners.iter_mut().all(|listener| kinds(listener).len() == 1));
        assert_eq!(feed.listeners(), 100);
        drop(listeners);
        if round == 9 {
            before = resident();
        }
    }
    assert_eq!(feed.listeners(), 0);
    // 2 MiB for 9,000 listeners: what a few of them would take if they stayed.
    assert!(resident() <= before + 512, "{} pages, and {before} before", resident());
}

#[test]
fn no_more_listen_than_may() {
    let feed = open();
    let all: Vec<Listener> = (0..limits::LISTENERS_MAX)
        .map(|_| feed.subscribe(Filter::default(), None).unwrap())
        .collect();
    assert!(feed.subscribe(Filter::default(), None).is_none());
    drop(all);
    assert!(feed.subscribe(Filter::default(), None).is_some());
}
