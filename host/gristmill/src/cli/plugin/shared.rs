//! Plugins that a fleet shares, on the Redis server itself: looked at, put there and taken away without
//! a daemon.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use gristmill::runtime::{Description, Problem};
use gristmill::shelf::{About, Release};
use gristmill::{
    Error as HostError, FileFault, Host, PluginEntry, PluginName, PluginView, PluginsView, Shelf,
    redis,
};

use crate::cli::compile;
use crate::cli::error::{Error, one_line};
use crate::cli::limits::LimitsArgs;
use crate::cli::output;

/// The Redis server on which daemons share plugins.
#[derive(Args)]
pub(super) struct SharedArgs {
    /// Speak straight to the Redis server at this address, on which daemons with --share-plugins have
    /// theirs. Only said here, since it is another place than a daemon's folder
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    redis_url: Option<String>,
}

impl SharedArgs {
    /// The shelf there, if a server is named.
    pub(super) fn shelf(&self) -> Result<Option<Arc<dyn Shelf>>, Error> {
        let shelf = self.redis_url.as_deref().map(redis::shelf).transpose();
        Ok(shelf.map_err(HostError::from)?)
    }
}

/// All plugins of a shelf.
pub(super) async fn list(shelf: &dyn Shelf) -> Result<PluginsView, Error> {
    let listing = shelf.list().await.map_err(HostError::from)?;
    let mut plugins = Vec::new();
    for (name, versions) in listing.plugins {
        let Some(digest) = versions.first().map(|shelved| shelved.digest) else { continue };
        let about = match shelf.about(&name, digest).await {
            // It went while we were at it.
            Ok(None) => continue,
            Ok(Some(about)) => Description::parse(&name, digest, &about.description),
            Err(error) if error.is_passing() => return Err(HostError::from(error).into()),
            Err(error) => Err(one_line(&error)),
        };
        plugins.push(match about {
            Ok(description) => PluginEntry::Usable(PluginView::from(&description)),
            Err(error) => PluginEntry::Unusable { name, error },
        });
    }
    Ok(PluginsView { plugins, fault: None })
}

/// A plugin as it serves then, or everything that is wrong with it.
pub(super) enum Pushed {
    Serves(PluginView),
    Refused(Vec<FileFault>),
}

/// Checks a plugin here, as a daemon would, and puts it on the shelf. What is granted and isn't there is
/// only told: secrets and folders are those of the machines that run jobs.
pub(super) async fn push(
    shelf: &dyn Shelf,
    limits: &LimitsArgs,
    name: &PluginName,
    component: Bytes,
    manifest: Option<String>,
) -> Result<Pushed, Error> {
    let sandbox = limits.apply(compile::sandbox(None))?;
    let host = Host::builder().runtime_config(sandbox).concurrency(1).build().await?;
    let (plugin, problems) = host.check_parts(name, component.clone(), manifest.as_deref()).await;
    host.shutdown().await?;
    let Some(plugin) = plugin else {
        return Ok(Pushed::Refused(problems.into_iter().map(fault).collect()));
    };
    for problem in problems {
        output::complain(&format!("{}: {}", problem.file.display(), problem.message));
    }
    let about = About { manifest, description: plugin.description() };
    let release = Release { name: name.clone(), component, about };
    shelf.publish(&release).await.map_err(HostError::from)?;
    Ok(Pushed::Serves(PluginView::from(&plugin)))
}

fn fault(problem: Problem) -> FileFault {
    let is_the_manifest = problem.file.extension() == Some(Path::new("toml").as_os_str());
    let file = if is_the_manifest { "manifest" } else { "component" };
    FileFault { file: file.to_owned(), message: problem.message }
}
