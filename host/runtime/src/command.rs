//! Components that are programs (`wasi:cli/run`): a job's input is standard input, what the program
//! writes to standard output is its result, what it writes to standard error its log.

mod io;

use std::fmt;
use std::sync::Arc;

use gristmill_job::{FunctionName, NewJob, Payload, media};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, Instance};
use wasmtime::{Engine, Store, format_err};
use wasmtime_wasi::I32Exit;

use crate::bindings::types;
use crate::describe::{Callee, Function};
use crate::manifest::CommandRules;
use crate::report::Answer;
use crate::signature::shown;
use crate::state::State;

pub(crate) use io::{Captured, Program};

/// The header of a job with the program's arguments: a JSON array of strings.
pub const ARGS_HEADER: &str = "command-args";
/// The header of a job with variables of the program's environment: a JSON object of strings.
pub const ENV_HEADER: &str = "command-env";

/// The interface that makes a component a program, up to its last number.
const RUN: &str = "wasi:cli/run@0.2.";

/// The function that a program is.
const NAME: &str = "run";
/// The same, where the plugin has another function of that name.
const FULL_NAME: &str = "wasi:cli/run";

/// A component's door as a program.
pub(crate) struct Command {
    index: ComponentExportIndex,
    rules: CommandRules,
}

/// What a job wants a program to be started with.
#[derive(Debug)]
pub(crate) struct Invocation {
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Command {
    /// The door of a component that has one.
    pub(crate) fn of(engine: &Engine, component: &Component, rules: &CommandRules) -> Option<Self> {
        let ty = component.component_type();
        let (name, export) = ty.exports(engine).find(|(name, _)| name.starts_with(RUN))?;
        let ComponentItem::ComponentInstance(instance) = export.ty else { return None };
        instance.exports(engine).find(|(name, item)| match &item.ty {
            ComponentItem::ComponentFunc(run) => *name == "run" && shown(run) == "func() -> result",
            _ => false,
        })?;
        let interface = component.get_export_index(None, name)?;
        let index = component.get_export_index(Some(&interface), "run")?;
        Some(Self { index, rules: rules.clone() })
    }

    /// The function that the program is, beside the plugin's others.
    pub(crate) fn function(self: &Arc<Self>, others: &[Function]) -> Option<Function> {
        let is_free = |name: &&str| others.iter().all(|other| other.name.as_str() != *name);
        let name = [NAME, FULL_NAME].into_iter().find(is_free)?;
        Some(Function {
            name: FunctionName::new(name).ok()?,
            summary: None,
            accepts: Some(vec!["*/*".to_owned()]),
            returns: None,
            input: None,
            output: None,
            schema: None,
            callee: Callee::Command(Arc::clone(self)),
        })
    }

    pub(crate) fn rules(&self) -> &CommandRules {
        &self.rules
    }

    /// Starts the program and waits for its end.
    pub(crate) async fn call(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
    ) -> wasmtime::Result<Answer> {
        let run = instance
            .get_func(&mut *store, self.index)
            .ok_or_else(|| format_err!("it exports no function run"))?;
        let run = run.typed::<(), (Result<(), ()>,)>(&mut *store)?;
        let code = match run.call_async(&mut *store, ()).await {
            Ok((Ok(()),)) => 0,
            Ok((Err(()),)) => 1,
            Err(error) => error.downcast::<I32Exit>()?.0,
        };
        let written = store.data_mut().program.take().map(|program| program.stdout.written());
        Ok(ended(code, written.unwrap_or_default()))
    }
}

impl CommandRules {
    /// Reads what a job says of arguments and environment.
    ///
    /// # Errors
    /// A header isn't what it should be, or wants what the manifest doesn't grant.
    pub(crate) fn invocation(&self, job: &NewJob) -> Result<Invocation, String> {
        let mut args = self.args.clone();
        if let Some(text) = job.headers.get(ARGS_HEADER) {
            let more: Vec<String> = serde_json::from_str(text).map_err(|error| {
                format!("the header {ARGS_HEADER} is no JSON array of strings: {error}")
            })?;
            args.extend(more);
        }
        let mut env = Vec::new();
        if let Some(text) = job.headers.get(ENV_HEADER) {
            let named: std::collections::BTreeMap<String, String> = serde_json::from_str(text)
                .map_err(|error| {
                    format!("the header {ENV_HEADER} is no JSON object of strings: {error}")
                })?;
            if let Some(name) = named.keys().find(|name| !self.env.contains(name)) {
                return Err(format!(
                    "a job may not set the variable {name:?}; what this needs is {name:?} in the list \
                     env under [command] in the plugin's manifest"
                ));
            }
            env.extend(named);
        }
        if args.iter().chain(env.iter().map(|(_, value)| value)).any(|text| text.contains('\0')) {
            return Err("an argument or a variable has a NUL in it".to_owned());
        }
        Ok(Invocation { args, env })
    }
}

/// What a program's end means: its exit code decides.
fn ended(code: i32, written: Vec<u8>) -> Answer {
    let result = (!written.is_empty()).then(|| payload(written));
    if code == 0 {
        return Ok(result);
    }
    Err(types::Failure {
        message: format!("the command ended with exit code {code}"),
        code: Some(format!("exit-{code}")),
        detail: result,
        disposition: types::Disposition::Retry,
    })
}

fn payload(data: Vec<u8>) -> types::Payload {
    let is_text = std::str::from_utf8(&data).is_ok();
    let content_type = if is_text { media::TEXT } else { media::BYTES };
    types::Payload { content_type: content_type.to_owned(), data }
}

impl Invocation {
    /// A program that reads this input and may write so many bytes.
    pub(crate) fn program(self, name: &str, input: &Payload, bytes_max: usize) -> Program {
        let args = std::iter::once(name.to_owned()).chain(self.args).collect();
        let stdout = Captured::new(bytes_max);
        Program { args, env: self.env, stdin: input.data.clone(), stdout }
    }
}

impl PartialEq for Command {
    /// A component has one at most.
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Command")
    }
}
