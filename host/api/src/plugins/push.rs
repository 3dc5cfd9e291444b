//! Putting a plugin into the plugins folder, or on the shelf of a fleet, and taking it out.
//!
//! What is put in is checked first, in a folder of its own beside the others, and renamed into its
//! place then: nobody ever reads half of it. On the shelf it is there in one step.

use std::io::{ErrorKind, Write as _};
use std::path::{Path as FilePath, PathBuf};

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest as _, Multipart, Path, Request, State};
use axum::http::{StatusCode, header};
use gristmill_job::PluginName;
use gristmill_runtime::LoadError;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::PluginView;
use super::show::no_plugin;
use crate::edge::TooSlow;
use crate::limits;
use crate::parameters::{Raw, parse_plugin, too_large, unreadable_body};
use crate::problem::{FileFault, Kind, Problem};
use crate::routes::Front;

const WASM: &str = "application/wasm";

/// A component with its manifest.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Push {
    /// The component, in binary or text form.
    #[schema(value_type = String, format = Binary)]
    component: Bytes,
    /// The manifest, in TOML; without one the plugin is granted nothing.
    #[schema(value_type = Option<String>)]
    manifest: Option<Bytes>,
}

/// Put a plugin into the plugins folder, in place of the one with its name
///
/// As `multipart/form-data` with the parts `component` and `manifest`, or the component alone as
/// `application/wasm`, which then has no manifest. It is checked first, as `gristmill plugin check`
/// does, and nothing is changed where something is wrong. A daemon that shares its plugins puts it on the
/// shelf of its fleet instead, from which all of them fetch it.
#[utoipa::path(put, path = "/v1/plugins/{name}", operation_id = "putPlugin", tag = "plugins",
    params(("name" = PluginName, Path, description = "The plugin's name")),
    request_body(content((Push = "multipart/form-data"), (Raw = "application/wasm"))),
    responses((status = 200, body = PluginView, description = "The plugin as it serves now")))]
pub(crate) async fn push(
    State(front): State<Front>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<PluginView>, Problem> {
    let name = parse_plugin(&name)?;
    let shares = front.desk.plugins.has_shelf();
    let dir = if shares { None } else { Some(folder(&front)?) };
    let push = Push::read(request).await?;
    // One at a time: what is pushed is large, and compiled, and two of one name must not be mixed.
    let _turn = front.desk.pushing.lock().await;
    match dir {
        Some(dir) => {
            let staged = Staged::write(dir, name.clone(), push).await?;
            front.check(&staged.component()).await?;
            staged.publish().await?;
        }
        None => front.shelve(&name, push).await?,
    }
    front.look_again().await?;
    let plugin = front.plugin(name.as_str()).await?;
    tracing::info!("plugin {name} {} was pushed", plugin.digest());
    Ok(Json(front.desk.view(&plugin)))
}

/// Take a plugin out of the plugins folder, or off the shelf of the fleet
///
/// Jobs that run end on the version that they began with; jobs that wait for it wait on, and fail as
/// `unknown-plugin` in the end.
#[utoipa::path(delete, path = "/v1/plugins/{name}", operation_id = "removePlugin", tag = "plugins",
    params(("name" = PluginName, Path, description = "The plugin's name")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn remove(
    State(front): State<Front>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let name = parse_plugin(&name)?;
    let _turn = front.desk.pushing.lock().await;
    if front.desk.plugins.unshelve(&name).await.map_err(|error| unavailable(&error))? {
        front.look_again().await?;
        tracing::info!("plugin {name} was taken off the shelf");
        return Ok(StatusCode::NO_CONTENT);
    }
    let dir = folder(&front)?;
    let component = dir.join(format!("{name}.wasm"));
    let removed = blocking(move || {
        std::fs::remove_file(&component)?;
        gone(std::fs::remove_file(component.with_extension("toml")))
    });
    match removed.await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_plugin(&name)),
        removed => removed.map_err(|error| unwritable(&dir, &error))?,
    }
    front.look_again().await?;
    tracing::info!("plugin {name} was removed");
    Ok(StatusCode::NO_CONTENT)
}

