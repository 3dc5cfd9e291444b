//! One attempt: a fresh store and instance, or one that is used again, a call, an outcome.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::Cache;
use gristmill_job::{Clock, Digest, NewJob, Outcome, Payload, PluginName, Rejection, Timestamp};
use wasmtime::component::Linker;
use wasmtime::{Engine, Store};

use crate::blocking::blocking;
use crate::call::Call;
use crate::compile::Compiling;
use crate::config::{self, Config};
use crate::engine::{self, EngineInfo, Ticker};
use crate::error::{Error, LoadError};
use crate::fault::{self, Abort};
use crate::limits::Limits;
use crate::log_book::{Notes, SilentNotes};
use crate::manifest::Manifest;
use crate::plugin::{self, Compiled, Plugin};
use crate::report::{self, Answer, Report};
use crate::reuse::{self, Instance, Waiting};
use crate::state::{FollowUps, JobFacts, Shared, Start, State};
use crate::stop::Stop;
use crate::supervise::{self, Metered};
use crate::{capabilities, describe, wasi};

/// The sandbox: loads plugins and runs attempts. Cloning shares it.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>, Arc<Shared>);

struct Inner {
    // Dropped first: the tick ends before its engine.
    _ticker: Ticker,
    engine: Engine,
    linker: Linker<State>,
    compiling: Compiling,
    config: Config,
    info: EngineInfo,
    waiting: Arc<Waiting>,
}

/// What is to be run.
pub struct Attempt {
    /// The job.
    pub job: Arc<NewJob>,
    /// The attempt's number, from 1.
    pub number: u32,
    /// When the job was enqueued.
    pub enqueued_at: Timestamp,
    /// What an earlier attempt saved.
    pub checkpoint: Option<Payload>,
    /// Ends the attempt as cancelled.
    pub stop: Stop,
    /// Who takes what it has to say.
    pub notes: Arc<dyn Notes>,
}

