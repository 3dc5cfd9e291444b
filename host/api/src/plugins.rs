//! Plugins, as users read of them.

mod push;
mod show;

use gristmill_job::{Digest, PluginName};
use gristmill_runtime::{Description, Function, Plugin};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub(crate) use self::push::{__path_push, __path_remove, push, remove};
pub(crate) use self::show::{
    __path_list, __path_schema, __path_show, __path_versions, list, schema, show, versions,
};

/// All plugins of a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginsView {
    /// The plugins, by name.
    pub plugins: Vec<PluginEntry>,
    /// Why their folder can't be followed just now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<String>,
}

/// A plugin among all, whether it can be used or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PluginEntry {
    /// It can be used.
    Usable(PluginView),
    /// It can't.
    Unusable {
        /// Its name.
        name: PluginName,
        /// Why.
        error: String,
    },
}

impl PluginEntry {
    /// The plugin's name.
    #[must_use]
    pub fn name(&self) -> &PluginName {
        match self {
            Self::Usable(view) => &view.name,
            Self::Unusable { name, .. } => name,
        }
    }
}

/// A plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginView {
    /// Its name.
    pub name: PluginName,
    /// Which version of it this is.
    pub digest: Digest,
    /// The component's size.
    pub bytes: usize,
    /// The version that its manifest gives it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What its manifest says it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it says of its functions; `null`, if it doesn't describe itself.
    pub functions: Option<Vec<FunctionView>>,
    /// Why the version that should take its place can't.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<String>,
}

/// A function of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunctionView {
    /// Its name.
    pub name: String,
    /// One line for people.
    pub summary: Option<String>,
    /// Patterns of media types that it takes; `null`: any; empty: it takes no input.
    pub accepts: Option<Vec<String>>,
    /// The media type of its result.
    pub returns: Option<String>,
    /// JSON Schema of its input.
    #[schema(value_type = Value)]
    pub input: Option<Value>,
    /// JSON Schema of its result.
    #[schema(value_type = Value)]
    pub output: Option<Value>,
}

/// The versions of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionsView {
    /// The one that serves first, then the one before it, and so on.
    pub versions: Vec<VersionView>,
}

/// A version of a plugin that jobs can run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// The component's digest.
    pub digest: Digest,
    /// The version that its manifest gives it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The component's size.
    pub bytes: usize,
    /// Whether new jobs run on it.
    pub serving: bool,
}

/// What a plugin's functions take and give, as JSON Schema where they say it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SchemaView {
    /// The plugin.
    pub name: PluginName,
    /// Which version of it this is.
    pub digest: Digest,
    /// The functions; none, if it doesn't describe itself.
    pub functions: Vec<FunctionView>,
}

impl From<&Plugin> for PluginView {
    fn from(plugin: &Plugin) -> Self {
        let functions = plugin.functions().map(|all| all.iter().map(Into::into).collect());
        Self {
            name: plugin.name().clone(),
            digest: plugin.digest(),
            bytes: plugin.bytes(),
            version: plugin.manifest().version.clone(),
            description: plugin.manifest().description.clone(),
            functions,
            fault: None,
        }
    }
}

impl From<&Description> for PluginView {
    fn from(description: &Description) -> Self {
        let functions = description.functions.as_ref();
        Self {
            name: description.name.clone(),
            digest: description.digest,
            bytes: description.bytes,
            version: description.version.clone(),
            description: description.description.clone(),
            functions: functions.map(|all| all.iter().map(Into::into).collect()),
            fault: None,
        }
    }
}

impl From<&Function> for FunctionView {
    fn from(function: &Function) -> Self {
        Self {
            name: function.name.to_string(),
            summary: function.summary.clone(),
            accepts: function.accepts.clone(),
            returns: function.returns.clone(),
            input: function.input.clone(),
            output: function.output.clone(),
        }
    }
}
