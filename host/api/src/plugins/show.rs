//! Looking at plugins.

use axum::Json;
use axum::extract::{Path, State};
use gristmill_job::PluginName;
use gristmill_runtime::{LoadError, Plugin};

use super::{PluginEntry, PluginView, PluginsView, SchemaView, VersionView, VersionsView};
use crate::parameters::parse_plugin;
use crate::problem::{Kind, Problem};
use crate::routes::Front;

/// List the plugins
///
/// One that can't be used is named with the reason, and so is a new version that can't take its place.
#[utoipa::path(get, path = "/v1/plugins", operation_id = "listPlugins", tag = "plugins",
    responses((status = 200, body = PluginsView, description = "The plugins, by name")))]
pub(crate) async fn list(State(front): State<Front>) -> Result<Json<PluginsView>, Problem> {
    let unreadable = |error: LoadError| Problem::new(Kind::Unavailable, error.to_string());
    let mut plugins = Vec::new();
    for name in front.desk.plugin_names().await.map_err(unreadable)? {
        plugins.push(match front.desk.plugin(&name).await {
            Ok(plugin) => PluginEntry::Usable(front.desk.view(&plugin)),
            Err(error) => PluginEntry::Unusable { name, error: error.to_string() },
        });
    }
    Ok(Json(PluginsView { plugins, fault: front.desk.plugins.folder_fault() }))
}

/// Show a plugin
#[utoipa::path(get, path = "/v1/plugins/{name}", operation_id = "showPlugin", tag = "plugins",
    params(("name" = PluginName, Path, description = "The plugin's name")),
    responses((status = 200, body = PluginView, description = "The plugin")))]
pub(crate) async fn show(
    State(front): State<Front>,
    Path(name): Path<String>,
) -> Result<Json<PluginView>, Problem> {
    let plugin = front.plugin(&name).await?;
    Ok(Json(front.desk.view(&plugin)))
}

/// Show what a plugin's functions take and give
#[utoipa::path(get, path = "/v1/plugins/{name}/schema", operation_id = "showSchema", tag = "plugins",
    params(("name" = PluginName, Path, description = "The plugin's name")),
    responses((status = 200, body = SchemaView, description = "JSON Schema of its functions")))]
pub(crate) async fn schema(
    State(front): State<Front>,
    Path(name): Path<String>,
) -> Result<Json<SchemaView>, Problem> {
    let plugin = front.plugin(&name).await?;
    let functions = plugin.functions().unwrap_or_default().iter().map(Into::into).collect();
    let (name, digest) = (plugin.name().clone(), plugin.digest());
    Ok(Json(SchemaView { name, digest, functions }))
}

/// List the versions of a plugin that jobs can run on
#[utoipa::path(get, path = "/v1/plugins/{name}/versions", operation_id = "listVersions",
    tag = "plugins",
    params(("name" = PluginName, Path, description = "The plugin's name")),
    responses((status = 200, body = VersionsView, description = "The versions, the newest first")))]
pub(crate) async fn versions(
    State(front): State<Front>,
    Path(name): Path<String>,
) -> Result<Json<VersionsView>, Problem> {
    let serving = front.plugin(&name).await?;
    let view = |plugin: &Plugin| VersionView {
        digest: plugin.digest(),
        version: plugin.manifest().version.clone(),
        bytes: plugin.bytes(),
        serving: plugin.digest() == serving.digest(),
    };
    let versions = front.desk.plugins.versions(serving.name()).iter().map(view).collect();
    Ok(Json(VersionsView { versions }))
}

impl Front {
    /// The plugin of a path, loaded if it isn't yet.
    pub(super) async fn plugin(&self, name: &str) -> Result<Plugin, Problem> {
        let name = parse_plugin(name)?;
        self.desk.plugin(&name).await.map_err(|error| match error {
            LoadError::NotFound { .. } => no_plugin(&name),
            other => Problem::new(Kind::FaultyPlugin, other.to_string()),
        })
    }
}

pub(super) fn no_plugin(name: &PluginName) -> Problem {
    Problem::new(Kind::NoPlugin, format!("there is no plugin {:?} here", name.as_str()))
}
