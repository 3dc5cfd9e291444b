//! Functions that a component exports with types of its own: each is a function of the plugin, called
//! with values in JSON that are checked before its job is ever queued.

mod call;
mod input;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use gristmill_job::{FunctionName, media};
use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, Type};

use crate::describe::{Callee, Function};
use crate::values::{self, Types, ValueType};

pub(crate) use call::{call, call_typed};
pub(crate) use input::Arguments;

/// The most exports that are functions for jobs: more are told nobody, and each has its schemas.
const FUNCTIONS_MAX: usize = 1_000;

/// An exported function that a job can call.
pub(crate) struct Export {
    types: FunctionTypes,
    index: ComponentExportIndex,
    /// The parameters' types as the engine has them, for text in WAVE.
    parameter_types: Vec<Type>,
}

/// What an exported function takes and gives, and where it is found: all that is needed to hold an input
/// against it, without its component.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FunctionTypes {
    pub(crate) path: Path,
    pub(crate) parameters: Vec<(String, ValueType)>,
    pub(crate) result: Option<ValueType>,
    shape: Option<call::Shape>,
}

/// Where an exported function is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Path {
    pub(crate) interface: Option<String>,
    pub(crate) function: String,
}

/// An exported function that no job can call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotCallable {
    pub(crate) path: Path,
    pub(crate) why: String,
}

/// All that a component exports for jobs to call, or would if it could be called.
#[derive(Default, Clone)]
pub(crate) struct Exports {
    pub(crate) callable: Vec<Arc<Export>>,
    pub(crate) not_callable: Vec<NotCallable>,
}

impl Exports {
    /// Finds them; what belongs to the contract or to WASI isn't for jobs.
    pub(crate) fn of(engine: &Engine, component: &Component) -> Self {
        let mut found = Self::default();
        let mut types = Types::new();
        for (name, export) in component.component_type().exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(function) => {
                    let path = Path { interface: None, function: name.to_owned() };
                    let index = component.get_export_index(None, name);
                    found.add(path, index, &function, &mut types);
                }
                ComponentItem::ComponentInstance(instance) if !is_reserved(name) => {
                    let interface = component.get_export_index(None, name);
                    for (function, item) in instance.exports(engine) {
                        let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
                        let index = component.get_export_index(interface.as_ref(), function);
                        let path = Path {
                            interface: Some(name.to_owned()),
                            function: function.to_owned(),
                        };
                        found.add(path, index, &ty, &mut types);
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn add(
        &mut self,
        path: Path,
        index: Option<ComponentExportIndex>,
        function: &ComponentFunc,
        types: &mut Types,
    ) {
        let export = if self.callable.len() < FUNCTIONS_MAX {
            Export::new(&path, index, function, types)
        } else {
            Err(format!("a component has {FUNCTIONS_MAX} functions for jobs at most"))
        };
        match export {
            Ok(export) => self.callable.push(Arc::new(export)),
            Err(why) => self.not_callable.push(NotCallable { path, why }),
        }
    }

    /// The functions that these are for jobs. Each goes by the shortest of its names that is no other's.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut taken: HashMap<String, usize> = HashMap::new();
        for name in self.callable.iter().flat_map(|export| export.path().names()) {
            *taken.entry(name).or_default() += 1;
        }
        let is_free = |name: &String| taken.get(name).is_none_or(|times| *times == 1);
        let functions = self.callable.iter().filter_map(|export| {
            let mut names = export.path().names().filter(is_free);
            let name = names.find_map(|name| FunctionName::new(&name).ok())?;
            Some(Function {
                name,
                summary: None,
                accepts: Some(export.types.accepts()),
                returns: export.types.returns().map(str::to_owned),
                input: Some(export.types.input_schema()),
                output: export.types.output_schema(),
                schema: None,
                callee: Callee::Export(Arc::clone(export)),
            })
        });
        functions.collect()
    }
}

/// Whether an exported interface is the contract's or one of WASI's.
fn is_reserved(interface: &str) -> bool {
    interface.starts_with("gristmill:job/") || interface.starts_with("wasi:")
}

/// Whether an export is the step by which componentize-qjs or componentize-py sets a guest going while it
/// builds a component, and which it leaves there. Its name alone could be an author's; nobody else has
/// all these parameters under it.
fn is_build_step(
    path: &Path,
    parameters: &[(String, ValueType)],
    result: Option<&ValueType>,
) -> bool {
    let fails_with_text =
        matches!(result, Some(ValueType::Result(None, Some(why))) if **why == ValueType::String);
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let is_the_tools = match (path.interface.as_deref(), names.as_slice()) {
        (None, ["shim", "script", .., "disable-gc"]) => parameters[1].1 == ValueType::String,
        (Some("exports"), ["app-name", "symbols", "stub-wasi"]) => true,
        _ => false,
    };
    let first_and_last = (parameters.first().map(|p| &p.1), parameters.last().map(|p| &p.1));
    let fits = first_and_last == (Some(&ValueType::String), Some(&ValueType::Bool));
    path.function == "init" && is_the_tools && fits && fails_with_text
}

impl Path {
    /// The names that a job may call it by, the shortest first: `function`, `interface.function`,
    /// `ns:pkg/interface#function`, and the same with the version.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        let function = &self.function;
        let in_interface = self.interface.iter().flat_map(move |interface| {
            let unversioned = interface.split('@').next().unwrap_or_default();
            let short = unversioned.rsplit('/').next().unwrap_or_default();
            let long = format!("{unversioned}#{function}");
            let longest = (unversioned != interface).then(|| format!("{interface}#{function}"));
            [Some(format!("{short}.{function}")), Some(long), longest].into_iter().flatten()
        });
        std::iter::once(function.clone()).chain(in_interface)
    }
}

impl fmt::Display for Path {
    /// Its full name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{interface}#{}", self.function),
            None => f.write_str(&self.function),
        }
    }
}