impl Runtime {
    /// Sets the engine up and links the host's side of the contract.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub fn new(
        config: Config,
        cache: Arc<dyn Cache>,
        cache_config: gristmill_cache::Config,
        follow_ups: Arc<dyn FollowUps>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let (engine, info) = engine::build(&config)?;
        let mut linker = Linker::new(&engine);
        capabilities::add_to_linker(&mut linker)
            .and_then(|()| wasi::add_to_linker(&mut linker))
            .map_err(|e| Error::Engine(e.into()))?;
        let waiting = Arc::new(Waiting::new(config.slots));
        let ticker = Ticker::start(&engine, &config, Arc::clone(&waiting))?;
        let sampler = config.sampler.clone();
        let shared = Shared { cache, cache_config, follow_ups, clock, sampler };
        let compiling = Compiling::new(&engine, &config);
        let inner = Inner { _ticker: ticker, engine, linker, compiling, config, info, waiting };
        Ok(Self(Arc::new(inner), Arc::new(shared)))
    }

    /// The same sandbox with the same plugins, over other back-ends: attempts that mustn't meet.
    #[must_use]
    pub fn over(
        &self,
        cache: Arc<dyn Cache>,
        cache_config: gristmill_cache::Config,
        follow_ups: Arc<dyn FollowUps>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let sampler = self.1.sampler.clone();
        let shared = Shared { cache, cache_config, follow_ups, clock, sampler };
        Self(Arc::clone(&self.0), Arc::new(shared))
    }

    /// The same for a thread of its own: threads that count their uses of one thing in turn wait for each
    /// other.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self(Arc::clone(&self.0), Arc::new(Shared::clone(&self.1)))
    }

    /// How the engine was set up.
    #[must_use]
    pub fn info(&self) -> &EngineInfo {
        &self.0.info
    }

    /// What each attempt is allowed, where its plugin's manifest says nothing else.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.config.limits
    }

    /// What a manifest may allow at most.
    #[must_use]
    pub fn limits_max(&self) -> &Limits {
        &self.0.config.limits_max
    }

    /// The largest component that is loaded.
    pub(crate) fn component_bytes_max(&self) -> usize {
        self.0.config.component_bytes_max
    }

    /// The engine, for a benchmark that measures the bare engine beside this room.
    #[doc(hidden)]
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Makes a plugin of a component: compiles, links, and asks it to describe itself. It is
    /// granted nothing, and has the host's own limits.
    ///
    /// # Errors
    /// [`LoadError`] says why it can't be used.
    pub async fn load(&self, name: PluginName, bytes: Bytes) -> Result<Plugin, LoadError> {
        self.load_with(name, bytes, Manifest::default()).await
    }

    /// Makes a plugin of a component and its manifest.
    ///
    /// # Errors
    /// [`LoadError`] says why it can't be used.
    pub async fn load_with(
        &self,
        name: PluginName,
        bytes: Bytes,
        manifest: Manifest,
    ) -> Result<Plugin, LoadError> {
        let hashed = bytes.clone();
        let digest = blocking(move || Digest::of(&hashed)).await?;
        self.load_known(name, bytes, digest, manifest).await
    }

    /// The same for a component whose digest is known already.
    pub(crate) async fn load_known(
        &self,
        name: PluginName,
        bytes: Bytes,
        digest: Digest,
        manifest: Manifest,
    ) -> Result<Plugin, LoadError> {
        plugin::recognise(&bytes, self.0.config.component_bytes_max)?;
        let compiled = self.0.compiling.compile(bytes, digest).await?;
        self.prepare(name, compiled, manifest).await
    }

    /// Makes a plugin of another's component, which needn't be compiled again, and of this manifest.
    ///
    /// # Errors
    /// [`LoadError`] says why it can't be used.
    pub async fn load_again(
        &self,
        plugin: &Plugin,
        manifest: Manifest,
    ) -> Result<Plugin, LoadError> {
        self.prepare(plugin.name().clone(), plugin.compiled(), manifest).await
    }

    async fn prepare(
        &self,
        name: PluginName,
        compiled: Compiled,
        manifest: Manifest,
    ) -> Result<Plugin, LoadError> {
        if let Some(said) = manifest.name.as_ref().filter(|said| **said != name) {
            return Err(LoadError::OtherName { said: said.to_string(), name: name.to_string() });
        }
        let inner = Arc::clone(&self.0);
        let prepared = blocking(move || {
            plugin::prepare(&inner.engine, &inner.linker, &inner.config, name, compiled, manifest)
        });
        let plugin = prepared.await??;
        let functions = self.describe(&plugin).await?;
        plugin.described(functions)
    }

    /// Runs one attempt to its end. Safe to drop: the guest ends, and what it reserved ends with its
    /// lease.
    ///
    /// # Errors
    /// [`Error`]: the host is unwell, and the attempt counts as nothing.
    pub async fn run(&self, plugin: &Plugin, attempt: Attempt) -> Result<Report, Error> {
        let job = Arc::clone(&attempt.job);
        match plugin.admit(&job) {
            Ok(called) => self.attempt(plugin, attempt, called).await,
            Err(rejection) => Ok(self.refused(plugin, &job, rejection)),
        }
    }

    /// A report of a job that doesn't fit its plugin.
    pub(crate) fn refused(&self, plugin: &Plugin, job: &NewJob, rejection: Rejection) -> Report {
        let limits = &plugin.terms(job.function.as_ref()).limits;
        Report::refused(rejection, limits, wall(limits, job))
    }

    /// Calls in a sandbox, and sees to everything around it.
    pub(crate) async fn attempt(
        &self,
        plugin: &Plugin,
        attempt: Attempt,
        called: impl Call,
    ) -> Result<Report, Error> {
        let terms = plugin.terms(attempt.job.function.as_ref());
        let limits = &terms.limits;
        let wall = wall(limits, &attempt.job);
        let job = JobFacts {
            attempts_max: terms.retry(&attempt.job).attempts_max,
            spec: attempt.job,
            attempt: attempt.number,
            enqueued_at: attempt.enqueued_at,
            checkpoint: attempt.checkpoint,
        };
        let start = Start {
            plugin: plugin.clone(),
            job,
            limits: Arc::clone(limits),
            cancel_grace: terms.cancel_grace,
            wall,
            stop: attempt.stop,
            shared: Arc::clone(&self.1),
            notes: attempt.notes,
        };
        let (_place, found) = self.0.waiting.enter(plugin, limits);
        let mut instance = match found.filter(|_| called.may_reuse()) {
            None => Instance::new(self.store(start)),
            Some(instance) => instance.again(start),
        };
        let (ended, cpu) = watched(&mut instance, plugin, called).await;
        let state = instance.store.data_mut();
        state.publish_progress();
        state.release_reservations().await;
        let outcome = match ended {
            Ok(Ok(answer)) => report::answered(answer, limits, wall),
            Ok(Err(error)) => fault::classify(&error, &state.limiter, limits, wall)?,
            Err(abort) => fault::aborted(abort, None, limits, wall),
        };
        let report = report::finish(state, outcome, cpu, wall);
        self.0.waiting.keep(instance, &report.outcome);
        Ok(report)
    }

    /// A store with its budgets, deadline and tick.
    fn store(&self, start: Start) -> Store<State> {
        let mut store = Store::new(&self.0.engine, State::new(start));
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(supervise::on_tick);
        reuse::bound(&mut store);
        store
    }

    /// Asks a plugin for its description, in a sandbox without any grant.
    async fn describe(
        &self,
        plugin: &Plugin,
    ) -> Result<Option<Vec<describe::Function>>, LoadError> {
        let Some(interface) = plugin
            .exports()
            .iter()
            .find(|export| export.name.starts_with("gristmill:job/describe@0.1."))
        else {
            return Ok(None);
        };
        let limits = Arc::new(plugin.terms(None).limits.for_describe());
        let wall = limits.wall;
        let mut store = self.store(Start {
            plugin: plugin.clone(),
            job: JobFacts {
                spec: Arc::new(NewJob::new(plugin.name().clone(), Payload::none())),
                attempt: 0,
                attempts_max: 1,
                enqueued_at: self.1.clock.now(),
                checkpoint: None,
            },
            limits: Arc::clone(&limits),
            cancel_grace: Duration::ZERO,
            wall,
            stop: Stop::new(),
            shared: Arc::clone(&self.1),
            notes: Arc::new(SilentNotes),
        });
        let (_place, _) = self.0.waiting.enter(plugin, &limits);
        let deadline = store.data().deadline;
        let mut call = Metered::new(Box::pin(describe_call(&mut store, plugin, &interface.name)));
        let ended = supervise::watch(&mut call, deadline, &Stop::new(), Duration::ZERO).await;
        drop(call);
        let text = match ended {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => {
                let outcome = fault::classify(&error, &store.data().limiter, &limits, wall)?;
                return Err(LoadError::Description(said(&outcome)));
            }
            Err(abort) => {
                let outcome = fault::aborted(abort, None, &limits, wall);
                return Err(LoadError::Description(said(&outcome)));
            }
        };
        if text.len() > config::DESCRIPTION_BYTES_MAX {
            let max = config::DESCRIPTION_BYTES_MAX;
            let why = format!("{} bytes are more than {max}", text.len());
            return Err(LoadError::Description(why));
        }
        describe::parse(&text).map(Some).map_err(LoadError::Description)
    }
}

