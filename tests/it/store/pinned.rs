//! Jobs that want one version and no other.

use gristmill_job::{Digest, NewJob};
use gristmill_runtime::LoadError;
use gristmill_worker::Event;

use super::farm::{Farm, a_mill_job, gated, mill, tiny};

fn pinned(bytes: &[u8]) -> NewJob {
    let mut job = a_mill_job();
    job.digest = Some(Digest::of(bytes));
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_on_the_version_that_it_wants_although_another_serves() {
    let farm = Farm::start(&tiny(1)).await;
    for version in [2, 3] {
        farm.put("mill.wasm", &tiny(version));
        farm.until_serving(&tiny(version)).await;
    }
    for version in 1..=3 {
        let ran = farm.run(pinned(&tiny(version))).await;
        assert_eq!(ran, Some(Digest::of(&tiny(version))));
    }
    assert_eq!(farm.run(a_mill_job()).await, Some(Digest::of(&tiny(3))));
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_its_version_and_is_told_which_one_is_here() {
    let mut farm = Farm::start(&tiny(1)).await;
    let id = farm.enqueue(pinned(&tiny(2))).await;
    let released = farm.until_event(|event| matches!(event, Event::Released { .. })).await;
    let Event::Released { reason, .. } = released else { unreachable!() };
    for digest in [Digest::of(&tiny(1)), Digest::of(&tiny(2))] {
        assert!(reason.contains(&digest.to_string()), "{reason:?} should name {digest}");
    }
    farm.put("mill.wasm", &tiny(2));
    let job = farm.end_of(id).await;
    assert_eq!((job.digest, job.failures), (Some(Digest::of(&tiny(2))), 0));
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_are_kept_in_a_bounded_number_and_as_long_as_a_job_runs_on_them() {
    let old = gated();
    let mut farm = Farm::start(&old).await;
    let gate = farm.close_gate().await;
    let held = farm.enqueue(a_mill_job()).await;
    farm.until_event(|event| matches!(event, Event::AttemptStarted { .. })).await;
    for version in 1..=4 {
        farm.put("mill.wasm", &tiny(version));
        farm.until_serving(&tiny(version)).await;
    }
    let has = |bytes: &[u8]| farm.plugins.loaded_version(&mill(), Some(Digest::of(bytes)));
    let kept = [1, 2, 3, 4].map(|version| has(&tiny(version)).is_some());
    assert_eq!(kept, [false, true, true, true]);
    assert!(has(&old).is_some(), "a job runs on it");
    farm.open_gate(gate).await;
    farm.end_of(held).await;
    // The executor lets go of the plugin before it takes the next job.
    farm.run(a_mill_job()).await;
    let wanted = Digest::of(&tiny(1));
    let error = farm.plugins.get_version(&mill(), Some(wanted)).await.expect_err("it is gone");
    assert!(matches!(error, LoadError::OtherVersion { .. }), "{error}");
    farm.stop().await;
}
