//! The outcome → retry table, and the bounds of every backoff.

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::*;
use crate::ErrorReport;

fn error() -> ErrorReport {
    ErrorReport::new("test", "for the table")
}

fn failed(disposition: Disposition) -> Outcome {
    Outcome::Failed { error: error(), disposition }
}

fn without_jitter(kind: BackoffKind) -> RetryPolicy {
    let backoff = Backoff { kind, jitter: 0.0, ..Backoff::default() };
    RetryPolicy { backoff, ..RetryPolicy::default() }
}

#[track_caller]
fn check(outcome: &Outcome, failures: u32, expected: Decision) {
    let policy = without_jitter(BackoffKind::Exponential);
    let decision = policy.decide(outcome, failures, &mut SmallRng::seed_from_u64(1));
    assert_eq!(decision, expected, "{outcome:?} after {failures} failures");
}

#[test]
fn outcomes_lead_where_the_table_says() {
    let second = Duration::from_secs(1);
    check(&Outcome::Completed { result: None }, 4, Decision::Complete);
    check(&Outcome::Cancelled, 4, Decision::Cancel);
    check(&failed(Disposition::Fatal), 0, Decision::Fail);
    check(&failed(Disposition::Retry), 0, Decision::Retry(second));
    check(&failed(Disposition::Retry), 2, Decision::Retry(4 * second));
    check(&failed(Disposition::Retry), 4, Decision::Fail);
    check(&failed(Disposition::RetryAfter(7 * second)), 0, Decision::Retry(7 * second));
    check(&failed(Disposition::RetryAfter(7 * second)), 4, Decision::Fail);
    check(&failed(Disposition::RetryAfter(Duration::MAX)), 0, Decision::Retry(limits::DELAY_MAX));
    check(&Outcome::Trapped { error: error() }, 0, Decision::Retry(second));
    check(&Outcome::LimitExceeded { error: error() }, 1, Decision::Retry(2 * second));
    check(&Outcome::TimedOut { error: error() }, 3, Decision::Retry(8 * second));
    check(&Outcome::TimedOut { error: error() }, 4, Decision::Fail);
}

#[test]
fn a_policy_may_refuse_to_try_traps_again() {
    let retry_on = RetryOn { trapped: false, ..RetryOn::default() };
    let policy = RetryPolicy { retry_on, ..RetryPolicy::default() };
    let mut rng = SmallRng::seed_from_u64(1);
    assert_eq!(policy.decide(&Outcome::Trapped { error: error() }, 0, &mut rng), Decision::Fail);
    let timed_out = Outcome::TimedOut { error: error() };
    assert!(matches!(policy.decide(&timed_out, 0, &mut rng), Decision::Retry(_)));
}

#[test]
fn waits_grow_by_their_rule() {
    let waits = |kind| {
        let backoff = without_jitter(kind).backoff;
        [1, 2, 3, 4].map(|n| backoff.delay(n, &mut SmallRng::seed_from_u64(1)).as_secs())
    };
    assert_eq!(waits(BackoffKind::Fixed), [1, 1, 1, 1]);
    assert_eq!(waits(BackoffKind::Exponential), [1, 2, 4, 8]);
    assert_eq!(waits(BackoffKind::Polynomial), [1, 16, 81, 256]);
}

proptest! {
    #[test]
    fn a_wait_stays_within_its_bounds(
        kind in prop_oneof![
            Just(BackoffKind::Fixed), Just(BackoffKind::Exponential), Just(BackoffKind::Polynomial)
        ],
        base_ms in 0_u64..10_000_000,
        max_ms in 0_u64..10_000_000,
        jitter in -1.0..2.0_f64,
        failures in 0_u32..=u32::MAX,
        seed: u64,
    ) {
        let (base, max) = (Duration::from_millis(base_ms), Duration::from_millis(max_ms));
        let backoff = Backoff { kind, base, max, jitter };
        let delay = backoff.delay(failures, &mut SmallRng::seed_from_u64(seed));
        prop_assert!(delay <= max);
        let full = Backoff { jitter: 0.0, ..backoff };
        let full = full.delay(failures, &mut SmallRng::seed_from_u64(seed));
        let least = full.mul_f64(1.0 - jitter.clamp(0.0, 1.0));
        prop_assert!(delay + Duration::from_micros(1) >= least, "{delay:?} below {least:?}");
    }
}
