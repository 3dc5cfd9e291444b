//! What a plugin says of itself, kept apart from it: enough to show it and to hold jobs against it where
//! there is no engine, in the same words as where there is one.

use std::sync::Arc;

use gristmill_job::{Digest, FunctionName, NewJob, PluginName, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::describe::{self, Callee, Function};
use crate::exports::{self, FunctionTypes};
use crate::manifest::CommandRules;
use crate::plugin::Plugin;
use crate::schema::Schema;
use crate::values::ValueType;

/// What a version of a plugin says of itself.
#[derive(Debug, Clone)]
pub struct Description {
    /// The plugin's name.
    pub name: PluginName,
    /// Which version it is.
    pub digest: Digest,
    /// The component's size in bytes.
    pub bytes: usize,
    /// The version that its manifest gives it, for people.
    pub version: Option<String>,
    /// What its manifest says it is for.
    pub description: Option<String>,
    /// What it says of its functions; none, if it doesn't describe itself.
    pub functions: Option<Vec<Function>>,
}

/// A description as it is kept. Keys that aren't known are what later versions may add.
#[derive(Serialize, Deserialize)]
struct Kept {
    bytes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    functions: Option<Vec<KeptFunction>>,
}

#[derive(Serialize, Deserialize)]
struct KeptFunction {
    name: FunctionName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepts: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    returns: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    #[serde(default)]
    called: Called,
}

/// How a function is called, as far as its input has to fit.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Called {
    #[default]
    Handler,
    Export {
        path: exports::Path,
        parameters: Vec<(String, ValueType)>,
        result: Option<ValueType>,
    },
    Program(CommandRules),
}

impl Plugin {
    /// What the plugin says of itself, as a text to be kept.
    #[must_use]
    pub fn description(&self) -> String {
        let functions = self.functions();
        let mut kept = Kept {
            bytes: self.bytes(),
            version: self.manifest().version.clone(),
            description: self.manifest().description.clone(),
            functions: functions.map(|all| all.iter().map(KeptFunction::from).collect()),
        };
        // Texts, and values of JSON, always have a form.
        let text = serde_json::to_string(&kept).unwrap_or_default();
        if Description::parse(self.name(), self.digest(), &text).is_ok() {
            return text;
        }
        // Types may be nested more deeply than JSON is read: these are left to whoever has the engine.
        kept.functions = None;
        serde_json::to_string(&kept).unwrap_or_default()
    }
}

impl Description {
    /// Reads what was kept of a version of a plugin.
    ///
    /// # Errors
    /// What can't be read.
    pub fn parse(name: &PluginName, digest: Digest, text: &str) -> Result<Self, String> {
        let kept: Kept = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let functions = kept.functions.map(|all| all.into_iter().map(KeptFunction::read).collect());
        Ok(Self {
            name: name.clone(),
            digest,
            bytes: kept.bytes,
            version: kept.version,
            description: kept.description,
            functions: functions.transpose()?,
        })
    }

    /// Which function a job calls, and whether its input and options fit: as
    /// [`Plugin::check`], but for text in WAVE, which is taken at its producer's word.
    ///
    /// # Errors
    /// A rejection that says what would fit.
    pub fn check(&self, job: &NewJob) -> Result<FunctionName, Rejection> {
        describe::admit(self.functions.as_deref(), job).map(|called| called.function.clone())
    }
}

impl From<&Function> for KeptFunction {
    fn from(function: &Function) -> Self {
        let of_types = |types: &FunctionTypes| Called::Export {
            path: types.path.clone(),
            parameters: types.parameters.clone(),
            result: types.result.clone(),
        };
        let called = match &function.callee {
            Callee::Handler => Called::Handler,
            Callee::Export(export) => of_types(export.types()),
            Callee::Typed(types) => of_types(types),
            Callee::Command(command) => Called::Program(command.rules().clone()),
            Callee::Program(rules) => Called::Program(rules.clone()),
        };
        Self {
            name: function.name.clone(),
            summary: function.summary.clone(),
            accepts: function.accepts.clone(),
            returns: function.returns.clone(),
            input: function.input.clone(),
            output: function.output.clone(),
            called,
        }
    }
}

impl KeptFunction {
    fn read(self) -> Result<Function, String> {
        let (schema, callee) = match self.called {
            Called::Handler => {
                (self.input.as_ref().map(Schema::compile).transpose()?, Callee::Handler)
            }
            Called::Export { path, parameters, result } => {
                let types = FunctionTypes::new(path, parameters, result);
                (None, Callee::Typed(Arc::new(types)))
            }
            Called::Program(rules) => (None, Callee::Program(rules)),
        };
        Ok(Function {
            name: self.name,
            summary: self.summary,
            accepts: self.accepts,
            returns: self.returns,
            input: self.input,
            output: self.output,
            schema,
            callee,
        })
    }
}

#[cfg(test)]
mod tests;
