//! What is called in an attempt: what its job says, or, for a benchmark, an export by types that are known
//! beforehand.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use gristmill_job::FunctionName;
use wasmtime::component::{self, ComponentNamedList, Lift, Lower};
use wasmtime::{Store, format_err};

use crate::attempt::{Attempt, Runtime};
use crate::bindings::types;
use crate::describe::{self, Called, Callee, How};
use crate::error::Error;
use crate::exports::{self, Export};
use crate::plugin::Plugin;
use crate::report::{Answer, Report};
use crate::state::State;

/// What is called in an attempt.
pub(crate) trait Call: Send {
    /// Whether an instance that has run an attempt can run this one, too.
    fn may_reuse(&self) -> bool;

    /// Instantiates where there is no instance, and calls. What failed is not kept, to be called again.
    fn call(
        self,
        store: &mut Store<State>,
        kept: &mut Option<component::Instance>,
        plugin: &Plugin,
    ) -> impl Future<Output = wasmtime::Result<Answer>> + Send;
}

impl Call for Called<'_> {
    fn may_reuse(&self) -> bool {
        // A program runs once: its main function has returned.
        !matches!(self.how, How::Command(..))
    }

    async fn call(
        self,
        store: &mut Store<State>,
        kept: &mut Option<component::Instance>,
        plugin: &Plugin,
    ) -> wasmtime::Result<Answer> {
        let own = match self.how {
            How::Command(command, invocation) => {
                let state = store.data_mut();
                let (input, bytes_max) = (&state.job.spec.input, state.limits.result_bytes_max);
                let program = invocation.program(plugin.name().as_str(), input, bytes_max);
                state.program = Some(program);
                let guest = plugin.pre().instantiate_async(&mut *store).await?;
                return command.call(&mut *store, &guest).await;
            }
            How::Handler => None,
            How::Export(export, arguments) => Some((export, arguments)),
        };
        let guest = instance(store, kept, plugin).await?;
        let answer = match own {
            None => handle(&mut *store, plugin, &guest, self.function).await?,
            Some((export, arguments)) => {
                exports::call(&mut *store, &guest, export, arguments).await?
            }
        };
        *kept = Some(guest);
        Ok(answer)
    }
}

/// The instance that is kept, or a new one.
async fn instance(
    store: &mut Store<State>,
    kept: &mut Option<component::Instance>,
    plugin: &Plugin,
) -> wasmtime::Result<component::Instance> {
    match kept.take() {
        Some(guest) => Ok(guest),
        None => plugin.pre().instantiate_async(&mut *store).await,
    }
}

/// Calls the contract's handler, with the job's input as it is.
async fn handle(
    store: &mut Store<State>,
    plugin: &Plugin,
    guest: &component::Instance,
    function: &FunctionName,
) -> wasmtime::Result<Answer> {
    let handler = plugin.handler().ok_or_else(|| format_err!("it has no handler"))?;
    let guest = handler.load(&mut *store, guest)?;
    let input = &store.data().job.spec.input;
    let input =
        types::Payload { content_type: input.content_type.clone(), data: input.data.to_vec() };
    guest.gristmill_job_handler().call_handle(&mut *store, function.as_str(), &input).await
}

/// An export, called with Rust's own types.
struct Typed<'a, P, R, F> {
    export: &'a Export,
    arguments: P,
    take: F,
    results: PhantomData<fn() -> R>,
}

impl<P, R, F> Call for Typed<'_, P, R, F>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
    F: FnOnce(R) + Send,
{
    fn may_reuse(&self) -> bool {
        true
    }

    async fn call(
        self,
        store: &mut Store<State>,
        kept: &mut Option<component::Instance>,
        plugin: &Plugin,
    ) -> wasmtime::Result<Answer> {
        let guest = instance(store, kept, plugin).await?;
        let results = exports::call_typed(store, &guest, self.export, self.arguments).await?;
        (self.take)(results);
        *kept = Some(guest);
        Ok(Ok(None))
    }
}

impl Runtime {
    /// Runs an attempt that calls its job's function with `arguments` instead of the job's input, and gives
    /// what comes of it to `take` instead of making a result of it: for a benchmark that wants to know what
    /// JSON costs.
    ///
    /// # Errors
    /// [`Error`]: the host is unwell. A function that isn't there, or has other types, is in the report.
    #[doc(hidden)]
    pub async fn run_typed<P, R>(
        &self,
        plugin: &Plugin,
        attempt: Attempt,
        arguments: P,
        take: impl FnOnce(R) + Send,
    ) -> Result<Report, Error>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let job = Arc::clone(&attempt.job);
        let functions = plugin.functions().unwrap_or_default();
        let found = describe::find(functions, job.function.as_ref()).map(|found| &found.callee);
        match found {
            Ok(Callee::Export(export)) => {
                let typed = Typed { export, arguments, take, results: PhantomData };
                self.attempt(plugin, attempt, typed).await
            }
            Ok(_) => Ok(self.refused(plugin, &job, describe::unknown("it isn't an export".into()))),
            Err(rejection) => Ok(self.refused(plugin, &job, rejection)),
        }
    }
}
