//! What is recorded of each end that a task can come to.

use gristmill_job::{Disposition, NewJob, Payload, PluginName, RetryPolicy};
use gristmill_queue::Held;
use gristmill_shelf::redis::ConnectError;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::*;

fn leased(enqueued_at: u64, failures: u32) -> Leased {
    let plugin = PluginName::new("echo").unwrap();
    Leased {
        spec: Arc::new(NewJob::new(plugin, Payload::none())),
        attempt: 3,
        failures,
        crashes: 0,
        enqueued_at: Timestamp::from_millis(enqueued_at),
        checkpoint: None,
    }
}

fn run(leased: Leased, ended: Ended, cancel_requested: bool) -> (Held, Pending) {
    let held = leased.held();
    let finished = Finished { queue: 0, leased, ended, took: Duration::ZERO };
    let now = Timestamp::from_millis(1_000_000);
    let interruption = "the worker stops";
    let circumstances =
        Circumstances { config: &Config::default(), now, cancel_requested, interruption };
    (held, settle(finished, &circumstances, &mut SmallRng::seed_from_u64(1)))
}

fn attempted(outcome: Outcome) -> Ended {
    let report = Report::without_guest(outcome);
    Ended::Attempted { digest: Digest::of(b""), report, retry: RetryPolicy::default() }
}

fn failed(disposition: Disposition) -> Ended {
    attempted(Outcome::Failed { error: ErrorReport::new("c", "m"), disposition })
}

#[track_caller]
fn check_state(pending: &Pending, expected: JobState) {
    let Event::Settled { state, .. } = &pending.event else { panic!("it was released") };
    assert_eq!(*state, expected);
}

#[track_caller]
fn check_released(pending: &Pending, expected: Option<Duration>) {
    assert!(matches!(pending.event, Event::Released { .. }));
    let Settlement::Release { delay, .. } = pending.settlement else { panic!("it was settled") };
    assert_eq!(delay, expected);
}

#[test]
fn a_result_completes_the_job() {
    let result = Some(Payload::text("r"));
    let (held, pending) =
        run(leased(0, 0), attempted(Outcome::Completed { result: result.clone() }), false);
    check_state(&pending, JobState::Completed);
    assert_eq!(pending.settlement.held(), held);
    assert!(
        matches!(&pending.settlement, Settlement::Complete { result: given, .. } if *given == result)
    );
}

#[test]
fn a_failure_is_tried_again_while_attempts_are_left() {
    let (_, pending) = run(leased(0, 0), failed(Disposition::Retry), false);
    check_state(&pending, JobState::Scheduled);
    assert!(matches!(pending.settlement, Settlement::Fail { retry: Some(_), .. }));
    check_state(&run(leased(0, 0), failed(Disposition::Retry), true).1, JobState::Cancelled);
    let (_, pending) = run(leased(0, 4), failed(Disposition::Retry), false);
    check_state(&pending, JobState::Failed);
    assert!(matches!(pending.settlement, Settlement::Fail { retry: None, .. }));
}

#[test]
fn a_job_whose_function_is_busy_is_sent_back_for_a_part_of_its_age() {
    for (age, expected) in [(0, 100), (16_000, 1_000), (999_000, 10_000)] {
        let (_, pending) = run(leased(1_000_000 - age, 0), Ended::Busy, false);
        assert!(matches!(pending.event, Event::Deferred { .. }));
        let Settlement::Release { delay, .. } = pending.settlement else { panic!("settled") };
        assert_eq!(delay, Some(Duration::from_millis(expected)));
    }
    check_state(&run(leased(0, 0), Ended::Busy, true).1, JobState::Cancelled);
}

#[test]
fn an_interrupted_attempt_is_cancelled_only_if_somebody_asked_for_it() {
    let (_, pending) = run(leased(0, 0), attempted(Outcome::Cancelled), true);
    check_state(&pending, JobState::Cancelled);
    let (_, pending) = run(leased(0, 0), attempted(Outcome::Cancelled), false);
    check_released(&pending, None);
}

#[test]
fn a_task_that_never_began_counts_as_nothing() {
    check_released(&run(leased(0, 0), Ended::NotStarted, false).1, None);
    check_state(&run(leased(0, 0), Ended::NotStarted, true).1, JobState::Cancelled);
}

#[test]
fn a_job_without_its_plugin_waits_longer_and_longer_and_then_fails() {
    let no_plugin =
        || Ended::NoPlugin(LoadError::NotFound { name: "echo".to_owned(), dir: "d".to_owned() });
    check_released(&run(leased(1_000_000, 0), no_plugin(), false).1, Some(Duration::from_secs(1)));
    check_released(&run(leased(980_000, 0), no_plugin(), false).1, Some(Duration::from_secs(5)));
    check_released(&run(leased(500_000, 0), no_plugin(), false).1, Some(Duration::from_secs(30)));
    let (_, pending) = run(leased(400_000, 0), no_plugin(), false);
    check_state(&pending, JobState::Failed);
    let Settlement::Fail { error, .. } = pending.settlement else { panic!("it didn't fail") };
    assert_eq!(error.code, "unknown-plugin");
    check_state(&run(leased(1_000_000, 0), no_plugin(), true).1, JobState::Cancelled);
}

#[test]
fn a_job_whose_plugin_cannot_be_asked_for_waits_however_old_it_is() {
    let away = || {
        let (address, reason) = ("redis://host".to_owned(), "refused".to_owned());
        let unreachable = ConnectError::Unreachable { address, reason };
        Ended::NoPlugin(gristmill_shelf::Error::from(unreachable).into())
    };
    check_released(&run(leased(0, 0), away(), false).1, Some(Duration::from_secs(30)));
    check_state(&run(leased(0, 0), away(), true).1, JobState::Cancelled);
}

#[test]
fn an_unwell_host_releases_and_a_panicking_one_counts() {
    let unwell = Ended::HostUnwell("no slot".to_owned());
    check_released(&run(leased(1_000_000, 0), unwell, false).1, Some(Duration::from_secs(1)));
    check_state(&run(leased(0, 0), Ended::HostPanicked, false).1, JobState::Scheduled);
    check_state(&run(leased(0, 4), Ended::HostPanicked, false).1, JobState::Failed);
}
