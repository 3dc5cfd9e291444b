//! The `TestHost` itself.

use crate::prelude::*;

use super::*;

#[job]
fn busy(ctx: &Ctx, input: bool) -> JobResult<u128> {
    ctx.progress_note(1, None, "busy");
    ctx.debug("not kept");
    ctx.warn("kept");
    ctx.enqueue([NewJob::new("later", &input)?])?;
    ctx.enqueue_now([NewJob::new("now", &input)?])?;
    input.then(|| ctx.remaining().as_millis()).or_retry("told to")
}

#[test]
fn a_failed_attempt_enqueues_only_what_was_enqueued_at_once() {
    let functions =
        |host: &TestHost| host.enqueued().into_iter().map(|job| job.function).collect::<Vec<_>>();
    let host = TestHost::new();
    assert_eq!(host.run::<busy>(false), Err(JobError::retry("told to")));
    assert_eq!(functions(&host), ["now"]);
    host.run::<busy>(true).unwrap();
    assert_eq!(functions(&host), ["now", "now", "later"]);
}

#[test]
fn each_job_has_an_id_of_its_own() {
    let host = TestHost::new();
    let ctx = host.ctx();
    let job = || NewJob::new("f", &()).unwrap();
    let mut ids = ctx.enqueue([job(), job()]).unwrap();
    ids.extend(ctx.enqueue_now([job()]).unwrap());
    ids.push(Verdict::Accepted(ctx.job_id()));
    let mut texts: Vec<_> = ids.iter().filter_map(Verdict::accepted).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 4, "{ids:?}");
}

#[test]
fn each_attempt_has_all_of_the_time() {
    let host = TestHost::new().with_time_limit(Duration::from_millis(700));
    assert_eq!(host.run::<busy>(true), Ok(700));
    host.advance(Duration::from_millis(600));
    assert_eq!(host.ctx().remaining(), Duration::from_millis(100));
    assert_eq!(host.run::<busy>(true), Ok(700));
    host.advance(Duration::from_secs(60));
    assert_eq!(host.ctx().remaining(), Duration::ZERO);
}

#[test]
fn lines_below_the_level_are_not_kept() {
    let host = TestHost::new().with_log_level(Level::Info);
    host.run::<busy>(true).unwrap();
    let log: Vec<_> = host.log().into_iter().map(|line| (line.level, line.message)).collect();
    assert_eq!(log, [(Level::Warn, "kept".to_owned())]);
    assert_eq!(host.progress().unwrap().note.as_deref(), Some("busy"));
}

#[test]
fn clones_are_the_same_host() {
    let host = TestHost::new();
    host.clone().cancel();
    assert!(host.ctx().cancelled());
}

#[test]
fn a_checkpoint_is_bounded_and_read_by_its_type() {
    let host = TestHost::new();
    let ctx = host.ctx();
    assert_eq!(ctx.checkpoint::<u32>(), Ok(None));
    let error = ctx.save_checkpoint(&vec![0_u8; 64 * 1024 + 1]).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("too-large"));
    ctx.save_checkpoint("text").unwrap();
    assert_eq!(host.checkpoint::<String>(), Ok(Some("text".to_owned())));
    let error = host.checkpoint::<u32>().unwrap_err();
    assert_eq!(error.code.as_deref(), Some("invalid-checkpoint"));
}
