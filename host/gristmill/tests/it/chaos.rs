//! Daemons that share a queue on a Redis server, while all goes wrong that can.

use std::str::FromStr;
use std::time::Duration;

use gristmill_test_chaos::{Fenced, Options, fence, run};
use gristmill_test_redis::{Fsync, Program};

use crate::command::root;

/// How long faults go on, in seconds; `make chaos` sets it.
const SECONDS_VARIABLE: &str = "GRISTMILL_CHAOS_SECONDS";

/// Names a seed, to repeat a run.
const SEED_VARIABLE: &str = "GRISTMILL_SEED";

/// Names a file that takes everything that was told in a run.
const JOURNAL_VARIABLE: &str = "GRISTMILL_CHAOS_JOURNAL";

/// Faults last a few leases, so a short run has short ones.
const LEASE: Duration = Duration::from_secs(1);

/// Beyond the pauses of a busy machine, so that figures tell of the faults alone.
const LONG_LEASE: Duration = Duration::from_secs(2);

/// How long faults go on where nobody says it.
const SHORT: u64 = 8;

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

fn options(fsync: Fsync) -> Options {
    let seconds = variable(SECONDS_VARIABLE);
    Options {
        program: env!("CARGO_BIN_EXE_gristmill").into(),
        guests: root().join("target/test-guests"),
        server: Program::default_one(),
        fsync,
        seed: variable(SEED_VARIABLE).unwrap_or_else(rand::random),
        time: Duration::from_secs(seconds.unwrap_or(SHORT)),
        workers: 3,
        lease: if seconds.is_some() { LONG_LEASE } else { LEASE },
        journal: std::env::var_os(JOURNAL_VARIABLE).map(Into::into),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Runs and prints the figures, which are of use in a failure, too.
#[expect(clippy::print_stdout, reason = "`make chaos` is run for its figures")]
fn survive(options: &Options) {
    println!("repeat with {SEED_VARIABLE}={}", options.seed);
    let report = runtime().block_on(run(options)).unwrap();
    println!("{report}");
    let broken = report.broken();
    assert!(broken.is_empty(), "seed {}:\n{}", options.seed, broken.join("\n"));
}

#[test]
#[expect(clippy::print_stdout, reason = "`make chaos` is run for its figures")]
fn a_worker_that_is_cut_off_ends_its_jobs_with_its_lease() {
    let options = Options { workers: 2, lease: LONG_LEASE, ..options(Fsync::Always) };
    let Fenced { given_up, begun_again } = runtime().block_on(fence(&options)).unwrap();
    println!("cut off: given up after {given_up:.2?}, begun elsewhere after {begun_again:.2?}");
    assert!(given_up < begun_again, "two workers ran it for {:?}", given_up - begun_again);
}

#[test]
fn no_fault_loses_or_doubles_a_job() {
    survive(&options(Fsync::Always));
}

#[test]
#[ignore = "takes as long as the other; `make chaos` runs both"]
fn a_server_that_writes_once_a_second_loses_no_more_than_that() {
    survive(&options(Fsync::EverySecond));
}