fn folder(front: &Front) -> Result<PathBuf, Problem> {
    let dir = front.desk.plugins.dir().map(FilePath::to_owned);
    dir.ok_or_else(|| Problem::new(Kind::Invalid, "there is no plugins folder here"))
}

impl Front {
    async fn check(&self, component: &FilePath) -> Result<(), Problem> {
        let (runtime, file) = (self.desk.runtime.clone(), component.to_owned());
        let problems = self.desk.among_guests(async move { runtime.check_file(&file).await });
        faultless(problems.await.map_err(|error| unavailable(&error))?)
    }

    /// Checks a plugin and puts it on the shelf.
    async fn shelve(&self, name: &PluginName, push: Push) -> Result<(), Problem> {
        let plugins = &self.desk.plugins;
        if plugins.is_in_the_folder(name).await {
            let detail = format!(
                "the plugins folder of this daemon has a file of {name}, which comes before what the \
                 fleet shares: remove it, or push under another name"
            );
            return Err(Problem::new(Kind::Invalid, detail).field("name"));
        }
        let Push { component, manifest } = push;
        let manifest = manifest.map(|text| String::from_utf8(text.to_vec())).transpose();
        let manifest = manifest.map_err(|error| {
            Problem::new(Kind::MalformedBody, format!("the manifest is no text in UTF-8: {error}"))
                .field("manifest")
        })?;
        let (runtime, called) = (self.desk.runtime.clone(), name.clone());
        let (bytes, text) = (component.clone(), manifest.clone());
        let checked = self.desk.among_guests(async move {
            runtime.check_parts(&called, bytes, text.as_deref()).await
        });
        let (plugin, problems) = checked.await.map_err(|error| unavailable(&error))?;
        faultless(problems)?;
        let Some(plugin) = plugin else {
            return Err(Problem::new(Kind::FaultyPlugin, "it can't be used".to_owned()));
        };
        plugins.shelve(&plugin, component, manifest).await.map_err(|error| match &error {
            LoadError::Shelf(full) if !error.is_passing() => {
                Problem::new(Kind::Invalid, full.to_string())
            }
            _ => unavailable(&error),
        })
    }

