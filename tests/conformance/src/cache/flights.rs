//! Values that one computes for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{Error, Lookup, Reservation};
use tokio::join;
use tokio::task::JoinSet;

use super::fixture::{CacheFixture, LEASE, MILLISECOND, PATIENCE, a_space, key, seconds, soon};

fn hit(lookup: Lookup) -> Bytes {
    match lookup {
        Lookup::Hit(value) => value,
        other => panic!("there was no value: {other:?}"),
    }
}

fn reserved(lookup: Lookup) -> Reservation {
    match lookup {
        Lookup::Reserved(reservation) => reservation,
        other => panic!("it was not reserved: {other:?}"),
    }
}

pub(super) async fn a_missing_value_is_reserved_and_filled(c: CacheFixture) {
    let reservation = c.reserve("k").await;
    assert_eq!(reservation.key, key("k"));
    assert_eq!(c.get("k").await, None);
    assert!(c.fill(reservation, "value").await);
    assert_eq!(c.get("k").await, Some(Bytes::from("value")));
    assert_eq!(hit(c.look("k", Duration::ZERO).await), "value");
}

pub(super) async fn a_present_value_is_a_hit(c: CacheFixture) {
    c.set("k", "").await;
    assert_eq!(hit(c.look("k", Duration::ZERO).await), "");
}

pub(super) async fn a_second_caller_is_told_to_wait(c: CacheFixture) {
    let reservation = c.reserve("k").await;
    for wait in [Duration::ZERO, MILLISECOND] {
        assert!(matches!(soon(c.look("k", wait)).await, Lookup::Busy));
    }
    c.cache.release(reservation).await.unwrap();
}

pub(super) async fn a_waiting_caller_gets_the_value_at_once(c: CacheFixture) {
    let reservation = c.reserve("k").await;
    let looks = async { join!(c.look("k", PATIENCE), c.look("k", PATIENCE)) };
    let ((one, other), filled) = soon(async { join!(looks, c.fill(reservation, "value")) }).await;
    assert!(filled);
    assert_eq!((hit(one), hit(other)), (Bytes::from("value"), Bytes::from("value")));
}

pub(super) async fn a_released_reservation_goes_to_the_next(c: CacheFixture) {
    let reservation = c.reserve("k").await;
    let release = c.cache.release(reservation.clone());
    let (next, released) = soon(async { join!(c.look("k", PATIENCE), release) }).await;
    released.unwrap();
    let next = reserved(next);
    assert_ne!(next.token, reservation.token);
    assert!(matches!(c.look("k", Duration::ZERO).await, Lookup::Busy));
}

pub(super) async fn a_reservation_ends_with_its_lease(c: CacheFixture) {
    c.reserve("k").await;
    c.advance(LEASE - MILLISECOND).await;
    assert!(matches!(c.look("k", Duration::ZERO).await, Lookup::Busy));
    c.advance(MILLISECOND).await;
    c.reserve("k").await;
}

pub(super) async fn a_lost_reservation_fills_nothing(c: CacheFixture) {
    let lost = c.reserve("k").await;
    c.advance(LEASE).await;
    assert!(!c.fill(lost.clone(), "late").await, "nobody else has it, but it has ended");
    assert_eq!(c.get("k").await, None);
    let reservation = c.reserve("k").await;
    assert!(!c.fill(lost, "late").await);
    assert_eq!(c.get("k").await, None);
    assert!(c.fill(reservation, "value").await);
    assert_eq!(c.get("k").await, Some(Bytes::from("value")));
}

pub(super) async fn a_lost_reservation_releases_nothing(c: CacheFixture) {
    let lost = c.reserve("k").await;
    c.advance(LEASE).await;
    let reservation = c.reserve("k").await;
    c.cache.release(lost).await.unwrap();
    assert!(matches!(c.look("k", Duration::ZERO).await, Lookup::Busy));
    assert!(c.fill(reservation, "value").await);
}

pub(super) async fn a_reservation_fills_once(c: CacheFixture) {
    let reservation = c.reserve("k").await;
    assert!(c.fill(reservation.clone(), "one").await);
    assert!(!c.fill(reservation.clone(), "two").await);
    assert_eq!(c.get("k").await, Some(Bytes::from("one")));
    c.cache.release(reservation).await.unwrap();
    assert_eq!(c.get("k").await, Some(Bytes::from("one")));
}

pub(super) async fn a_value_set_by_others_is_a_hit(c: CacheFixture) {
    let reservation = c.reserve("k").await;
    c.set("k", "set").await;
    assert_eq!(hit(c.look("k", Duration::ZERO).await), "set");
    assert!(c.fill(reservation, "filled").await);
    assert_eq!(c.get("k").await, Some(Bytes::from("filled")));
}

pub(super) async fn a_value_too_large_releases_its_reservation(c: CacheFixture) {
    let c = c.with(|config| config.value_bytes_max = 3).await;
    let reservation = c.reserve("k").await;
    let error = c.cache.fill(reservation, "1234".into(), None).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { bytes: 4, max: 3 }), "{error}");
    c.reserve("k").await;
}

pub(super) async fn a_filled_value_has_its_time_to_live(c: CacheFixture) {
    let reservation = c.reserve("k").await;
    assert!(c.cache.fill(reservation, "value".into(), Some(seconds(5))).await.unwrap());
    assert_eq!(c.ttl("k").await, Some(seconds(5)));
    c.advance(seconds(5)).await;
    c.reserve("k").await;
}

pub(super) async fn reservations_are_apart_by_space_and_key(c: CacheFixture) {
    c.reserve("k").await;
    c.reserve("l").await;
    let (other, wait) = (a_space("other"), Duration::ZERO);
    reserved(c.cache.get_or_reserve(&other, &key("k"), LEASE, wait).await.unwrap());
}

pub(super) async fn a_hundred_callers_compute_a_value_once(c: CacheFixture) {
    let (c, computed) = (Arc::new(c), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (c, computed) = (Arc::clone(&c), Arc::clone(&computed));
        tasks.spawn(async move {
            match c.look("k", PATIENCE).await {
                Lookup::Hit(value) => value,
                other => {
                    computed.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    assert!(c.fill(reserved(other), "value").await);
                    Bytes::from("value")
                }
            }
        });
    }
    let values = soon(tasks.join_all()).await;
    assert!(values.iter().all(|value| value == "value"));
    assert_eq!(computed.load(Ordering::SeqCst), 1);
}

pub(super) async fn a_hundred_callers_outlive_fillers_that_give_up(c: CacheFixture) {
    let (c, tried) = (Arc::new(c), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (c, tried) = (Arc::clone(&c), Arc::clone(&tried));
        tasks.spawn(async move {
            let Lookup::Reserved(reservation) = c.look("k", PATIENCE).await else { return };
            let is_third = tried.fetch_add(1, Ordering::SeqCst) == 2;
            tokio::task::yield_now().await;
            if is_third {
                assert!(c.fill(reservation, "value").await);
            } else {
                c.cache.release(reservation).await.unwrap();
            }
        });
    }
    soon(tasks.join_all()).await;
    assert_eq!(tried.load(Ordering::SeqCst), 3);
    assert_eq!(c.get("k").await, Some(Bytes::from("value")));
}
