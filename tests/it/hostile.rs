//! The sandbox holds whatever a component does: components of `tests/hostile`, what each comes to,
//! and that nothing of it is left. A component without a test of its name doesn't compile.

mod abi;
mod describe;
mod handles;
mod hanging;
mod host;
mod loading;
mod memory;
mod time;

use std::sync::Mutex;
use std::time::Duration;

use gristmill_job::{NewJob, OutcomeKind, Payload, PluginName};
use gristmill_runtime::{Access, Config, Limits, LoadError, Manifest, Occupancy, Plugin, Report};
use gristmill_tests::{Sandbox, a_grant, a_job, hostile, well_behaved};

use self::abi::*;
use self::describe::*;
use self::handles::*;
use self::host::*;
use self::loading::*;
use self::memory::*;
use self::time::*;

include!(concat!(env!("OUT_DIR"), "/hostile.rs"));

macro_rules! assert_test_exists {
    ($name:ident) => {
        const _: fn() = $name;
    };
}

foreach_hostile!(assert_test_exists);

/// What an attempt, or loading, comes to.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It hands back a result: what it did harmed nobody.
    Completed,
    /// A trap with this code.
    Trapped(&'static str),
    /// It fails by its own word.
    Failed,
    /// A limit of this name.
    Limited(&'static str),
    /// Its deadline.
    TimedOut,
    /// It can't be loaded, for a reason of this kind.
    Refused(&'static str),
}

use Fate::{Completed, Failed, Limited, Refused, TimedOut, Trapped};

/// Attempts at one time: what is hostile, and its neighbour.
const SLOTS: u32 = 2;
/// The deadline of what runs into it: long enough for a neighbour on a busy machine.
const DEADLINE: Duration = Duration::from_millis(700);
/// Nothing takes as long; what does has escaped its deadline.
const FOREVER: Duration = Duration::from_secs(50);

/// Runs the component of a file and says what has to come of it. See [`Trial::ends_as`].
async fn expect(name: &str, fate: Fate) -> Trial {
    expect_of(hostile(name), fate).await
}

/// The same for a component that was made on the spot, as text or binary.
async fn expect_of(component: impl Into<bytes::Bytes>, fate: Fate) -> Trial {
    let wall = if fate == TimedOut { DEADLINE } else { Limits::default().wall };
    // What floods gets there sooner, which says as much.
    let limits = Limits { wall, handles_max: 1_000, host_calls_max: 5_000, ..Limits::default() };
    let trial =
        Trial::with(Sandbox::with_config(Config { slots: SLOTS, limits, ..Config::default() }));
    trial.ends_as(component.into(), fate).await
}

/// A hostile component's attempt, and what came of it.
struct Trial {
    sandbox: Sandbox,
    /// None: it couldn't be loaded.
    report: Option<Report>,
    /// Why it couldn't be loaded.
    refusal: Option<LoadError>,
}

impl Trial {
    fn with(sandbox: Sandbox) -> Self {
        Self { sandbox, report: None, refusal: None }
    }

    fn report(&self) -> &Report {
        self.report.as_ref().expect("it was loaded and run")
    }

    /// What is promised of every component, whatever it does: it comes to this end within bounds; a
    /// well-behaved job that starts beside it is done before its deadline ends it; afterwards all
    /// slots are free, and the next job runs.
    async fn ends_as(mut self, component: bytes::Bytes, fate: Fate) -> Self {
        let well = load(&self.sandbox, "well", well_behaved().into()).await.expect("it loads");
        let hostile = load(&self.sandbox, "hostile", component);
        let hostile = tokio::time::timeout(FOREVER, hostile).await.expect("loading ends");
        match hostile {
            Ok(plugin) => {
                let (report, order) = self.beside(&plugin, &well).await;
                assert_eq!(fate_of(&report), fate, "{:?}", report.outcome);
                if fate == TimedOut {
                    assert_eq!(order, ["well", "hostile"], "the neighbour was held up");
                }
                if fate != Completed {
                    assert!(report.follow_ups.is_empty(), "{:?}", report.follow_ups);
                }
                self.report = Some(report);
            }
            Err(error) => {
                assert_eq!(Refused(kind(&error)), fate, "{error}");
                let text = error.to_string();
                assert!(text.len() <= 8 << 10 && !text.contains('\n'), "{} bytes", text.len());
                self.refusal = Some(error);
            }
        }
        if let Some(taken) = self.sandbox.runtime.occupancy() {
            assert_eq!(taken, Occupancy::default(), "something of the pool is still taken");
        }
        let next = self.sandbox.attempt(&well, call("well"), 1, None).await;
        assert_eq!(fate_of(&next), Completed, "{:?}", next.outcome);
        self
    }

    /// Runs a hostile attempt and one of its neighbour on one thread, and tells who was done first.
    async fn beside(&self, hostile: &Plugin, well: &Plugin) -> (Report, Vec<&'static str>) {
        let done = Mutex::new(Vec::new());
        let job = call("hostile");
        let hostile = async {
            let report = self.sandbox.attempt(hostile, job, 1, None).await;
            done.lock().expect("no panic").push("hostile");
            report
        };
        let well = async {
            let report = self.sandbox.attempt(well, call("well"), 1, None).await;
            assert_eq!(fate_of(&report), Completed, "{:?}", report.outcome);
            done.lock().expect("no panic").push("well");
        };
        // Polled in this order: the hostile one has started when its neighbour does.
        let both = async { tokio::join!(biased; hostile, well) };
        let (report, ()) = tokio::time::timeout(FOREVER, both).await.expect("it ends");
        (report, done.into_inner().expect("no panic"))
    }
}

/// Loads a component that may use the bucket `shared`.
async fn load(sandbox: &Sandbox, name: &str, bytes: bytes::Bytes) -> Result<Plugin, LoadError> {
    let name = PluginName::new(name).expect("a name");
    sandbox.runtime.load_with(name, bytes, shares()).await
}

/// Grants the bucket `shared`.
fn shares() -> Manifest {
    let grants = a_grant("shared", Access::ReadWrite);
    Manifest { grants, ..Manifest::default() }
}

fn call(plugin: &str) -> NewJob {
    a_job(plugin, "f", Payload::text("input"))
}

fn fate_of(report: &Report) -> Fate {
    let error = report.outcome.error();
    let limit = || error.and_then(|error| error.limit.as_deref()).expect("a limit's name");
    match report.outcome.kind() {
        OutcomeKind::Completed => Completed,
        OutcomeKind::Trapped => Trapped(known(&error.expect("an error").code)),
        OutcomeKind::LimitExceeded => Limited(known(limit())),
        OutcomeKind::TimedOut => TimedOut,
        OutcomeKind::Failed => Failed,
        other => panic!("{other:?}: {:?}", report.outcome),
    }
}

/// Names live for ever here, so that what is expected can be written down as it is compared.
fn known(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

fn kind(error: &LoadError) -> &'static str {
    match error {
        LoadError::TooLarge { .. } => "too-large",
        LoadError::NotAComponent(_) => "not-a-component",
        LoadError::Invalid(_) => "invalid",
        LoadError::MissingImport { .. } => "missing-import",
        LoadError::WrongImport(_) => "wrong-import",
        LoadError::WrongExport { .. } => "wrong-export",
        LoadError::NothingToCall { .. } => "nothing-to-call",
        LoadError::AboveLimit { limit, .. } => limit,
        LoadError::Description(_) => "description",
        other => panic!("{other}"),
    }
}
