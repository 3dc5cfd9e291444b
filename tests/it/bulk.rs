//! Thousands of attempts that end badly, one after the other: nothing of them is left.

use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{NewJob, Outcome, OutcomeKind, Payload, PluginName};
use gristmill_runtime::{Config, Occupancy, Plugin, Stop};
use gristmill_tests::{Sandbox, a_job, hostile, resident};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};

/// Attempts at one time.
const SLOTS: usize = 32;
/// What the process may take more after thousands of attempts than after the first thousand: an
/// allocator's own slack, and far less than a byte left of each would be after a day.
const GROWTH_BYTES_MAX: usize = 24 << 20;

/// Nothing takes as long.
const FOREVER: Duration = Duration::from_secs(20);

fn sandbox() -> Arc<Sandbox> {
    let slots = u32::try_from(SLOTS).expect("a few");
    Arc::new(Sandbox::with_config(Config { slots, ..Config::default() }))
}

async fn load(sandbox: &Sandbox, component: String) -> Plugin {
    let name = PluginName::new("bulk").expect("a name");
    sandbox.runtime.load(name, component.into()).await.expect("it loads")
}

fn job(timeout: Option<Duration>) -> NewJob {
    let mut job = a_job("bulk", "f", Payload::none());
    job.timeout = timeout;
    job
}

/// How an attempt is ended.
#[derive(Clone, Copy)]
enum End {
    /// By itself, or by its deadline.
    Awaited(Option<Duration>),
    /// By a cancellation, once others had so many turns.
    Cancelled(usize),
    /// By nobody wanting to know any more, once others had so many turns.
    Dropped(usize),
}

async fn turns(turns: usize) {
    for _ in 0..turns {
        yield_now().await;
    }
}

/// Runs one attempt to such an end; none: nobody wanted to know.
async fn run(sandbox: Arc<Sandbox>, plugin: Plugin, end: End) -> Option<Outcome> {
    let stop = Stop::new();
    let timeout = if let End::Awaited(timeout) = end { timeout } else { None };
    let attempt = sandbox.an_attempt(job(timeout), 1, None, stop.clone());
    let run = sandbox.runtime.run(&plugin, attempt);
    let report = match end {
        End::Awaited(_) => run.await,
        End::Cancelled(after) => {
            let cancelled = async {
                turns(after).await;
                stop.cancel();
            };
            tokio::join!(run, cancelled).0
        }
        End::Dropped(after) => tokio::select! {
            report = run => report,
            () = turns(after) => return None,
        },
    };
    Some(report.expect("the host is well").outcome)
}

/// Runs so many attempts, as many at one time as there are slots, each with what `deal` says; and
/// checks that nothing of them is left.
async fn run_many(
    sandbox: &Arc<Sandbox>,
    number: usize,
    mut deal: impl FnMut() -> (Plugin, End),
    check: fn(Option<Outcome>),
) {
    let tasks = Handle::current().metrics().num_alive_tasks();
    let mut running = JoinSet::new();
    for _ in 0..number {
        if running.len() == SLOTS {
            check(running.join_next().await.expect("one runs").expect("no panic"));
        }
        let (plugin, end) = deal();
        running.spawn(run(Arc::clone(sandbox), plugin, end));
    }
    while let Some(outcome) = running.join_next().await {
        check(outcome.expect("no panic"));
    }
    let taken = sandbox.runtime.occupancy().unwrap_or_default();
    assert_eq!(taken, Occupancy::default(), "something of the pool is still taken");
    // A task's result is there a moment before the task is gone.
    let gone = async {
        while Handle::current().metrics().num_alive_tasks() > tasks {
            yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, gone).await.expect("no task is left");
}

#[track_caller]
fn check_growth(before: usize) {
    let grown = resident().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "{} MiB more than at first", grown >> 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_traps_leave_nothing() {
    let sandbox = sandbox();
    let plugin = load(&sandbox, hostile("trap_at_once")).await;
    let deal = || (plugin.clone(), End::Awaited(None));
    let check = |outcome: Option<Outcome>| {
        assert_eq!(outcome.expect("it ended").kind(), OutcomeKind::Trapped);
    };
    run_many(&sandbox, 1_000, deal, check).await;
    let before = resident();
    run_many(&sandbox, 10_000, deal, check).await;
    check_growth(before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_ends_at_any_point_leave_nothing() {
    let sandbox = sandbox();
    // What sleeps is ended at once, wherever it is; what computes ends at the next tick, so that of
    // these there are fewer.
    let sleeps = load(&sandbox, hostile("sleep_forever")).await;
    let hurries = load(&sandbox, hostile("sleep_by_moments")).await;
    let computes = load(&sandbox, hostile("loop_forever")).await;
    let holds = load(&sandbox, hostile("trap_while_holding_a_reservation")).await;
    let mut seeded = SmallRng::seed_from_u64(42);
    let mut deal = || {
        let plugin = match seeded.random_range(0..100) {
            0 => &computes,
            1..10 => &hurries,
            10..30 => &holds,
            _ => &sleeps,
        };
        let end = match seeded.random_range(0..3) {
            0 => End::Cancelled(seeded.random_range(0..20)),
            1 => End::Dropped(seeded.random_range(0..20)),
            _ => End::Awaited(Some(Duration::from_millis(1 + seeded.random_range(0..2) as u64))),
        };
        (plugin.clone(), end)
    };
    let check = |outcome: Option<Outcome>| {
        let kind = outcome.map(|outcome| outcome.kind());
        let expected =
            [OutcomeKind::TimedOut, OutcomeKind::Cancelled, OutcomeKind::Trapped].map(Some);
        assert!(kind.is_none() || expected.contains(&kind), "{kind:?}");
    };
    run_many(&sandbox, 1_000, &mut deal, check).await;
    let before = resident();
    run_many(&sandbox, 10_000, &mut deal, check).await;
    check_growth(before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reloads_beside_jobs_leave_nothing() {
    let sandbox = sandbox();
    let check = |outcome: Option<Outcome>| {
        assert_eq!(outcome.expect("it ended").kind(), OutcomeKind::Completed);
    };
    let mut before = 0;
    for load_number in 0..1_100 {
        if load_number == 100 {
            before = resident();
        }
        // Each differs from the last, so that nothing of it can be shared.
        let component = format!("{};; {load_number}\n", hostile("grow_memory_and_complete"));
        let plugin = load(&sandbox, component).await;
        let mut running = JoinSet::new();
        for _ in 0..4 {
            running.spawn(run(Arc::clone(&sandbox), plugin.clone(), End::Awaited(None)));
        }
        // The jobs of this load are all that holds it from here on.
        drop(plugin);
        while let Some(outcome) = running.join_next().await {
            check(outcome.expect("no panic"));
        }
    }
    check_growth(before);
    assert_eq!(sandbox.runtime.occupancy().unwrap_or_default(), Occupancy::default());
}