impl Export {
    /// # Errors
    /// Why no job can call it.
    fn new(
        path: &Path,
        index: Option<ComponentExportIndex>,
        function: &ComponentFunc,
        types: &mut Types,
    ) -> Result<Self, String> {
        let index = index.ok_or("it can't be found by its name")?;
        if path.function.starts_with('[') {
            return Err("it belongs to a resource, which lives in an instance".to_owned());
        }
        if function.async_() {
            return Err("it is async".to_owned());
        }
        if path.names().all(|name| FunctionName::new(&name).is_err()) {
            return Err("its name is longer than a function's may be".to_owned());
        }
        let mut parameters = Vec::new();
        for (name, ty) in function.params() {
            parameters.push((name.to_owned(), types.of(&ty)?));
        }
        let result = function.results().next().map(|ty| types.of(&ty)).transpose()?;
        if is_build_step(path, &parameters, result.as_ref()) {
            return Err("the tool that made the component calls it, while it does so".to_owned());
        }
        let parameter_types = function.params().map(|(_, ty)| ty).collect();
        let types = FunctionTypes::new(path.clone(), parameters, result);
        Ok(Self { types, index, parameter_types })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.types.path
    }

    pub(crate) fn types(&self) -> &FunctionTypes {
        &self.types
    }
}

impl FunctionTypes {
    pub(crate) fn new(
        path: Path,
        parameters: Vec<(String, ValueType)>,
        result: Option<ValueType>,
    ) -> Self {
        let shape = call::Shape::of(&parameters, result.as_ref());
        Self { path, parameters, result, shape }
    }

    /// What its job gets if it succeeds.
    fn success(&self) -> Option<&ValueType> {
        match self.result.as_ref()? {
            ValueType::Result(ok, _) => ok.as_deref(),
            given => Some(given),
        }
    }

    fn accepts(&self) -> Vec<String> {
        let mut accepts = Vec::new();
        if !self.parameters.is_empty() {
            accepts.extend([media::JSON.to_owned(), media::WAVE.to_owned()]);
        }
        match self.parameters.as_slice() {
            [(_, ValueType::String)] => accepts.push("text/*".to_owned()),
            [(_, ValueType::Bytes)] => accepts.push("*/*".to_owned()),
            _ => {}
        }
        accepts
    }

    fn returns(&self) -> Option<&'static str> {
        Some(match self.success()? {
            ValueType::Bytes => media::BYTES,
            _ => media::JSON,
        })
    }

    /// Arguments by name, or by position.
    fn input_schema(&self) -> serde_json::Value {
        let named = self.parameters.iter().map(|(name, ty)| (name.as_str(), ty));
        let by_name = values::object(named);
        let by_position = values::array(self.parameters.iter().map(|(_, ty)| ty));
        serde_json::json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "anyOf": [by_name, by_position],
        })
    }

    fn output_schema(&self) -> Option<serde_json::Value> {
        match self.success()? {
            ValueType::Bytes => None,
            ty => Some(values::schema(ty)),
        }
    }
}

impl PartialEq for Export {
    /// Of one component, functions are told apart by where they are found.
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Export({})", self.path())
    }
}