fn said(outcome: &Outcome) -> String {
    outcome.error().map_or_else(|| outcome.kind().to_string(), |error| error.message.clone())
}

/// How long an attempt may take.
fn wall(limits: &Limits, job: &NewJob) -> Duration {
    job.timeout.map_or(limits.wall, |asked| asked.min(limits.wall))
}

/// Calls; answers with what came of it and the time that it took on a processor.
async fn watched(
    instance: &mut Instance,
    plugin: &Plugin,
    called: impl Call,
) -> (Result<wasmtime::Result<Answer>, Abort>, Duration) {
    let Instance { store, guest: kept, .. } = instance;
    let (deadline, stop) = (store.data().deadline, store.data().stop.clone());
    let cancel_grace = store.data().cancel_grace();
    let guest = std::pin::pin!(called.call(store, kept, plugin));
    let mut call = Metered::new(guest);
    let ended = supervise::watch(&mut call, deadline, &stop, cancel_grace).await;
    (ended, call.cpu())
}

async fn describe_call(
    store: &mut Store<State>,
    plugin: &Plugin,
    interface: &str,
) -> wasmtime::Result<String> {
    let instance = plugin.pre().instantiate_async(&mut *store).await?;
    let missing = || wasmtime::format_err!("it exports {interface} without a function describe");
    let interface_index =
        instance.get_export_index(&mut *store, None, interface).ok_or_else(missing)?;
    let function = instance
        .get_export_index(&mut *store, Some(&interface_index), "describe")
        .ok_or_else(missing)?;
    let function = instance.get_typed_func::<(), (String,)>(&mut *store, function)?;
    Ok(function.call_async(&mut *store, ()).await?.0)
}
