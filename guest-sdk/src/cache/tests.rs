//! The cache as a job sees it, on a `TestHost`.

use std::time::Duration;

use crate::{Lookup, SetOptions, prelude::*};

const MINUTE: Duration = Duration::from_secs(60);

/// Remembers 1 under `key`, and says whether it was computed for this.
fn remember(ctx: &Ctx) -> JobResult<bool> {
    let mut computed = false;
    let value = ctx.cache().remember("key", MINUTE, || {
        computed = true;
        JobResult::Ok(1)
    })?;
    assert_eq!(value, 1);
    Ok(computed)
}

#[track_caller]
fn check_warned(host: &TestHost, message: &str) {
    let log = host.log();
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!((log[0].level, log[0].message.as_str()), (Level::Warn, message));
    assert_eq!(log[0].fields[0], ("key".to_owned(), "key".to_owned()));
}

#[test]
fn what_is_remembered_is_computed_once_until_it_expires() {
    let host = TestHost::new();
    assert_eq!(remember(&host.ctx()), Ok(true));
    assert_eq!(remember(&host.ctx()), Ok(false));
    host.advance(MINUTE);
    assert_eq!(remember(&host.ctx()), Ok(true));
    assert_eq!(host.log(), []);
}

#[test]
fn a_failed_computation_is_not_remembered_and_lets_the_next_one_try() {
    let host = TestHost::new();
    let failed: JobResult<u32> =
        host.cache().remember("key", MINUTE, || Err(JobError::fatal("no")));
    assert_eq!(failed, Err(JobError::fatal("no")));
    assert_eq!(remember(&host.ctx()), Ok(true));
}

#[test]
fn half_of_the_time_left_is_waited_for_another_to_compute() {
    let host = TestHost::new().with_time_limit(MINUTE);
    let ctx = host.ctx();
    let Ok(Lookup::Reserved(other)) = ctx.cache().get_or_reserve("key", MINUTE) else {
        panic!("nobody else is there");
    };
    assert_eq!(remember(&ctx), Ok(true));
    assert_eq!(ctx.remaining(), MINUTE / 2);
    check_warned(&host, "another computes for too long");
    assert_eq!(other.fill(&2, None), Ok(false), "the value came first");
    assert_eq!(ctx.cache().get("key"), Ok(Some(1)));
}

#[test]
fn a_value_of_another_type_is_computed_anew() {
    let host = TestHost::new();
    host.cache().set("key", "text").unwrap();
    assert_eq!(remember(&host.ctx()), Ok(true));
    check_warned(&host, "a value of another type is replaced");
    assert_eq!(host.cache().get("key"), Ok(Some(1)));
}

#[test]
fn a_value_too_large_to_keep_is_a_result_all_the_same() {
    let host = TestHost::new();
    let large = "x".repeat(2 << 20);
    let value = host.cache().remember("key", MINUTE, || JobResult::Ok(large.clone()));
    assert_eq!(value, Ok(large));
    check_warned(&host, "a computed value isn't kept");
}

#[test]
fn a_call_that_is_wrong_by_itself_fails() {
    let cache = TestHost::new();
    let cache = cache.cache();
    let error = cache.remember("", MINUTE, || JobResult::Ok(1)).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("invalid"));
    assert!(matches!(cache.set(&"x".repeat(513), &1), Err(HostError::Invalid(_))));
    cache.set("text", "text").unwrap();
    assert!(matches!(cache.increment("text", 1), Err(HostError::Invalid(_))));
    let error = cache.get::<u32>("text").unwrap_err().to_string();
    let expected = "invalid argument: the value under \"text\" is no u32: ";
    assert!(error.starts_with(expected), "{error}");
    cache.set("most", &i64::MAX).unwrap();
    assert!(matches!(cache.increment("most", 1), Err(HostError::Invalid(_))));
}

#[test]
fn a_reservation_that_is_dropped_is_given_up() {
    let host = TestHost::new();
    let cache = host.cache();
    let reserved = |lookup| matches!(lookup, Ok(Lookup::Reserved(_)));
    let first = cache.get_or_reserve("key", Duration::ZERO);
    assert!(matches!(cache.get_or_reserve("key", Duration::ZERO), Ok(Lookup::Busy)));
    assert!(reserved(cache.get_or_reserve("other", Duration::ZERO)));
    assert!(reserved(first));
    assert!(reserved(cache.get_or_reserve("key", Duration::ZERO)));
}

#[test]
fn conditions_decide_whether_a_value_is_stored() {
    let host = TestHost::new();
    let cache = host.cache();
    let absent = SetOptions::forever().if_absent();
    let present = SetOptions::ttl(MINUTE).if_present();
    assert_eq!(cache.set_with("key", &1, present), Ok(false));
    assert_eq!(cache.set_with("key", &2, absent), Ok(true));
    assert_eq!(cache.set_with("key", &3, absent), Ok(false));
    assert_eq!(cache.get("key"), Ok(Some(2)));
    assert_eq!(cache.set_with("key", &4, present), Ok(true));
    host.advance(MINUTE);
    assert_eq!(cache.set_with("key", &5, absent), Ok(true));
}

#[test]
fn counting_keeps_the_time_to_live_of_the_first_count() {
    let host = TestHost::new();
    let cache = host.cache();
    assert_eq!(cache.increment_with("calls", 1, MINUTE), Ok(1));
    host.advance(MINUTE / 2);
    assert_eq!(cache.increment_with("calls", 1, MINUTE), Ok(2));
    assert_eq!(cache.entry::<i64>("calls").unwrap().unwrap().ttl, Some(MINUTE / 2));
    host.advance(MINUTE / 2);
    assert_eq!(cache.increment("calls", -5), Ok(-5));
}

#[test]
fn more_than_a_batch_goes_in_several_calls() {
    let host = TestHost::new();
    let cache = host.cache();
    let entries: Vec<_> = (0..600).map(|n| (format!("n:{n:03}"), n)).collect();
    let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
    cache.set_many(&entries, None).unwrap();
    cache.set("other", &0).unwrap();
    let values: Vec<_> = entries.iter().map(|(_, n)| Some(*n)).collect();
    assert_eq!(cache.get_many::<i32>(&keys), Ok(values));
    let scanned: Result<Vec<_>, _> = cache.scan("n:").collect();
    assert_eq!(scanned, Ok(keys.clone()));
    assert_eq!(cache.delete_many(&keys[..300]), Ok(300));
    assert_eq!(cache.clear("n:"), Ok(300));
    assert_eq!(cache.get("other"), Ok(Some(0)));
}

#[test]
fn buckets_are_apart() {
    let host = TestHost::new();
    host.bucket("a").set("key", &1).unwrap();
    assert_eq!(host.bucket("b").get::<u32>("key"), Ok(None));
    assert_eq!(host.cache().get::<u32>("key"), Ok(None));
    assert_eq!(host.ctx().bucket("a").get("key"), Ok(Some(1)));
}