    /// What was written is taken over now, whether somebody watches the folder or not.
    async fn look_again(&self) -> Result<(), Problem> {
        let plugins = self.desk.plugins.clone();
        let looked = self.desk.among_guests(async move { plugins.rescan().await }).await;
        match looked {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

fn unavailable(error: &dyn std::error::Error) -> Problem {
    Problem::new(Kind::Unavailable, error.to_string())
}

/// Refuses a plugin with which anything is wrong.
fn faultless(problems: Vec<gristmill_runtime::Problem>) -> Result<(), Problem> {
    let fault = |problem: gristmill_runtime::Problem| {
        let is_the_manifest = problem.file.extension().is_some_and(|kind| kind == "toml");
        let file = if is_the_manifest { "manifest" } else { "component" };
        FileFault { file: file.to_owned(), message: problem.message }
    };
    let faults: Vec<FileFault> = problems.into_iter().map(fault).collect();
    let Some(first) = faults.first() else { return Ok(()) };
    let more = match faults.len() - 1 {
        0 => String::new(),
        more => format!("; and {more} more, in `faults`"),
    };
    let detail = format!("the {}: {}{more}", first.file, first.message);
    let mut problem = Problem::new(Kind::FaultyPlugin, detail);
    problem.more.faults = faults;
    Err(problem)
}

impl Push {
    async fn read(request: Request) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case(WASM) {
            let component = Bytes::from_request(request, &()).await.map_err(|rejection| {
                match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => too_large(limits::PLUGIN_BODY_BYTES_MAX),
                    _ => unreadable_body(rejection),
                }
            })?;
            return Ok(Self { component, manifest: None });
        }
        if !essence.eq_ignore_ascii_case("multipart/form-data") {
            let detail = format!(
                "a plugin comes as {WASM}, or as multipart/form-data with the parts `component` and \
                 `manifest`, and not as {media_type:?}"
            );
            return Err(Problem::new(Kind::UnsupportedMediaType, detail).field("content-type"));
        }
        let malformed = |why: String| Problem::new(Kind::MalformedBody, why);
        let parts = Multipart::from_request(request, &()).await;
        Self::of_parts(parts.map_err(|rejection| malformed(rejection.body_text()))?).await
    }

    async fn of_parts(mut parts: Multipart) -> Result<Self, Problem> {
        let malformed = |why: String| Problem::new(Kind::MalformedBody, why);
        let unreadable = |error: MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(limits::PLUGIN_BODY_BYTES_MAX),
            _ if TooSlow::is_behind(&error) => Problem::new(Kind::TooSlow, TooSlow.to_string()),
            _ => malformed(error.body_text()),
        };
        let (mut component, mut manifest) = (None, None);
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            let name = part.name().unwrap_or_default().to_owned();
            let place = match name.as_str() {
                "component" => &mut component,
                "manifest" => &mut manifest,
                other => {
                    let shown: String = other.chars().take(64).collect();
                    let why = format!(
                        "{shown:?} is no part of a plugin; there are component and \
                                       manifest"
                    );
                    return Err(malformed(why));
                }
            };
            if place.replace(part.bytes().await.map_err(unreadable)?).is_some() {
                return Err(malformed(format!("the part {name:?} is there twice")));
            }
        }
        let missing = || malformed("there is no part `component`".to_owned()).field("component");
        Ok(Self { component: component.ok_or_else(missing)?, manifest })
    }
}

/// A plugin in a folder of its own, beside those that serve. It is removed in any case.
struct Staged {
    plugins: PathBuf,
    dir: PathBuf,
    name: PluginName,
}

impl Staged {
    async fn write(plugins: PathBuf, name: PluginName, push: Push) -> Result<Self, Problem> {
        let dir = plugins.join(format!(".push-{}", Uuid::new_v4().simple()));
        let staged = Self { plugins: plugins.clone(), dir: dir.clone(), name };
        let (component, manifest) = (staged.component(), staged.component().with_extension("toml"));
        let written = blocking(move || {
            std::fs::create_dir(&dir)?;
            write(&component, &push.component)?;
            push.manifest.map_or(Ok(()), |text| write(&manifest, &text))
        });
        written.await.map_err(|error| unwritable(&plugins, &error))?;
        Ok(staged)
    }

    fn component(&self) -> PathBuf {
        self.dir.join(format!("{}.wasm", self.name))
    }

    /// The manifest first: a component must never serve with the grants of another.
    async fn publish(&self) -> Result<(), Problem> {
        let from = self.component();
        let to = self.plugins.join(format!("{}.wasm", self.name));
        let renamed = blocking(move || {
            let manifest = std::fs::rename(from.with_extension("toml"), to.with_extension("toml"));
            match manifest {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    gone(std::fs::remove_file(to.with_extension("toml")))?;
                }
                renamed => renamed?,
            }
            std::fs::rename(&from, &to)
        });
        renamed.await.map_err(|error| unwritable(&self.plugins, &error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Three calls on files that were just written.
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            tracing::warn!(%error, "{} can't be removed", self.dir.display());
        }
    }
}

/// Whole and on the disk, before it takes the place of what serves.
fn write(path: &FilePath, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

async fn blocking(
    work: impl FnOnce() -> std::io::Result<()> + Send + 'static,
) -> std::io::Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

fn unwritable(dir: &FilePath, error: &std::io::Error) -> Problem {
    let detail = format!("the plugins folder {} can't be written to: {error}", dir.display());
    Problem::new(Kind::Unavailable, detail)
}
