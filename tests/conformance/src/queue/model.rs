//! Random lives of jobs and workers, on a back-end and in a model side by side.
//!
//! The model is what the rules come to when nothing has to be fast: jobs and leases in plain maps,
//! looked through from end to end, their states by [`JobState::apply`](gristmill_job::JobState).
//! It doesn't say which of the waiting jobs a cycle leases, only which ones it may.

mod plain;
mod run;

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use self::run::Run;
use super::QueueBackend;
use crate::seed::check_random;
use crate::{is_left_out, runtime};

/// Steps of the longest life.
const STEPS_MAX: usize = 60;
/// Workers that are alive at one time.
const WORKERS: usize = 3;
/// Keys that jobs compete for.
const KEYS: u8 = 3;

/// One step of a life. Jobs are named by the order in which they came, around the corner.
#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        key: Option<u8>,
        delay: u8,
        priority: u8,
    },
    EnqueueAgain {
        job: usize,
    },
    Cycle {
        worker: usize,
        want: usize,
        ends: Vec<End>,
        is_reply_lost: bool,
    },
    Resync {
        worker: usize,
    },
    /// The worker's process ends; another takes its place.
    Die {
        worker: usize,
    },
    /// Somebody tries to reap this worker, counted from the first that ever was.
    Reap {
        worker: usize,
    },
    /// One of the reaped workers says that it lives.
    Absolve {
        worker: usize,
    },
    Cancel {
        job: usize,
    },
    Requeue {
        job: usize,
    },
    Remove {
        job: usize,
    },
    ClearFailed,
    Pause(bool),
    Pass(Duration),
}

/// What a worker does with one job that it holds.
#[derive(Debug, Clone, Copy)]
enum End {
    Keep,
    Complete,
    Fail,
    Retry(Duration),
    Cancelled,
    Release,
    ReleaseLater(Duration),
}

fn a_step() -> impl Strategy<Value = Step> {
    let cycle = (0..WORKERS, 0..4_usize, vec(an_end(), 0..4), any::<u8>()).prop_map(
        |(worker, want, ends, chance)| Step::Cycle {
            worker,
            want,
            ends,
            is_reply_lost: chance < 16,
        },
    );
    prop_oneof![
        8 => (option::of(0..KEYS), 0..4_u8, 0..4_u8)
            .prop_map(|(key, delay, priority)| Step::Enqueue { key, delay, priority }),
        1 => any::<usize>().prop_map(|job| Step::EnqueueAgain { job }),
        12 => cycle,
        1 => (0..WORKERS).prop_map(|worker| Step::Resync { worker }),
        1 => (0..WORKERS).prop_map(|worker| Step::Die { worker }),
        2 => any::<usize>().prop_map(|worker| Step::Reap { worker }),
        2 => any::<usize>().prop_map(|worker| Step::Absolve { worker }),
        2 => any::<usize>().prop_map(|job| Step::Cancel { job }),
        2 => any::<usize>().prop_map(|job| Step::Requeue { job }),
        1 => any::<usize>().prop_map(|job| Step::Remove { job }),
        1 => Just(Step::ClearFailed),
        1 => any::<bool>().prop_map(Step::Pause),
        6 => (1..8_000_u64).prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
    ]
}

fn an_end() -> impl Strategy<Value = End> {
    let delay = || (0..4_000_u64).prop_map(Duration::from_millis);
    prop_oneof![
        2 => Just(End::Keep),
        4 => Just(End::Complete),
        1 => Just(End::Fail),
        2 => delay().prop_map(End::Retry),
        1 => Just(End::Cancelled),
        1 => Just(End::Release),
        1 => delay().prop_map(End::ReleaseLater),
    ]
}

/// Compares a back-end with the model over random lives.
pub fn follow_the_model(backend: impl QueueBackend) {
    if is_left_out(backend.lacks()) {
        return;
    }
    let (runtime, backend) = (runtime(), Arc::new(backend));
    check_random(backend.lives(), &vec(a_step(), 1..STEPS_MAX), |steps| {
        runtime.block_on(async {
            let mut run = Run::new(Arc::clone(&backend) as _).await;
            for step in steps {
                run.step(step).await;
                run.compare().await;
            }
            run.finish().await;
            backend.verify().await;
        });
    });
}
