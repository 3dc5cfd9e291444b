//! Random writes and reads, on a back-end and on a plain map side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{Condition, Error, Lookup, Reservation, SetOptions, Version};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::CacheBackend;
use super::fixture::{CacheFixture, LEASE, key, keys};
use crate::seed::check_random;
use crate::{is_left_out, runtime};

/// Steps of the longest life.
const STEPS_MAX: usize = 80;
/// Keys that share prefixes, and characters that are none to be taken for patterns.
const KEYS: [&str; 6] = ["a", "a*", "ab", "abc", "b", "b?"];
const VALUES: [&str; 5] = ["", "7", "-3", "text", "9223372036854775807"];

/// One step of a life.
#[derive(Debug, Clone)]
enum Step {
    Get(&'static str),
    Set(&'static str, &'static str, Option<Duration>, Condition),
    /// With the version of what is there, or of something else.
    Swap(&'static str, &'static str, Option<Duration>, bool),
    Delete(&'static str),
    Touch(&'static str, Option<Duration>),
    Increment(&'static str, i64, Option<Duration>),
    SetMany(Vec<(&'static str, &'static str)>, Option<Duration>),
    DeleteMany(Vec<&'static str>),
    Clear(usize),
    Reserve(&'static str),
    /// Fills the reservation that was taken this many ago.
    Fill(usize, &'static str, Option<Duration>),
    Release(usize),
    Pass(Duration),
}

fn a_step() -> impl Strategy<Value = Step> {
    let a_key = || (0..KEYS.len()).prop_map(|i| KEYS[i]);
    let a_value = || (0..VALUES.len()).prop_map(|i| VALUES[i]);
    let a_ttl = || option::of((0..5_000_u64).prop_map(Duration::from_millis));
    let a_condition =
        prop_oneof![Just(Condition::Always), Just(Condition::IfAbsent), Just(Condition::IfPresent)];
    prop_oneof![
        2 => a_key().prop_map(Step::Get),
        4 => (a_key(), a_value(), a_ttl(), a_condition)
            .prop_map(|(key, value, ttl, condition)| Step::Set(key, value, ttl, condition)),
        3 => (a_key(), a_value(), a_ttl(), any::<bool>())
            .prop_map(|(key, value, ttl, fits)| Step::Swap(key, value, ttl, fits)),
        1 => a_key().prop_map(Step::Delete),
        2 => (a_key(), a_ttl()).prop_map(|(key, ttl)| Step::Touch(key, ttl)),
        3 => (a_key(), -5..5_i64, a_ttl())
            .prop_map(|(key, delta, ttl)| Step::Increment(key, delta, ttl)),
        1 => (vec((a_key(), a_value()), 0..4), a_ttl())
            .prop_map(|(entries, ttl)| Step::SetMany(entries, ttl)),
        1 => vec(a_key(), 0..4).prop_map(Step::DeleteMany),
        1 => (0..3_usize).prop_map(Step::Clear),
        3 => a_key().prop_map(Step::Reserve),
        3 => (0..4_usize, a_value(), a_ttl())
            .prop_map(|(ago, value, ttl)| Step::Fill(ago, value, ttl)),
        1 => (0..4_usize).prop_map(Step::Release),
        4 => (1..6_000_u64).prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
        1 => Just(Step::Pass(LEASE)),
    ]
}

/// Compares a back-end with the model over random lives.
pub fn follow_the_model(backend: impl CacheBackend) {
    if is_left_out(backend.lacks()) {
        return;
    }
    let (lives, runtime, backend) = (backend.lives(), runtime(), Arc::new(backend));
    check_random(lives, &vec(a_step(), 1..STEPS_MAX), |steps| {
        runtime.block_on(async {
            let c = CacheFixture::open(Arc::clone(&backend) as _).await;
            let mut run = Run { c, plain: Plain::default(), reservations: Vec::new() };
            for step in steps {
                run.step(step).await;
                run.compare().await;
            }
        });
    });
}

/// The model: values with the moment at which they are gone, and who may fill what, until when.
#[derive(Default)]
struct Plain {
    now: Duration,
    entries: BTreeMap<&'static str, (Bytes, Option<Duration>)>,
    flights: BTreeMap<&'static str, (u128, Duration)>,
}

impl Plain {
    fn put(&mut self, key: &'static str, value: impl Into<Bytes>, ttl: Option<Duration>) {
        self.entries.insert(key, (value.into(), ttl.map(|ttl| self.now + ttl)));
        self.expire();
    }

    fn expire(&mut self) {
        let now = self.now;
        self.entries.retain(|_, (_, end)| end.is_none_or(|end| end > now));
        self.flights.retain(|_, (_, end)| *end > now);
    }

    fn value(&self, key: &str) -> Option<Bytes> {
        self.entries.get(key).map(|(value, _)| value.clone())
    }

    fn increment(&mut self, key: &'static str, delta: i64, ttl: Option<Duration>) -> Option<i64> {
        let old = self.entries.get(key).cloned();
        let number = match &old {
            Some((value, _)) => std::str::from_utf8(value).unwrap().parse().ok()?,
            None => 0_i64,
        };
        let sum = number.checked_add(delta)?;
        let end = old.map_or(ttl.map(|ttl| self.now + ttl), |(_, end)| end);
        self.entries.insert(key, (Bytes::from(sum.to_string()), end));
        self.expire();
        Some(sum)
    }
}

struct Run {
    c: CacheFixture,
    plain: Plain,
    reservations: Vec<(&'static str, Reservation)>,
}

impl Run {
    async fn step(&mut self, step: Step) {
        let (cache, space, plain) = (&self.c.cache, &self.c.space, &mut self.plain);
        match step {
            Step::Get(k) => assert_eq!(self.c.get(k).await, plain.value(k)),
            Step::Set(k, value, ttl, condition) => {
                let holds = match condition {
                    Condition::Always => true,
                    Condition::IfAbsent => plain.value(k).is_none(),
                    Condition::IfPresent => plain.value(k).is_some(),
                };
                let options = SetOptions { ttl, condition };
                assert_eq!(cache.set(space, &key(k), value.into(), options).await.unwrap(), holds);
                if holds {
                    plain.put(k, value, ttl);
                }
            }
            Step::Swap(k, value, ttl, fits) => {
                let version = plain.value(k).map(|value| Version::of(&value));
                let asked = if fits { version } else { Some(Version::of(b"other")) };
                let swapped = cache.compare_and_set(space, &key(k), asked, value.into(), ttl).await;
                assert_eq!(swapped.unwrap(), asked == version);
                if asked == version {
                    plain.put(k, value, ttl);
                }
            }
            Step::Delete(k) => {
                let removed = plain.entries.remove(k).is_some();
                assert_eq!(cache.delete(space, &key(k)).await.unwrap(), removed);
            }
            Step::Touch(k, ttl) => {
                let value = plain.value(k);
                assert_eq!(cache.touch(space, &key(k), ttl).await.unwrap(), value.is_some());
                if let Some(value) = value {
                    plain.put(k, value, ttl);
                }
            }
            Step::Increment(k, delta, ttl) => {
                let sum = cache.increment(space, &key(k), delta, ttl).await;
                match plain.increment(k, delta, ttl) {
                    Some(expected) => assert_eq!(sum.unwrap(), expected),
                    None => assert!(matches!(sum, Err(Error::NotANumber))),
                }
            }
            Step::Pass(by) => {
                self.c.advance(by).await;
                plain.now += by;
                plain.expire();
            }
            other => self.step_of_many(other).await,
        }
    }

    async fn step_of_many(&mut self, step: Step) {
        let (cache, space, plain) = (&self.c.cache, &self.c.space, &mut self.plain);
        match step {
            Step::SetMany(entries, ttl) => {
                let batch = entries.iter().map(|(k, value)| (key(k), Bytes::from(*value)));
                cache.set_many(space, batch.collect(), ttl).await.unwrap();
                for (k, value) in entries {
                    plain.put(k, value, ttl);
                }
            }
            Step::DeleteMany(ks) => {
                let removed = ks.iter().filter(|k| plain.entries.remove(*k).is_some()).count();
                let deleted = cache.delete_many(space, &keys(&ks)).await.unwrap();
                assert_eq!(deleted, removed as u64);
            }
            Step::Clear(length) => {
                let prefix = &"ab"[..length];
                let before = plain.entries.len();
                plain.entries.retain(|k, _| !k.starts_with(prefix));
                let cleared = cache.clear(space, prefix).await.unwrap();
                assert_eq!(cleared, (before - plain.entries.len()) as u64);
            }
            Step::Reserve(k) => match self.c.look(k, Duration::ZERO).await {
                Lookup::Hit(value) => assert_eq!(Some(value), plain.value(k)),
                Lookup::Busy => {
                    assert!(plain.value(k).is_none() && plain.flights.contains_key(k));
                }
                Lookup::Reserved(reservation) => {
                    assert!(plain.value(k).is_none() && !plain.flights.contains_key(k));
                    plain.flights.insert(k, (reservation.token, plain.now + LEASE));
                    self.reservations.push((k, reservation));
                }
            },
            Step::Fill(ago, value, ttl) => {
                let Some((k, reservation)) = self.reservations.iter().rev().nth(ago) else {
                    return;
                };
                let held = plain.flights.get(k).is_some_and(|(t, _)| *t == reservation.token);
                let filled = cache.fill(reservation.clone(), value.into(), ttl).await;
                assert_eq!(filled.unwrap(), held);
                if held {
                    plain.flights.remove(k);
                    plain.put(k, value, ttl);
                }
            }
            Step::Release(ago) => {
                let Some((k, reservation)) = self.reservations.iter().rev().nth(ago) else {
                    return;
                };
                cache.release(reservation.clone()).await.unwrap();
                if plain.flights.get(k).is_some_and(|(t, _)| *t == reservation.token) {
                    plain.flights.remove(k);
                }
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// Checks that the back-end and the model agree on every entry.
    async fn compare(&self) {
        let (cache, space) = (&self.c.cache, &self.c.space);
        for (k, value) in KEYS.iter().zip(cache.get_many(space, &keys(&KEYS)).await.unwrap()) {
            assert_eq!(value, self.plain.value(k), "{k}");
        }
        for (k, (value, end)) in &self.plain.entries {
            let entry = cache.get_entry(space, &key(k)).await.unwrap().unwrap();
            assert_eq!((&entry.value, entry.version), (value, Version::of(value)));
            assert_eq!(entry.ttl, end.map(|end| end - self.plain.now), "{k}");
        }
        let page = cache.scan(space, "", None, 100).await.unwrap();
        let listed: BTreeSet<&str> = page.keys.iter().map(String::as_str).collect();
        assert_eq!(listed, self.plain.entries.keys().copied().collect());
    }
}
