//! What JSON costs: an attempt of a function with types of its own, through the whole sandbox, beside the
//! bare engine's call of the same function: with Rust's own types, and with values whose types are found
//! while they are called, which is the least that a host can do that doesn't know its functions. And beside
//! the same attempt with Rust's own types in place of JSON.

use std::sync::Arc;

use bytes::Bytes;
use gristmill_cache::MemoryCache;
use gristmill_job::{NewJob, Outcome, Payload, SystemClock, time};
use gristmill_runtime::{Allocator, Config, NoFollowUps, Plugin, Runtime};
use serde_json::json;
use wasmtime::component::{
    Component, ComponentNamedList, ComponentType, InstancePre, Lift, Linker, Lower, Val,
};
use wasmtime::{Engine, Store};

use crate::{a_first_attempt, is_wanted, print, spread};

/// Attempts of one measurement.
const ATTEMPTS: u32 = 2_000;
/// Attempts with much data of one measurement.
const LARGE_ATTEMPTS: u32 = 50;
/// Bytes of a large argument: as base64 they are below the bound on results, 1 MiB.
const LARGE_BYTES: usize = 768 << 10;

#[derive(ComponentType, Lift, Lower, Clone, PartialEq, Debug)]
#[component(record)]
struct Ten {
    a: String,
    b: String,
    c: String,
    d: String,
    e: String,
    f: String,
    g: String,
    h: u32,
    i: u32,
    j: f64,
}

struct Bench {
    runtime: Runtime,
    plugin: Plugin,
    engine: Engine,
    pre: InstancePre<()>,
}

pub(crate) fn compare(rounds: u64, allocator: Option<Allocator>) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (records, bytes) = tokio.expect("an async runtime").block_on(async {
        let bench = Bench::new(allocator).await;
        (bench.records(rounds).await, bench.bytes(rounds).await)
    });
    print(&format!("functions with types of their own; median (min–max) of {rounds}"));
    print("way                                        µs each   of typed  of a typed attempt");
    for measured in [records, bytes] {
        for (name, micros) in &measured {
            let (min, median, max) = spread(&mut micros.clone());
            let (bare, attempt) = (ratio(micros, &measured[0].1), ratio(micros, &measured[1].1));
            print(&format!(
                "{name:<40} {median:>7.1} ({min:.1}–{max:.1}) {bare:>8.2} {attempt:>8.2}"
            ));
        }
    }
}

/// How much longer one way takes than another, by the median of the rounds.
fn ratio(micros: &[f64], of: &[f64]) -> f64 {
    let mut ratios: Vec<f64> = micros.iter().zip(of).map(|(way, other)| way / other).collect();
    spread(&mut ratios).1
}

