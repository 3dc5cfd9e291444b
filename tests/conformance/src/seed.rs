//! Chance that can be repeated.

use std::fmt::Debug;

use gristmill_job::JobId;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Names a seed to be used instead of a random one.
const SEED_VARIABLE: &str = "GRISTMILL_SEED";

/// Checks `cases` values that `strategy` makes. A failure is narrowed down to a small value and
/// names the seed that repeats it.
pub(crate) fn check_random<S>(cases: u32, strategy: &S, check: impl Fn(S::Value))
where
    S: Strategy,
    S::Value: Debug,
{
    let seed: u64 = match std::env::var(SEED_VARIABLE) {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => JobId::random().as_uuid().as_u64_pair().0,
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        check(value);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}\nrepeat it with {SEED_VARIABLE}={seed}");
    }
}
