//! What the dispatcher sends, and what it makes of replies, without a queue or an executor.

use std::sync::Mutex;

use gristmill_job::{Digest, JobId, NewJob, Outcome, Payload, PluginName, RetryPolicy};
use gristmill_queue::{Leased, Settlement};
use gristmill_runtime::Report;

use super::*;
use crate::board::{Ended, Finished};
use crate::event::Observer;

/// An uptime that is as good as any other.
const NOW: Duration = Duration::from_secs(1_000);

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Observer for Heard {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

struct Bench {
    dispatcher: Dispatcher,
    board: Arc<Board>,
    heard: Arc<Heard>,
}

fn a_bench(concurrency: usize) -> Bench {
    let heard = Arc::new(Heard::default());
    let board = Arc::new(Board::new(Arc::clone(&heard) as _));
    let config = Config { concurrency, ..Config::default() };
    Bench { dispatcher: Dispatcher::new(config, Arc::clone(&board)), board, heard }
}

fn a_lease(crashes: u32) -> Leased {
    let plugin = PluginName::new("echo").unwrap();
    Leased {
        spec: Arc::new(NewJob::new(plugin, Payload::none())),
        attempt: 1,
        failures: 0,
        crashes,
        enqueued_at: Timestamp::from_millis(0),
        checkpoint: None,
    }
}

impl Bench {
    fn lease(&mut self, jobs: Vec<Leased>) {
        self.dispatcher.plan(0);
        let reply = CycleReply { jobs, ..CycleReply::default() };
        self.dispatcher.apply(0, NOW, NOW, reply);
    }

    /// Runs what the board has as executors would, each task in `took`.
    fn run_all(&mut self, took: Duration) -> Vec<JobId> {
        let mut ran = Vec::new();
        for Task { queue, leased, .. } in self.board.take_back() {
            ran.push(leased.spec.id);
            let report = Report::without_guest(Outcome::Completed { result: None });
            let ended =
                Ended::Attempted { digest: Digest::of(b""), report, retry: RetryPolicy::default() };
            self.board.finish(Finished { queue, leased, ended, took });
        }
        self.dispatcher.collect(Timestamp::from_millis(0));
        ran
    }

    fn reply(&mut self, verdicts: Vec<Settled>) {
        let cycle = &mut self.dispatcher.lines[0].cycle;
        cycle.settlements.clear();
        let reply = CycleReply { verdicts, ..CycleReply::default() };
        self.dispatcher.apply(0, NOW, NOW, reply);
    }

    fn heard(&self) -> Vec<Event> {
        std::mem::take(&mut *self.heard.0.lock().unwrap())
    }
}

#[test]
fn a_recorded_settlement_is_told_and_a_refused_one_is_a_lost_lease() {
    let mut bench = a_bench(2);
    bench.lease(vec![a_lease(0), a_lease(0)]);
    bench.run_all(Duration::from_millis(10));
    bench.dispatcher.plan(0);
    assert!(bench.heard().is_empty(), "nothing is told before it is recorded");
    bench.reply(vec![Settled::Recorded, Settled::LeaseLost]);
    let heard = bench.heard();
    assert!(matches!(heard[..], [Event::Settled { .. }, Event::LeaseLost { .. }]), "{heard:?}");
    assert_eq!((bench.dispatcher.settled, bench.dispatcher.released), (1, 0));
    assert!(bench.dispatcher.is_done());
}

#[test]
fn jobs_are_leased_ahead_only_where_attempts_are_short() {
    let mut bench = a_bench(2);
    bench.dispatcher.plan(0);
    assert_eq!(bench.dispatcher.lines[0].cycle.want, 2);
    for _ in 0..100 {
        bench.lease(vec![a_lease(0)]);
        bench.run_all(Duration::from_micros(100));
    }
    let ahead = bench.dispatcher.room();
    assert!(ahead > 50, "{ahead}");
    for _ in 0..100 {
        bench.lease(vec![a_lease(0)]);
        bench.run_all(Duration::from_millis(100));
    }
    assert_eq!(bench.dispatcher.room(), 2);
}

#[test]
fn what_was_sent_in_vain_is_sent_again_after_a_resync() {
    let mut bench = a_bench(2);
    let lease = a_lease(0);
    let held = lease.held();
    bench.lease(vec![lease]);
    bench.run_all(Duration::from_millis(10));
    bench.dispatcher.plan(0);
    bench.dispatcher.unreachable(0, "away".to_owned());
    assert!(bench.dispatcher.lines[0].must_resync);
    assert_eq!(bench.dispatcher.held(0), [held], "unrecorded is still held");
    bench.dispatcher.lose(0, &[]);
    bench.dispatcher.plan(0);
    let sent: Vec<Held> =
        bench.dispatcher.lines[0].cycle.settlements.iter().map(Settlement::held).collect();
    assert_eq!(sent, [held]);
    bench.reply(vec![Settled::Recorded]);
    let heard = bench.heard();
    let [unavailable, available, settled] = &heard[..] else { panic!("{heard:?}") };
    assert!(matches!(unavailable, Event::QueueUnavailable { .. }));
    assert!(matches!(available, Event::QueueAvailable { .. }));
    assert!(matches!(settled, Event::Settled { .. }));
}

#[test]
fn the_wait_for_an_unreachable_queue_grows_to_its_bound() {
    let mut bench = a_bench(1);
    for _ in 0..20 {
        bench.dispatcher.unreachable(0, "away".to_owned());
    }
    assert_eq!(bench.dispatcher.lines[0].unreachable, Some(config::BACKSTOP));
    assert_eq!(bench.heard().len(), 1, "it is told once");
}

#[test]
fn a_job_that_is_not_held_any_more_is_stopped_and_never_settled() {
    let mut bench = a_bench(1);
    let lease = a_lease(0);
    let held = lease.held();
    bench.lease(vec![lease]);
    bench.dispatcher.lose(0, &[held]);
    assert!(bench.board.take_back()[0].stop.is_cancelled());
    assert!(bench.dispatcher.is_done());
}

#[test]
fn a_worker_that_was_reaped_goes_on_under_a_new_id_with_empty_hands() {
    let mut bench = a_bench(2);
    let old = bench.dispatcher.worker;
    bench.lease(vec![a_lease(0), a_lease(1)]);
    bench.dispatcher.start_anew();
    assert_ne!(bench.dispatcher.worker, old);
    assert!(!bench.dispatcher.is_running());
    let formers = bench.dispatcher.take_formers();
    assert_eq!(formers.iter().map(|former| former.worker).collect::<Vec<_>>(), [old]);
    assert!(bench.dispatcher.is_done(), "nothing had begun");
    bench.dispatcher.plan(0);
    let cycle = &bench.dispatcher.lines[0].cycle;
    assert_eq!((cycle.worker, cycle.held, cycle.want), (bench.dispatcher.worker, 0, 2));
}

#[test]
fn a_suspect_waits_until_nothing_else_runs_and_then_runs_alone() {
    let mut bench = a_bench(4);
    let (suspect, other) = (a_lease(1), a_lease(0));
    let (suspect_id, other_id) = (suspect.spec.id, other.spec.id);
    bench.lease(vec![suspect, other]);
    assert_eq!(bench.dispatcher.room(), 0);
    assert_eq!(bench.run_all(config::PREFETCH_WINDOW), [other_id]);
    assert_eq!(bench.dispatcher.room(), 0);
    assert_eq!(bench.run_all(config::PREFETCH_WINDOW), [suspect_id]);
    assert_eq!(bench.dispatcher.room(), 4);
}

#[test]
fn draining_releases_what_no_executor_has_begun() {
    let mut bench = a_bench(2);
    bench.lease(vec![a_lease(0), a_lease(1)]);
    bench.dispatcher.drain();
    bench.dispatcher.plan(0);
    let cycle = &bench.dispatcher.lines[0].cycle;
    assert_eq!((cycle.want, cycle.held), (0, 0));
    let released = |s: &Settlement| matches!(s, Settlement::Release { delay: None, .. });
    assert!(cycle.settlements.len() == 2 && cycle.settlements.iter().all(released));
}

/// The jobs that go back with the next cycle.
fn released(bench: &mut Bench) -> Vec<JobId> {
    bench.dispatcher.plan(0);
    let settlements = bench.dispatcher.lines[0].cycle.settlements.drain(..);
    settlements
        .map(|settlement| match settlement {
            Settlement::Release { held, delay: None } => held.id,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_job_that_was_assigned_begins_under_the_lease_of_the_last_cycle() {
    let mut bench = a_bench(1);
    bench.lease(Vec::new());
    let job = a_lease(0);
    let id = job.spec.id;
    bench.dispatcher.receive(&QueueName::default(), job, NOW);
    assert_eq!(bench.dispatcher.held_jobs(), 1);
    assert_eq!(bench.run_all(Duration::from_millis(10)), [id]);
}

#[test]
fn a_job_that_was_assigned_goes_back_where_there_is_no_room_or_no_lease() {
    let mut bench = a_bench(1);
    let early = a_lease(0);
    let mut expected = vec![early.spec.id];
    bench.dispatcher.receive(&QueueName::default(), early, NOW);
    assert_eq!(released(&mut bench), expected, "there was no cycle yet");

    bench.lease(vec![a_lease(0)]);
    let surplus = a_lease(0);
    expected = vec![surplus.spec.id];
    bench.dispatcher.receive(&QueueName::default(), surplus, NOW);
    assert_eq!(released(&mut bench), expected, "there is no room");

    bench.run_all(Duration::from_millis(10));
    bench.dispatcher.plan(0);
    bench.dispatcher.lines[0].cycle.settlements.clear();
    let late = a_lease(0);
    expected = vec![late.spec.id];
    let lease = bench.dispatcher.lines[0].cycle.lease;
    bench.dispatcher.receive(&QueueName::default(), late, NOW + lease);
    assert_eq!(released(&mut bench), expected, "the lease may be over");
}

#[test]
fn what_a_cycle_brings_beyond_what_was_wanted_goes_back() {
    let mut bench = a_bench(1);
    let (wanted, surplus) = (a_lease(0), a_lease(0));
    let (runs, goes_back) = (wanted.spec.id, surplus.spec.id);
    bench.lease(vec![wanted, surplus]);
    assert_eq!(released(&mut bench), [goes_back]);
    assert_eq!(bench.run_all(Duration::from_millis(10)), [runs]);
}