type Measured = Vec<(&'static str, Vec<f64>)>;

impl Bench {
    async fn new(allocator: Option<Allocator>) -> Self {
        let cache_config = gristmill_cache::Config::default();
        let clock = Arc::new(SystemClock);
        let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
        let config = Config { slots: 2, allocator, ..Config::default() };
        let runtime = Runtime::new(config, cache, cache_config, Arc::new(NoFollowUps), clock)
            .expect("an engine");
        let text = include_str!("typed.wat");
        let name = "typed".parse().expect("a name");
        let plugin = runtime.load(name, Bytes::from_static(text.as_bytes())).await;
        let engine = runtime.engine().clone();
        let component = Component::new(&engine, text).expect("a component");
        let pre = Linker::new(&engine).instantiate_pre(&component).expect("it needs nothing");
        Self { plugin: plugin.expect("it loads"), runtime, engine, pre }
    }

    async fn records(&self, rounds: u64) -> Measured {
        let text = || "some words".to_owned();
        let ten = Ten {
            a: text(),
            b: text(),
            c: text(),
            d: text(),
            e: text(),
            f: text(),
            g: text(),
            h: 1,
            i: u32::MAX,
            j: 0.5,
        };
        let input = Payload::json(&json!({"value": {
            "a": ten.a, "b": ten.b, "c": ten.c, "d": ten.d, "e": ten.e, "f": ten.f, "g": ten.g,
            "h": ten.h, "i": ten.i, "j": ten.j,
        }}));
        let job = self.job("record", input);
        let mut measured: Measured = vec![
            ("a record of ten, typed, bare engine", Vec::new()),
            ("a record of ten, typed, whole attempt", Vec::new()),
            ("a record of ten, dynamic, bare engine", Vec::new()),
            ("a record of ten, JSON, whole attempt", Vec::new()),
        ];
        for _ in 0..rounds {
            let typed = async || {
                let (back,): (Ten,) = self.typed("record", (ten.clone(),)).await;
                assert_eq!(back.i, ten.i);
            };
            add(&mut measured[0], ATTEMPTS, typed).await;
            let typed_attempt = async || {
                let back = self.typed_attempt::<_, (Ten,)>(&job, (ten.clone(),)).await;
                assert_eq!(back.0.i, ten.i);
            };
            add(&mut measured[1], ATTEMPTS, typed_attempt).await;
            let dynamic = async || {
                assert!(matches!(self.dynamic("record", &ten.val()).await, Val::Record(_)));
            };
            add(&mut measured[2], ATTEMPTS, dynamic).await;
            add(&mut measured[3], ATTEMPTS, async || self.attempt(Arc::clone(&job)).await).await;
        }
        measured
    }

    async fn bytes(&self, rounds: u64) -> Measured {
        let data = vec![b'x'; LARGE_BYTES];
        let job = self.job("bytes", Payload::bytes(data.clone()));
        let mut measured: Measured = vec![
            ("a list<u8> of 768 KiB, typed, bare engine", Vec::new()),
            ("a list<u8> of 768 KiB, typed, attempt", Vec::new()),
            ("a list<u8> of 768 KiB, whole attempt", Vec::new()),
        ];
        for _ in 0..rounds {
            let typed = async || {
                let (back,): (Vec<u8>,) = self.typed("bytes", (data.clone(),)).await;
                assert_eq!(back.len(), LARGE_BYTES);
            };
            add(&mut measured[0], LARGE_ATTEMPTS, typed).await;
            let typed_attempt = async || {
                let back = self.typed_attempt::<_, (Vec<u8>,)>(&job, (data.clone(),)).await;
                assert_eq!(back.0.len(), LARGE_BYTES);
            };
            add(&mut measured[1], LARGE_ATTEMPTS, typed_attempt).await;
            let attempt = async || self.attempt(Arc::clone(&job)).await;
            add(&mut measured[2], LARGE_ATTEMPTS, attempt).await;
        }
        measured
    }

    async fn typed<P, R>(&self, function: &str, arguments: P) -> R
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let function = instance.get_typed_func::<P, R>(&mut store, function).expect("its types");
        function.call_async(&mut store, arguments).await.expect("no trap")
    }

    /// The same call in the sandbox, with all that is around a job's.
    async fn typed_attempt<P, R>(&self, job: &Arc<NewJob>, arguments: P) -> R
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let (attempt, mut back) = (a_first_attempt(Arc::clone(job)), None);
        let take = |results: R| back = Some(results);
        let report = self.runtime.run_typed(&self.plugin, attempt, arguments, take).await;
        let outcome = report.expect("the host is well").outcome;
        assert!(matches!(outcome, Outcome::Completed { .. }), "{outcome:?}");
        back.expect("it was called")
    }

    async fn dynamic(&self, function: &str, argument: &Val) -> Val {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let function = instance.get_func(&mut store, function).expect("it is there");
        let mut results = [Val::Bool(false)];
        let arguments = std::slice::from_ref(argument);
        function.call_async(&mut store, arguments, &mut results).await.expect("no trap");
        let [result] = results;
        result
    }

    fn job(&self, function: &str, input: Payload) -> Arc<NewJob> {
        let function = Some(function.parse().expect("a name"));
        Arc::new(NewJob { function, ..NewJob::new(self.plugin.name().clone(), input) })
    }

    async fn attempt(&self, job: Arc<NewJob>) {
        let report = self.runtime.run(&self.plugin, a_first_attempt(job)).await;
        let outcome = report.expect("the host is well").outcome;
        assert!(matches!(outcome, Outcome::Completed { result: Some(_) }), "{outcome:?}");
    }
}

impl Ten {
    /// The same for the engine's dynamic calls.
    fn val(&self) -> Val {
        let text = [&self.a, &self.b, &self.c, &self.d, &self.e, &self.f, &self.g];
        let text = text.into_iter().map(|text| Val::String(text.clone()));
        let numbers = [Val::U32(self.h), Val::U32(self.i), Val::Float64(self.j)];
        let names = ('a'..='j').map(String::from);
        Val::Record(names.zip(text.chain(numbers)).collect())
    }
}

/// Adds the microseconds of one, where this way is to be measured.
async fn add(measured: &mut (&str, Vec<f64>), times: u32, work: impl AsyncFn()) {
    let (name, micros) = measured;
    if !is_wanted(name) {
        micros.push(f64::NAN);
        return;
    }
    let started = time::monotonic();
    for _ in 0..times {
        work().await;
    }
    micros.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(times));
}
