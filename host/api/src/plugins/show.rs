//! Looking at plugins.

use axum::Json;
use axum::extract::{Path, State};
use gristmill_job::PluginName;
use gristmill_runtime::{Description, LoadError, Plugin};

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
    front.desk.plugins.see_shelf().await;
    for name in front.desk.plugin_names().await.map_err(unreadable)? {
        plugins.push(match front.seen(&name).await {
            Ok(view) => PluginEntry::Usable(view),
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
    let name = parse_plugin(&name)?;
    let view = front.seen(&name).await;
    Ok(Json(view.map_err(|error| front.unusable(&name, error))?))
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
    let plugins = &front.desk.plugins;
    let mut versions: Vec<VersionView> =
        plugins.versions(serving.name()).iter().map(view).collect();
    // Those that would be fetched. A shelf that is away has none.
    for there in plugins.described_versions(serving.name()).await.unwrap_or_default() {
        if versions.iter().all(|version| version.digest != there.digest) {
            let Description { digest, version, bytes, .. } = there;
            versions.push(VersionView { digest, version, bytes, serving: false });
        }
    }
    Ok(Json(VersionsView { versions }))
}

impl Front {
    /// The plugin of a path, loaded if it isn't yet.
    pub(super) async fn plugin(&self, name: &str) -> Result<Plugin, Problem> {
        let name = parse_plugin(name)?;
        self.desk.plugin(&name).await.map_err(|error| self.unusable(&name, error))
    }

    /// A plugin to be looked at: what a fleet has and no job has asked for isn't fetched for that.
    async fn seen(&self, name: &PluginName) -> Result<PluginView, LoadError> {
        let plugins = &self.desk.plugins;
        if plugins.has_shelf()
            && plugins.loaded(name).is_none()
            && plugins.fault(name).is_none()
            && !plugins.is_in_the_folder(name).await
            && let Some(description) = plugins.described(name).await?
        {
            return Ok(PluginView::from(&description));
        }
        Ok(self.desk.view(&self.desk.plugin(name).await?))
    }

    fn unusable(&self, name: &PluginName, error: LoadError) -> Problem {
        match error {
            LoadError::NotFound { .. } => no_plugin(name),
            // It isn't the plugin's fault.
            passing if passing.is_passing() => Problem::new(Kind::Unavailable, passing.to_string()),
            other => Problem::new(Kind::FaultyPlugin, other.to_string()),
        }
    }
}

pub(super) fn no_plugin(name: &PluginName) -> Problem {
    Problem::new(Kind::NoPlugin, format!("there is no plugin {:?} here", name.as_str()))
}
